"""inputs/cycle.json: which cycle a draft is of, and which of its files answers to which key.

By it a draft is read from its own folder, wherever its configuration lay; a closed cycle says the
same in inputs/close.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from reportgen.archive.refusing import UNREADABLE, refused, unread
from reportgen.core.cycle import BillingCycle
from reportgen.files import content_of

CYCLE = "inputs/cycle.json"
HINT = "build again with `reportgen build`, or name the configuration instead of this folder"


class SavedCycle(msgspec.Struct, frozen=True, kw_only=True):
    """A billing cycle as files of the archive have it."""

    start: date
    end: date
    after: int
    before: int


class _File(msgspec.Struct, frozen=True, kw_only=True):
    schema: Literal["reportgen.cycle/1"] = "reportgen.cycle/1"
    cycle: SavedCycle
    configuration: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftOf:
    """The cycle of a draft, and its files of `inputs/config` by the keys that name them."""

    cycle: BillingCycle
    keys: Mapping[str, str]


_decoder = msgspec.json.Decoder(_File)


def saved(cycle: BillingCycle) -> SavedCycle:
    """Give a cycle as it is written."""
    return SavedCycle(start=cycle.start, end=cycle.end, after=cycle.after, before=cycle.before)


def restored(cycle: SavedCycle) -> BillingCycle:
    """Give a cycle as it was before it was written."""
    return BillingCycle(start=cycle.start, end=cycle.end, after=cycle.after, before=cycle.before)


def outside(keys: Mapping[str, str]) -> list[str]:
    """List the names of files that lead out of the archive: somebody may have edited them."""
    paths = {name: PurePosixPath(name) for name in keys.values()}
    return [
        name for name, path in paths.items() if not name or path.is_absolute() or ".." in path.parts
    ]


def encode(draft: DraftOf) -> bytes:
    """Write what a draft is of."""
    file = _File(cycle=saved(draft.cycle), configuration=dict(sorted(draft.keys.items())))
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def decode(folder: Path) -> DraftOf:
    """Read what a draft is of; raises Rejected where that is not told."""
    path = folder / CYCLE
    try:
        file = _decoder.decode(content_of(path))
    except FileNotFoundError as error:
        message = "does not exist, so the draft does not say what it is of"
        raise refused(path, message, HINT) from error
    except UNREADABLE as error:
        raise unread(path, error, HINT) from error
    if strange := outside(file.configuration):
        raise refused(path, f"names a file outside of the archive: {strange[0]}", HINT)
    return DraftOf(cycle=restored(file.cycle), keys=file.configuration)
