"""inputs/standing.json: a closed cycle as it stood before a correction, exact amounts unrounded.

It is what notes are made against, so that a correction is made again of its own folder alone; that
the folder it names comes to the same is checked wherever that one is at hand.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from reportgen.archive.folder import STANDING
from reportgen.archive.manifest import Sha256
from reportgen.archive.refusing import UNREADABLE, unread
from reportgen.core.model import (
    InvoiceLine,
    LineKind,
    Standing,
    StandingInvoice,
    StandingTotals,
)
from reportgen.files import content_of

SCHEMA: Literal["reportgen.standing/1"] = "reportgen.standing/1"
ExactText = Annotated[str, msgspec.Meta(pattern=r"\A-?[0-9]{1,100}(\.[0-9]{1,100})?\Z")]
"""As long as exact arithmetic lets a number be."""


class _Line(msgspec.Struct, omit_defaults=True):
    kind: LineKind
    exact_amount: ExactText
    amount: ExactText
    product: str = ""
    acus: ExactText = "0"
    unit_price: ExactText | None = None
    name: str = ""
    counterpart: str | None = None


class _Invoice(msgspec.Struct):
    code: str
    invoice: str | None
    notes: list[str]
    lines: list[_Line]


class _Totals(msgspec.Struct):
    control_acus: ExactText
    chargeable_amount: ExactText
    fees_amount: ExactText
    unborne_amount: ExactText
    invoiced_amount: ExactText


class _File(msgspec.Struct):
    schema: Literal["reportgen.standing/1"]
    folder: str
    seal: Sha256
    currency: str
    decimals: int
    effective_prices: bool
    totals: _Totals
    cost_centers: list[_Invoice]


_decoder = msgspec.json.Decoder(_File)


def encode(standing: Standing) -> bytes:
    """Write a cycle as it stands; cost centers by code, nobody first."""
    totals = standing.totals
    written = _File(
        schema=SCHEMA,
        folder=standing.folder,
        seal=standing.seal,
        currency=standing.currency,
        decimals=standing.decimals,
        effective_prices=standing.effective_prices,
        totals=_Totals(
            control_acus=f"{totals.control_acus:f}",
            chargeable_amount=f"{totals.chargeable_amount:f}",
            fees_amount=f"{totals.fees_amount:f}",
            unborne_amount=f"{totals.unborne_amount:f}",
            invoiced_amount=f"{totals.invoiced_amount:f}",
        ),
        cost_centers=[
            _Invoice(
                code=code,
                invoice=invoice.number,
                notes=list(invoice.notes),
                lines=list(map(_written, invoice.lines)),
            )
            for code, invoice in sorted(standing.invoices.items())
        ],
    )
    return msgspec.json.format(msgspec.json.encode(written), indent=1) + b"\n"


def decode(folder: Path) -> Standing:
    """Read what a correction corrects; raises Rejected."""
    path = folder / STANDING
    try:
        file = _decoder.decode(content_of(path))
    except UNREADABLE as error:
        raise unread(path, error) from error
    totals = {name: Decimal(getattr(file.totals, name)) for name in _Totals.__struct_fields__}
    return Standing(
        folder=file.folder,
        seal=file.seal,
        currency=file.currency,
        decimals=file.decimals,
        effective_prices=file.effective_prices,
        totals=StandingTotals(**totals),
        invoices=_invoices(file),
    )


def _invoices(file: _File) -> Mapping[str, StandingInvoice]:
    return {
        one.code: StandingInvoice(
            number=one.invoice, notes=tuple(one.notes), lines=tuple(map(_read, one.lines))
        )
        for one in file.cost_centers
    }


def _written(line: InvoiceLine) -> _Line:
    return _Line(
        kind=line.kind,
        product=line.product,
        acus=f"{line.acus:f}",
        unit_price=None if line.unit_price is None else f"{line.unit_price:f}",
        name=line.name,
        counterpart=line.counterpart,
        exact_amount=f"{line.exact_amount:f}",
        amount=f"{line.amount:f}",
    )


def _read(line: _Line) -> InvoiceLine:
    return InvoiceLine(
        kind=line.kind,
        product=line.product,
        acus=Decimal(line.acus),
        unit_price=None if line.unit_price is None else Decimal(line.unit_price),
        name=line.name,
        counterpart=line.counterpart,
        exact_amount=Decimal(line.exact_amount),
        amount=Decimal(line.amount),
    )
