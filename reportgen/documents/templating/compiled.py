"""Templates as compiled code, kept as long as the process lives.

Compiling takes longer than filling does, and the code of a template is the same in every language
and currency. A process that is forked has what was compiled before.
"""

from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

MOST = 64
"""So many are kept; the first to come is the first to go."""


class CompiledTemplates(BytecodeCache):
    """Compiled code by the name of a template and the hash of its text.

    For environments that differ in words alone: code knows which filters there are.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template that was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code:
            self._codes[bucket.key, bucket.checksum] = bucket.code
        while len(self._codes) > MOST:
            del self._codes[next(iter(self._codes))]
