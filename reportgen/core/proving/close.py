"""Whether a billing cycle may be closed: every condition that is not met, with the way out.

Law: a condition that a person can vouch for gives way to a reason, which is recorded; what would
make a closed document wrong never does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from unicodedata import normalize

from reportgen.core.cycle import BillingCycle, days_between
from reportgen.core.model import Allocation, Correcting, Issue, RateCard, Statement
from reportgen.core.money import multiply, plain, ratio, shown, total
from reportgen.core.problem import Problem
from reportgen.core.proving.tieout import vendor_difference
from reportgen.core.text import quoted, some

HUNDRED = Decimal(100)
Condition = Literal[
    "tie-out",
    "unpriced",
    "unallocated",
    "discrepancy",
    "vendor",
    "open",
    "settling",
    "drift",
    "approval",
    "order",
    "foreign",
    "coarser",
]
"""What has to be right before a cycle is closed."""
Approval = Literal["optional", "required"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is asked of every close: days to wait, a second person, what may stay unallocated.

    `unallocated_limit` is a fraction of the control total.
    """

    settle_days: int = 3
    approval: Approval = "optional"
    unallocated_limit: Decimal = Decimal("0.005")


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Who prepared a close and who approved it, as they said."""

    prepared_by: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A condition that is not met; what is `acceptable` gives way to a reason."""

    condition: Condition
    message: str
    hint: str
    acceptable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """A condition that was not met, and the reason for which the cycle was closed all the same."""

    condition: Condition
    message: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """What was decided at a close, and all that its manifest says but for the hash of the files.

    `sealed_at` is the instant, whose day in UTC is that of issue; `sequence` counts the closes of
    the archive. `keys` lead from what names a file to its archived name; `versions` are those of
    all that can change a byte, `fonts` the hashes of the font files by name. `correcting` is what a
    correction corrects.
    """

    cycle: BillingCycle
    sealed_at: datetime
    enterprise: str = ""
    sequence: int = 1
    rules_version: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)
    fonts: Mapping[str, str] = field(default_factory=dict)
    previous_seal: str | None = None
    people: People = People()
    accepted: tuple[Accepted, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    correcting: Correcting | None = None

    @property
    def issued(self) -> date:
        """The day that stands on the documents."""
        return self.sealed_at.date()

    @property
    def issue(self) -> Issue:
        """What documents say of it."""
        reasons: dict[str, str] = {one.condition: one.reason for one in self.accepted}
        return Issue(issued=self.issued, previous_seal=self.previous_seal, accepted=reasons)


def of_figures(
    statement: Statement, allocations: Iterable[Allocation], card: RateCard, terms: Terms
) -> list[Refusal]:
    """Judge what the cycle came to."""
    return [
        *_not_tied_out(statement),
        *_unpriced(statement),
        *_unallocated(statement, allocations, terms),
        *_discrepancies(statement),
        *_other_than_the_vendor(statement, card),
    ]


def of_time(statement: Statement, terms: Terms, today: date) -> list[Refusal]:
    """Judge whether the cycle is over, and has been for long enough."""
    cycle = statement.heading.cycle
    if statement.heading.cycle_open:
        message = "the billing cycle had not ended when its consumption was collected"
        hint = "collect it again once it is over: `close --refresh` does"
        return [Refusal(condition="open", message=message, hint=hint, acceptable=False)]
    days = days_between(cycle.end, today)
    if days >= terms.settle_days:
        return []
    message = f"it ended {_days(days)} ago, and {_days(terms.settle_days)} are given to the vendor"
    hint = "wait until past days are no longer restated"
    return [Refusal(condition="settling", message=message, hint=hint)]


def of_people(people: People, terms: Terms) -> list[Refusal]:
    """Judge who prepared and who approved it, where a second person is asked for."""
    if terms.approval != "required":
        return []
    named = {"--prepared-by": people.prepared_by, "--approved-by": people.approved_by}
    if missing := [option for option, name in named.items() if not name]:
        message = f"an approval is required, and there is no {' and no '.join(missing)}"
        return [_unapproved(message, "name who prepared the cycle, and who approved it")]
    if len({_compared(name) for name in named.values() if name}) == 1:
        message = f"{quoted(people.approved_by)} prepared the cycle as well"
        return [_unapproved(message, "let somebody else approve it")]
    return []


def of_order(
    cycle: BillingCycle, still_open: Iterable[date], closed: Iterable[date]
) -> list[Refusal]:
    """Judge whether cycles are closed one after the other; days are those on which they start."""
    earlier = sorted(start for start in still_open if start < cycle.start)
    later = sorted(start for start in closed if start > cycle.start)
    if earlier:
        message = f"the cycles before it are still open: {some(earlier)}"
        return [Refusal(condition="order", message=message, hint="close them first")]
    if later:
        message = f"later cycles are closed already: {some(later)}"
        hint = "nothing but the order of sealing can be mended now"
        return [Refusal(condition="order", message=message, hint=hint)]
    return []


def of_drift(restated: Iterable[Problem]) -> list[Refusal]:
    """Judge what a fresh look at the vendor's figures says."""
    hint = "--refresh collects the cycle again"
    return [Refusal(condition="drift", message=problem.message, hint=hint) for problem in restated]


def of_folder(strangers: Sequence[str]) -> list[Refusal]:
    """Judge whether the draft's folder holds nothing but what drafts have written."""
    if not strangers:
        return []
    message = f"its folder holds what no draft has written: {some(strangers, quoted)}"
    hint = "move it elsewhere: a closed folder holds nothing but what it was closed with"
    return [Refusal(condition="foreign", message=message, hint=hint, acceptable=False)]


def _not_tied_out(statement: Statement) -> list[Refusal]:
    if statement.tie_out.holds:
        return []
    message, hint = "the tie-out is not zero", "report this: it must never happen"
    return [Refusal(condition="tie-out", message=message, hint=hint, acceptable=False)]


def _unpriced(statement: Statement) -> list[Refusal]:
    acus = statement.tie_out.unpriced_acus
    if not acus:
        return []
    message = f"{shown(acus)} ACUs have no price"
    hint = 'give their products a price, or a price to "*", any other product'
    return [Refusal(condition="unpriced", message=message, hint=hint, acceptable=False)]


def _unallocated(
    statement: Statement, allocations: Iterable[Allocation], terms: Terms
) -> list[Refusal]:
    """Compare what no rule covers with the limit; gross, so that credits hide nothing."""
    acus = total(one.quantity.copy_abs() for one in allocations if one.kind == "unallocated")
    control = total(row.control.copy_abs() for row in statement.tie_out_rows)
    if acus <= multiply(control, terms.unallocated_limit):
        return []
    part = ratio(multiply(acus, HUNDRED), control, 2)
    share = "" if part is None else f" ({plain(part)}%)"
    limit = f"{plain(multiply(terms.unallocated_limit, HUNDRED))}%"
    message = f"{shown(acus)} of {shown(control)} ACUs{share} have no rule; the limit is {limit}"
    hint = "give them rules (`check --cycle` lists them), or set `close: {unallocated_limit: …}`"
    return [Refusal(condition="unallocated", message=message, hint=hint)]


def _discrepancies(statement: Statement) -> list[Refusal]:
    count = len(statement.discrepancies)
    if not count:
        return []
    message = f"views of the API disagree in {count} {'cell' if count == 1 else 'cells'}"
    hint = "the statement lists them; ask the vendor"
    return [Refusal(condition="discrepancy", message=message, hint=hint)]


def _other_than_the_vendor(statement: Statement, card: RateCard) -> list[Refusal]:
    invoice = card.vendor_invoices.get(statement.heading.cycle.start)
    return [
        Refusal(condition="vendor", message=problem.message, hint="ask the vendor")
        for problem in vendor_difference(statement.tie_out, invoice)
    ]


def _unapproved(message: str, hint: str) -> Refusal:
    return Refusal(condition="approval", message=message, hint=hint, acceptable=False)


def _compared(name: str) -> str:
    """Write a name as it is compared: capitals and blanks make nobody another."""
    return normalize("NFKC", " ".join(name.split()).casefold())


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
