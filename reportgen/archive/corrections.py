"""inputs/corrections.json: the corrections that a statement names, as they were sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Literal

import msgspec

from reportgen.archive.folder import CORRECTION, ISSUED, is_correction
from reportgen.archive.manifest import Sealed, Sha256, chain
from reportgen.archive.refusing import UNREADABLE, unread
from reportgen.archive.standing import ExactText
from reportgen.core.model import IssuedCorrection, IssuedNote
from reportgen.core.money import decimals_of
from reportgen.core.problem import Problem, Rejected
from reportgen.files import content_of

SCHEMA: Literal["reportgen.corrections/1"] = "reportgen.corrections/1"


class _Note(msgspec.Struct):
    number: str
    cost_center: str
    amount: ExactText


class _Correction(msgspec.Struct):
    folder: str
    seal: Sha256
    issued: date
    reason: str
    currency: str
    decimals: int
    notes: list[_Note]


class _File(msgspec.Struct):
    schema: Literal["reportgen.corrections/1"]
    corrections: list[_Correction]


class _TieOut(msgspec.Struct):
    notes_amount: ExactText


class _Sealed(msgspec.Struct):
    """A correction as it was sealed, as far as it is named."""

    reason: str
    currency: str
    notes: list[_Note]
    tie_out: _TieOut


_decoder = msgspec.json.Decoder(_File)
_correction = msgspec.json.Decoder(_Sealed)


def encode(corrections: Iterable[IssuedCorrection]) -> bytes:
    """Write corrections in the order of sealing."""
    written = _File(
        schema=SCHEMA,
        corrections=[
            _Correction(
                folder=one.folder,
                seal=one.seal,
                issued=one.issued,
                reason=one.reason,
                currency=one.currency,
                decimals=one.decimals,
                notes=[
                    _Note(note.number, note.cost_center, f"{note.amount:f}") for note in one.notes
                ],
            )
            for one in corrections
        ],
    )
    return msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n"


def issued_since_last_close(
    archive: Path,
) -> tuple[tuple[IssuedCorrection, ...], list[Problem]]:
    """Give the corrections that were sealed after the last close of a cycle, the first one first.

    What cannot be read is a warning: whoever closes is refused for it.
    """
    try:
        return _after_the_last_close(chain(archive)), []
    except Rejected as rejected:
        return (), [
            replace(problem, warning=True, code="chain-unreadable") for problem in rejected.problems
        ]


def issued_before(link: Sealed) -> tuple[IssuedCorrection, ...]:
    """Give the corrections that a close had to name, by the chain before it; raises Rejected."""
    links = chain(link.folder.parent)
    return _after_the_last_close(
        [one for one in links if one.manifest.sequence < link.manifest.sequence]
    )


def _after_the_last_close(links: Sequence[Sealed]) -> tuple[IssuedCorrection, ...]:
    later = takewhile(lambda link: is_correction(link.folder), reversed(links))
    return tuple(map(_issued, later))[::-1]


def _issued(link: Sealed) -> IssuedCorrection:
    """Read what a correction issued; raises Rejected."""
    path = link.folder / CORRECTION
    try:
        file = _correction.decode(content_of(path))
    except UNREADABLE as error:
        raise unread(path, error) from error
    notes = tuple(_note(one) for one in file.notes)
    return IssuedCorrection(
        folder=link.folder.name,
        seal=link.seal,
        issued=date.fromisoformat(link.manifest.issued),
        reason=file.reason,
        currency=file.currency,
        decimals=decimals_of(Decimal(file.tie_out.notes_amount)),
        notes=notes,
    )


def decode(folder: Path) -> tuple[IssuedCorrection, ...]:
    """Read the corrections that a cycle's statement names, if any; raises Rejected."""
    path = folder / ISSUED
    try:
        file = _decoder.decode(content_of(path))
    except FileNotFoundError:
        return ()
    except UNREADABLE as error:
        raise unread(path, error) from error
    return tuple(map(_read, file.corrections))


def _read(one: _Correction) -> IssuedCorrection:
    return IssuedCorrection(
        folder=one.folder,
        seal=one.seal,
        issued=one.issued,
        reason=one.reason,
        currency=one.currency,
        decimals=one.decimals,
        notes=tuple(map(_note, one.notes)),
    )


def _note(note: _Note) -> IssuedNote:
    return IssuedNote(number=note.number, cost_center=note.cost_center, amount=Decimal(note.amount))
