"""What is booked of a cycle on which day: its charges, an accrual and its reversal, or its notes.

An amount is that of an invoice or note, or the part of it that a period has
(core/booking/periods.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from reportgen.core.booking.periods import CyclePeriods, amounts_by_period, calendar_months
from reportgen.core.charging.credit_notes import Notes
from reportgen.core.cycle import day_before
from reportgen.core.model import Statement
from reportgen.core.money import ZERO, subtract

VoucherKind = Literal["charge", "accrual", "reversal"]
UNSEALED = "DRAFT"
"""The stamp of what is not closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """What entries refer to: the folder of the cycle, its stamp, the file that proves them.

    The stamp is the beginning of a seal, or `UNSEALED`.
    """

    folder: str
    stamp: str
    document: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Voucher:
    """What is booked on one day, by the codes of cost centers; `references` are their documents.

    `mark` tells it from what else is booked of the cycle, and is empty where there is nothing else.
    """

    kind: VoucherKind
    posting_date: date
    amounts: Mapping[str, Decimal]
    references: Mapping[str, str]
    text: str
    description: str
    mark: str = ""


def charges(statement: Statement, cited: Cited, posting_date: date | None) -> list[Voucher]:
    """Book all invoices on one day, else on the last of the cycle."""
    cycle = statement.heading.cycle
    amounts = {one.cost_center.code: one.amount for one in statement.invoices}
    return [
        Voucher(
            kind="charge",
            posting_date=posting_date or cycle.previous_day(),
            amounts=amounts,
            references=_numbers(statement),
            text=_text(cited),
            description=_described(cited, cycle.start, cycle.end),
        )
    ]


def charges_by_month(statement: Statement, cited: Cited) -> list[Voucher]:
    """Book in each calendar month what was used in it, on its last day."""
    periods = calendar_months(statement.heading.cycle)
    amounts = amounts_by_period(statement.invoices, periods, statement.heading.decimals)
    return [
        Voucher(
            kind="charge",
            posting_date=day_before(end),
            amounts={code: parts[place] for code, parts in amounts.items()},
            references=_numbers(statement),
            text=_text(cited),
            description=_described(cited, start, end),
            mark=start.isoformat()[:7],
        )
        for place, (start, end) in enumerate(zip(periods.starts, periods.ends, strict=True))
    ]


def accrual(statement: Statement, cited: Cited, until: date) -> list[Voucher]:
    """Book what was used before a day on the day before it, and take it back on that day."""
    cycle = statement.heading.cycle
    cuts = () if until == cycle.end else (until,)
    periods = CyclePeriods(cycle=cycle, cuts=cuts)
    parts = amounts_by_period(statement.invoices, periods, statement.heading.decimals)
    booked = Voucher(
        kind="accrual",
        posting_date=day_before(until),
        amounts={code: amounts[0] for code, amounts in parts.items()},
        references=_numbers(statement),
        text=f"ACCRUAL ACUs {cited.folder}",
        description=f"ACCRUAL of ACUs used {_days(cycle.start, until)}",
        mark=f"ACCRUAL-{until}",
    )
    reversal = replace(
        booked,
        kind="reversal",
        posting_date=until,
        amounts={code: subtract(ZERO, amount) for code, amount in booked.amounts.items()},
        text=f"ACCRUAL REV. {cited.folder}",
        description=f"ACCRUAL, reversed, of ACUs used {_days(cycle.start, until)}",
        mark=f"ACCRUAL-REVERSED-{until}",
    )
    return [booked, reversal]


def corrections(notes: Notes, cited: Cited, posting_date: date) -> list[Voucher]:
    """Book the credit and debit notes of a correction."""
    return [
        Voucher(
            kind="charge",
            posting_date=posting_date,
            amounts={code: note.amount for code, note in notes.issued.items()},
            references={code: note.number for code, note in notes.issued.items()},
            text=_text(cited),
            description=f"{_text(cited)}, credit and debit notes",
        )
    ]


def _numbers(statement: Statement) -> dict[str, str]:
    return {one.cost_center.code: one.number or "" for one in statement.invoices}


def _text(cited: Cited) -> str:
    return f"{'DRAFT' if cited.stamp == UNSEALED else 'Devin'} ACUs {cited.folder}"


def _described(cited: Cited, start: date, end: date) -> str:
    return f"{_text(cited)}, used {_days(start, end)}"


def _days(start: date, end: date) -> str:
    """Name days by the first and the last."""
    return f"{start} to {day_before(end)}"
