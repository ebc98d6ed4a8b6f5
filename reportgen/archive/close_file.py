"""inputs/close.json: what was decided at a close, so that it is told again in the same words.

The instant, the seal before, who prepared and approved it, accepted reasons, and which file of
`inputs/config` answers to which key of the configuration, whatever path stands there. Of a
correction also its number and reason; what it corrects stands in inputs/standing.json.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from reportgen.archive import standing
from reportgen.archive.cycle_file import SavedCycle, outside, restored, saved
from reportgen.archive.manifest import Manifest, SealedDays, Sha256
from reportgen.archive.refusing import UNREADABLE, refused, unread
from reportgen.archive.standing import ExactText
from reportgen.core.model import Correcting
from reportgen.core.proving.close import Accepted, Close, Condition, People
from reportgen.files import content_of

CLOSE = "inputs/close.json"
SCHEMA: Literal["reportgen.close/1"] = "reportgen.close/1"


class _Accepted(msgspec.Struct, frozen=True, kw_only=True):
    condition: Condition
    message: str
    reason: str


class _Correction(msgspec.Struct, frozen=True, kw_only=True):
    number: Annotated[int, msgspec.Meta(ge=1)]
    reason: str
    minimum: ExactText
    edited: list[str]


class _File(msgspec.Struct, frozen=True, kw_only=True):
    schema: Literal["reportgen.close/1"] = SCHEMA
    cycle: SavedCycle
    sealed_at: datetime
    enterprise: str
    sequence: int
    previous_seal: Sha256 | None
    prepared_by: str | None
    approved_by: str | None
    accepted: list[_Accepted]
    configuration: dict[str, str]
    rules_version: int
    versions: dict[str, str]
    fonts: dict[str, Sha256]
    correction: _Correction | msgspec.UnsetType = msgspec.UNSET


_decoder = msgspec.json.Decoder(_File)


def encode(close: Close) -> bytes:
    """Write what was decided."""
    file = _File(
        cycle=saved(close.cycle),
        sealed_at=close.sealed_at,
        enterprise=close.enterprise,
        sequence=close.sequence,
        previous_seal=close.previous_seal,
        prepared_by=close.people.prepared_by,
        approved_by=close.people.approved_by,
        accepted=[
            _Accepted(condition=one.condition, message=one.message, reason=one.reason)
            for one in close.accepted
        ],
        configuration=dict(sorted(close.keys.items())),
        rules_version=close.rules_version,
        versions=dict(close.versions),
        fonts=dict(close.fonts),
        correction=_correction(close.correcting),
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def manifest_of(close: Close, folder: str, sums: str) -> Manifest:
    """Give the manifest of a close by the name of its folder and the hash of SHA256SUMS.

    It says nothing that the inputs do not say, so that a change of it is seen by itself.
    """
    cycle = close.cycle
    return Manifest(
        folder=folder,
        enterprise=close.enterprise,
        cycle=SealedDays(start=cycle.start.isoformat(), end=cycle.end.isoformat()),
        sequence=close.sequence,
        previous=close.previous_seal,
        sums=sums,
        issued=close.issued.isoformat(),
        sealed_at=close.sealed_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        rules_version=close.rules_version,
        versions=dict(close.versions),
        fonts=dict(close.fonts),
    )


def decode(folder: Path) -> Close:
    """Read what was decided when a cycle was closed; raises Rejected."""
    path = folder / CLOSE
    try:
        file = _decoder.decode(content_of(path))
    except UNREADABLE as error:
        raise unread(path, error) from error
    if strange := outside(file.configuration):
        raise refused(path, f"names a file outside of the archive: {strange[0]}")
    return Close(
        cycle=restored(file.cycle),
        sealed_at=file.sealed_at,
        enterprise=file.enterprise,
        sequence=file.sequence,
        previous_seal=file.previous_seal,
        people=People(prepared_by=file.prepared_by, approved_by=file.approved_by),
        accepted=tuple(
            Accepted(condition=one.condition, message=one.message, reason=one.reason)
            for one in file.accepted
        ),
        keys=file.configuration,
        rules_version=file.rules_version,
        versions=file.versions,
        fonts=file.fonts,
        correcting=_correcting(file.correction, folder) if file.correction else None,
    )


def _correction(correcting: Correcting | None) -> _Correction | msgspec.UnsetType:
    if correcting is None:
        return msgspec.UNSET
    return _Correction(
        number=correcting.number,
        reason=correcting.reason,
        minimum=f"{correcting.minimum:f}",
        edited=list(correcting.edited),
    )


def _correcting(file: _Correction, folder: Path) -> Correcting:
    return Correcting(
        number=file.number,
        reason=file.reason,
        minimum=Decimal(file.minimum),
        standing=standing.decode(folder),
        edited=tuple(file.edited),
    )
