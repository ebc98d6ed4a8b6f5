"""What cannot be read of a file in an archive, said the same way of each."""

from pathlib import Path

import msgspec

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system

UNREADABLE = (OSError, msgspec.MsgspecError, RecursionError, UnicodeError)
"""What opening and decoding a file raises."""
RESTORE = "restore the folder from a copy"


def refused(path: Path, message: str, hint: str = RESTORE) -> Rejected:
    """Refuse a file, with what is wrong with it."""
    return Rejected([Problem(source=str(path), message=message, hint=hint)])


def unread(path: Path, error: Exception, hint: str = RESTORE) -> Rejected:
    """Refuse a file that opening or decoding failed of, with the reason."""
    said = said_by_system(error) if isinstance(error, OSError) else str(error)
    return refused(path, f"cannot be read: {said}", hint)
