"""The report of a bug: what those who can mend it need, in a file for its owner's eyes.

It holds the traceback, the versions and the command line; nothing of the environment, and no
secret, wherever that stood. The words of an error can still quote what was worked on: lines are cut
where they are long, and the file says that it is to be read before it is passed on.
"""

import platform
import re
import shlex
from collections.abc import Collection, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import mkstemp
from traceback import format_exception

from reportgen import __version__
from reportgen.operations.context import Context

HIDDEN = "[secret]"
LONGEST_LINE = 400
"""An error can quote a whole answer; source lines and paths are shorter."""
_SECRET = re.compile(r"\b(?:cog|apk)_\w+|(?<=://)[^/\s@]+(?=@)")
"""What looks like a key of the vendor's, or like the user and password of an address."""


def write_report(error: Exception, context: Context) -> Path | None:
    """Write the report into a temporary folder; give its path, or None where no folder takes it.

    The folder is the first that can be written of TMPDIR, /tmp, /var/tmp and the current one; the
    file is for its owner alone (0600).
    """
    try:
        descriptor, name = mkstemp(prefix="reportgen-", suffix=".txt")
    except OSError:
        return None
    path = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
            file.writelines(f"{line}\n" for line in _lines(error, context))
    except OSError:
        path.unlink(missing_ok=True)
        return None
    return path


def _lines(error: Exception, context: Context) -> Iterator[str]:
    """Give every line without a secret, cut where it is long."""
    traceback = _without_secrets("".join(format_exception(error)), context.secrets)
    for line in (*_heading(context), "", *traceback.splitlines()):
        yield line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _heading(context: Context) -> Iterator[str]:
    command = [_without_secrets(argument, context.secrets) for argument in context.arguments]
    yield f"A bug of reportgen {__version__}. No key and nothing of the environment is in here, but"
    yield "the words of an error can quote what was worked on: read this before you pass it on."
    yield ""
    yield f"Command    {shlex.join(['reportgen', *command])}"
    yield f"Python     {platform.python_version()} on {platform.platform()}"
    yield f"Libraries  {', '.join(_libraries())}"


def _libraries() -> Iterator[str]:
    """Name what the program requires, in the version that is installed."""
    try:
        required = [one for one in requires("reportgen") or () if "extra ==" not in one]
    except PackageNotFoundError:  # a checkout that was never installed
        return
    for requirement in required:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        yield f"{name} {version(name)}"


def _without_secrets(text: str, secrets: Collection[str]) -> str:
    """Hide every secret that was read, as it is or as Python shows it, and what looks like one."""
    forms = {form for secret in secrets for form in (secret, repr(secret)[1:-1])}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return _SECRET.sub(HIDDEN, text)
