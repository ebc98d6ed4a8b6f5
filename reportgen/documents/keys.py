"""The key of a document: what every byte of it comes from, in one hash, known without drawing it.

Law: two documents of one key are the same bytes. So the key is over all that is shown, over the
template and whatever that may call, the style sheets, the words of its language, colour and logo,
and over what draws: this program's own code, libraries and fonts.
"""

import platform
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

import reportgen
from reportgen.documents.tasks import STYLES, Design, Planned
from reportgen.documents.templating.catalog import catalogs
from reportgen.documents.templating.templates import used

CODE = (".py", ".conf")
DRAWN_WITH = ("accent", "logo")
"""What drawing asks of a design beside its templates; all else decides what a document shows."""


class Keys:
    """Gives the keys of documents of one design, drawn with what `versions` names."""

    def __init__(self, design: Design, versions: bytes) -> None:
        """Take how documents look, and the versions and fonts that they are drawn with."""
        self._design = design
        self._drawn_with = _hash(versions, program(), platform.machine(), sys.platform)
        self._looks: dict[tuple[str, str], str] = {}

    def of(self, planned: Planned) -> str:
        """Give the key of a document; "" for one that has none, and is drawn every time."""
        shown = planned.shown()
        if not shown:
            return ""
        look = self._look(planned.template, planned.locale)
        return _hash(planned.path, planned.template, planned.locale, look, shown, self._drawn_with)

    def _look(self, template: str, locale: str) -> str:
        """Hash what a kind of document looks like in a language."""
        design, key = self._design, (template, locale)
        if key not in self._looks:
            texts = used(design.templates, (template, *STYLES))
            words = catalogs(design.templates, locale)
            colours = [getattr(design, name) for name in DRAWN_WITH]
            self._looks[key] = _hash(sorted(texts.items()), words, colours)
        return self._looks[key]


@cache
def program() -> str:
    """Give the hash of this program's code, whatever its version is called."""
    folder = Path(reportgen.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in CODE)
    return _hash([(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files])


def _hash(*values: object) -> str:
    return sha256(msgspec.msgpack.encode(values)).hexdigest()
