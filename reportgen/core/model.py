"""Every domain type, from the configuration to the statement.

    Mapping                     who bears what
      CostCenter
      Rule                      one key of mapping.yaml, with a value per date
        DatedSplit -> Split -> Share
        Flaw                    why rows of the HR export cannot be used
      UserFile                  what the HR export tells beside its rules
      Pool                      a cost center whose charges others share
    RateCard                    what an ACU costs, by one of:
      Price                     dated, per product
      Tier                      graduated, over the cycle's whole volume
      Recover                   the vendor's invoice, spread over the ACUs
      VendorInvoice             what the vendor asked for a cycle
      Fee, Transfer             what is charged besides usage
      MemoCurrency -> MemoRate  another currency under the total, dated

    RecordedResponse            one answer of the API, as received
    Directory                   who is who: Entry per principal, organization names, Session
      PullRequest               what a session has opened
    Views                       the API's overlapping views of one cycle, each a View
    SessionViews                what was asked about sessions only to show them
    Usage                       the disjoint decomposition of the control total
      UsageRecord               one cell of consumption (by the million)
      Discrepancy               where views contradict each other

    Allocation                  a cost center's part of a record, priced (by the million)
    Invoice                     a cost center's charges: InvoiceLine, PrincipalUsage, DetailRow
      LargestSessions           what its usage was for: SessionUse, and all other
      ByTag                     the same by the tags of sessions: TagUse
      AddressedLine             a line, and on whose invoice it stands
    ByOrganization              whose usage an organization's rule charged, for want of their own
    Statement                   the cycle over all: Heading, Unallocated, TieOut, TieOutRow
      UnallocatedPart           whose usage no rule covers
      ProductLabel              what a product is called in documents
      MissingView               what the API did not give of an endpoint
      Subtotal                  by department, entity, calendar month
      RunRate                   what an open cycle may come to
    Standing                    a closed cycle with the notes on it: StandingInvoice, StandingTotals
      Correcting                what is corrected, for which reason, from which amount on
      CreditNoteAmounts         what a note comes to, by CreditNoteLine
    IssuedCorrection            a correction, as the next close names it: IssuedNote
    Attachment                  a file inside a PDF
    CycleUnitCosts              what was bought, and what each of it cost
      UnitCosts -> Counted      of a cost center, a department, the enterprise
    CycleTotals                 what a statement came to, kept to be compared with
      Variance                  the changes between two: CostCenterChange, Change
      Moved                     whose usage another cost center bears, or bore nobody before
    YearToDate                  what the fiscal year has come to

Quantities are ACUs, amounts are in the rate card's currency; both are Decimal and never rounded
here. An empty string stands for "none" in the two bulk types (they are sorted, and None does not
sort); elsewhere None does.
"""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from reportgen.core.cycle import BillingCycle
from reportgen.core.money import ZERO, total
from reportgen.core.problem import Problem

Level = Literal["session", "tag", "user", "org"]
PrincipalKind = Literal["user", "service_user"]
UsersShown = Literal["names", "pseudonyms", "none"]
"""How people are shown in documents."""
DetailShown = Literal["days", "sums"]
"""Whether the days of usage stand on paper."""
TieOutTold = Literal["own", "full"]
"""Whether the vendor's total stands on invoices as well, or on the statement alone."""
ExportName = Literal["csv", "focus", "journal", "parquet"]
"""What `export` makes of figures, and `close: {exports: […]}` seals with them."""
FocusVersion = Literal["1.2", "1.4"]
"""The versions of the FinOps Open Cost and Usage Specification that can be exported."""
DEFAULT_PRECEDENCE: tuple[Level, ...] = ("session", "user", "org")
ANY_PRODUCT = "*"
UNSPECIFIED = "unspecified"
"""The product of ACUs that the API reports on a day beyond the sum of its products."""
DEVIN, CASCADE_TERMINAL = "devin", "cascade+terminal"
"""The products of v2, which tells none: what is tied to an organization, and everything else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CostCenter:
    """Who is charged, and where that is declared; `closed` is the last billing day that can be.

    `fields` are what the head of its documents names besides, each with its label, as written.
    """

    code: str
    name: str
    department: str | None = None
    entity: str | None = None
    contacts: tuple[str, ...] = ()
    gl_account: str | None = None
    cycle_budget: Decimal | None = None
    year_budget: Decimal | None = None
    fields: tuple[tuple[str, str], ...] = ()
    locale: str | None = None
    closed: date | None = None
    source: str = ""


class Share(NamedTuple):
    """A part of a split: a fraction of 1, or a whole-number weight; `text` is how it is printed."""

    cost_center: str
    weight: Decimal
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Who bears a record. Fractions multiply exactly; `by_weight` shares are apportioned."""

    shares: tuple[Share, ...]
    by_weight: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaw:
    """Why rows of the HR export say nothing that can be used.

    It is told where usage needs them: a whole company's list holds many that nobody needs. `kind`
    is what such rows have in common, `word` what is wrong in this one: the code that is not
    declared, the text that names several, the key of whom no cost center is told.
    """

    kind: Literal[
        "undeclared", "several", "untold", "contradiction", "shares", "rows", "unreadable"
    ]
    word: str
    problem: Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedSplit:
    """What a key means from a billing day on; a `split` of None falls through to the next level.

    A `silent` value says nothing, as before the first date: the next rule of the level decides. One
    with a `flaw` that is no warning cannot be used.
    """

    start: date
    split: Split | None
    source: str
    silent: bool = False
    flaw: Flaw | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One key of the mapping; `values` are in order of their start."""

    section: Literal["users", "user_file", "service_users", "sessions", "tags", "orgs"]
    key: str
    values: tuple[DatedSplit, ...]
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UserFile:
    """What the HR export tells beside its rules.

    `names` are by user id, or by e-mail as it is compared; `source` is the file and the line of its
    columns, all of which `columns` names.
    """

    rows: int
    names: MappingOf[str, str]
    source: str
    columns: tuple[str, ...] = ()


PoolBasis = Literal["proportional", "even", "shares"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """A cost center whose whole amount the others share.

    In proportion to their usage charges, evenly among those that have any, or as `split` says.
    """

    cost_center: str
    basis: PoolBasis
    split: Split | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """Cost centers by code, the rules, and who bears what no rule covers."""

    cost_centers: tuple[CostCenter, ...]
    rules: tuple[Rule, ...]
    user_file: UserFile | None = None
    precedence: tuple[Level, ...] = DEFAULT_PRECEDENCE
    unallocated: str | None = None
    unallocated_source: str = ""
    pools: tuple[Pool, ...] = ()


class Price(NamedTuple):
    """A price per ACU from a billing day on."""

    start: date
    unit_price: Decimal
    source: str


class Tier(NamedTuple):
    """The price per ACU of the volume up to so many ACUs; the last tier has no end."""

    up_to: Decimal | None
    unit_price: Decimal
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recover:
    """The vendor's invoice is spread over the ACUs; a product not in `weights` weighs 1."""

    weights: MappingOf[str, Decimal] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fee:
    """An amount, or a part of the usage amounts (`fraction` of 1), charged on top.

    `to` are codes; None stands for each cost center with usage.
    """

    name: str
    amount: Decimal | None = None
    fraction: Decimal | None = None
    to: tuple[str, ...] | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """An amount that one cost center takes over from another in the cycle that starts on a day."""

    cycle: date
    giver: str
    receiver: str
    amount: Decimal
    reason: str
    source: str = ""


class MemoRate(NamedTuple):
    """Units of another currency per unit of the card's, from a cycle's first day on."""

    start: date
    units: Decimal
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoCurrency:
    """Another currency of a cost center's total."""

    currency: str
    decimals: int
    rates: tuple[MemoRate, ...]
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class VendorInvoice:
    """What the vendor invoiced for a cycle, net of tax; `acus` with the decimals written on it."""

    number: str
    amount: Decimal | None
    acus: Decimal | None
    source: str
    document: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RateCard:
    """What an ACU costs: prices per product and start, tiers, or the vendor's invoice recovered.

    `decimals` are the currency's.
    """

    currency: str
    decimals: int
    prices: MappingOf[str, tuple[Price, ...]] = field(default_factory=dict)
    tiers: tuple[Tier, ...] = ()
    recover: Recover | None = None
    fees: tuple[Fee, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    memo_currencies: MappingOf[str, MemoCurrency] = field(default_factory=dict)
    vendor_invoices: MappingOf[date, VendorInvoice] = field(default_factory=dict)
    contract: str | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedResponse:
    """One answer as received; `source` is its file:line.

    `request` is path and query sorted by key, without a method, as every request is a GET: so it
    stands in views, records and the ledger. The evidence alone writes `GET` before it.
    """

    request: str
    status: int
    fetched_at: str
    body: str
    source: str = ""


class Principal(NamedTuple):
    """A user or service user."""

    kind: PrincipalKind
    id: str


Pair = tuple[str, Principal]
"""An organization, and a principal that may have worked in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is known of a principal; `number` stands for them where documents name nobody."""

    principal: Principal
    email: str | None = None
    name: str | None = None
    number: int | None = None


class PullRequest(NamedTuple):
    """A pull request that a session opened, and its state when the API was asked, if it told."""

    url: str
    state: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Whose session it is; the id carries the prefix `devin-`.

    Where the API names two owners, none is told apart: both are in `claimed_by`. `lifetime_acus`
    are what it used since it was `created`, whichever cycles that was in: an upper bound of what it
    used in one, and None where the list tells no number. It was last `updated` on a billing day.
    """

    session_id: str
    org_id: str
    principal: Principal | None = None
    tags: tuple[str, ...] = ()
    claimed_by: tuple[Principal, ...] = ()
    title: str = ""
    url: str = ""
    status: str = ""
    pull_requests: tuple[PullRequest, ...] = ()
    lifetime_acus: Decimal | None = None
    created: date | None = None
    updated: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Who is who, as far as the API told."""

    entries: MappingOf[Principal, Entry] = field(default_factory=dict)
    organizations: MappingOf[str, str] = field(default_factory=dict)
    sessions: MappingOf[str, Session] = field(default_factory=dict)


Cell = tuple[date, str]
"""A billing day and a product."""

Quantities = MappingOf[Cell, Decimal]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """ACUs per billing day and product, and the requests whose answers gave them: mostly one."""

    requests: tuple[str, ...]
    quantities: Quantities


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """The overlapping views of one cycle; what is missing here is unknown, never zero."""

    enterprise: View
    organizations: MappingOf[str, View] = field(default_factory=dict)
    principals: MappingOf[Principal, View] = field(default_factory=dict)
    pairs: MappingOf[Pair, View] = field(default_factory=dict)
    sessions: MappingOf[str, View] = field(default_factory=dict)
    unspecified_within_tolerance: Decimal = ZERO


SessionsUnknown = Literal[
    "",
    "not wanted",
    "not asked",
    "no totals",
    "no daily views",
    "no products",
    "refused",
    "refused half-way",
    "list incomplete",
    "contradicted",
]
"""Why it is not known which sessions of a cost center are the largest; empty where it is.

Nobody wants to see any; the API was not asked about all that may be among them; its list has 0.0
for every session; its version has no answer by session; it refused the list, or every session; some
of the sessions that may be among them; its list broke off; or credits, or a session that two
people own, leave open whose usage is whose.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionViews:
    """What the API said of sessions that it was asked about to show them, by their ids.

    `unknown` says of which cost centers the largest are not known for certain, and why; `wholly`
    why they are of none; `tagged` why not all are known with tags that are looked for. Nothing of
    this moves an ACU: `Views` alone decide who bears what.
    """

    views: MappingOf[str, View] = field(default_factory=dict)
    unknown: MappingOf[str, SessionsUnknown] = field(default_factory=dict)
    wholly: SessionsUnknown = "not asked"
    tagged: SessionsUnknown = "not asked"


class UsageRecord(NamedTuple):
    """One disjoint cell of consumption. `requests` are the answers that prove it."""

    day: date
    product: str
    org_id: str
    principal_kind: str
    principal_id: str
    session_id: str
    quantity: Decimal
    requests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Discrepancy:
    """A finer view that exceeds a coarser one by `-acus`; the requests of `views` disagree."""

    day: date
    product: str
    org_id: str
    principal_id: str
    acus: Decimal
    views: tuple[str, ...]
    accepted: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """A partition of the control total: the `records` add up to `control`, cell by cell."""

    control: Quantities
    records: Sequence[UsageRecord]
    balancing: Quantities
    discrepancies: tuple[Discrepancy, ...] = ()
    within_tolerance: Decimal = ZERO


class Allocation(NamedTuple):
    """The part of a record that a cost center bears; `cost_center` is empty where nobody does.

    `unit_price` is None before rating, and after it where the rate card has no price.
    """

    record: UsageRecord
    cost_center: str
    kind: Literal["usage", "unallocated"]
    cause: str
    rule: str
    share: str
    quantity: Decimal
    unit_price: Decimal | None = None
    rate: str = ""
    exact_amount: Decimal = ZERO


LineKind = Literal["usage", "unallocated", "fee", "transfer", "pool"]
LineKey = tuple[str, str, Decimal | None]
"""Kind, product and unit price: what tells the lines of usage of an invoice apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceLine:
    """What a cost center is charged for one thing, rounded once: exact amount + rounding.

    Usage and unallocated: the allocations of one `product` and `unit_price`. Fee, transfer and pool
    have a `name` instead, a `counterpart` (the other cost center, where there is one), and a
    `share` with its `basis`.
    """

    kind: LineKind
    product: str = ""
    acus: Decimal = ZERO
    unit_price: Decimal | None = None
    exact_amount: Decimal
    amount: Decimal
    name: str = ""
    counterpart: str | None = None
    share: str | None = None
    basis: PoolBasis | None = None
    source: str = ""

    @property
    def of_usage(self) -> bool:
        """Tell whether ACUs stand behind the line."""
        return self.kind in {"usage", "unallocated"}

    @property
    def line_key(self) -> LineKey:
        """Kind, product and unit price: what tells the lines of usage of an invoice apart."""
        return self.kind, self.product, self.unit_price

    @property
    def left_over(self) -> bool:
        """Tell whether nothing is behind it but what a correction could not take back."""
        return self.of_usage and not self.exact_amount and bool(self.amount)


class AddressedLine(NamedTuple):
    """A line, and the code of the cost center on whose invoice it stands."""

    cost_center: str
    line: InvoiceLine


class DetailRow(NamedTuple):
    """What a principal used of a product on a day in an organization, as far as borne here."""

    day: date
    product: str
    org_id: str
    principal_kind: str
    principal_id: str
    kind: str
    acus: Decimal
    unit_price: Decimal | None
    exact_amount: Decimal

    @property
    def line_key(self) -> LineKey:
        """Kind, product and unit price of the line that the row is part of."""
        return self.kind, self.product, self.unit_price


@dataclass(frozen=True, kw_only=True, slots=True)
class PrincipalUsage:
    """A principal's part of an invoice; where nobody is known, the organization's (or nobody's).

    `amount` is apportioned from the lines, so that the column foots.
    """

    org_id: str
    principal_kind: str
    principal_id: str
    acus: Decimal
    by_product: MappingOf[str, Decimal]
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionUse:
    """A cost center's part of a session: ACUs of `devin` in the cycle, and what they cost.

    From the first day to the last of that part. `principal_kind` and `principal_id` are empty where
    the API does not tell whose session it is. `amount` is apportioned from the invoice's lines.
    """

    session_id: str
    org_id: str
    principal_kind: str
    principal_id: str
    first_day: date
    last_day: date
    acus: Decimal
    amount: Decimal
    title: str = ""
    tags: tuple[str, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LargestSessions:
    """The largest sessions of a cost center, the largest first, and everything else of `devin`.

    Both add up to the invoice's lines of that product, usage and unallocated. Where it is not known
    which are the largest, `unknown` says why: half-way, or by an incomplete list, those that are
    known stand here all the same, and others may be larger; else none does.
    """

    sessions: tuple[SessionUse, ...] = ()
    other_acus: Decimal = ZERO
    other_amount: Decimal = ZERO
    unknown: SessionsUnknown = "not asked"

    @property
    def acus(self) -> Decimal:
        """All that the cost center bears of the product."""
        return total((self.other_acus, *(session.acus for session in self.sessions)))

    @property
    def amount(self) -> Decimal:
        """What all that costs."""
        return total((self.other_amount, *(session.amount for session in self.sessions)))


class TagUse(NamedTuple):
    """What sessions used of `devin` that have the same of the tags which are looked for.

    As far as a cost center bears it. Without `tags` it is everything else, which is not counted in
    sessions.
    """

    tags: tuple[str, ...]
    sessions: int
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ByTag:
    """A cost center's `devin` by tags of sessions that match `patterns`, everything else last.

    The rows add up to the invoice's lines of that product; a session stands in one of them, however
    many of its tags match. `unknown` says why sessions with such tags may stand with everything
    else; where nothing is known of any, there are no rows.
    """

    patterns: tuple[str, ...]
    rows: tuple[TagUse, ...] = ()
    unknown: SessionsUnknown = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subtotal:
    """ACUs and amount of a department, an entity or a calendar month; an empty name is none."""

    name: str
    acus: Decimal
    amount: Decimal
    cost_centers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Memo:
    """A total in another currency, at `rate` of its units per unit of the card's; never charged."""

    currency: str
    decimals: int
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoice:
    """What a cost center is charged; `number` is None without a line: nothing is issued then.

    `acus` are what usage rules gave, `borne_acus` everything on the invoice, what is borne for
    nobody included.
    """

    cost_center: CostCenter
    number: str | None
    lines: tuple[InvoiceLine, ...] = ()
    acus: Decimal = ZERO
    by_product: MappingOf[str, Decimal] = field(default_factory=dict)
    amount: Decimal = ZERO
    borne_acus: Decimal = ZERO
    by_principal: tuple[PrincipalUsage, ...] = ()
    detail: Sequence[DetailRow] = ()
    by_month: tuple[Subtotal, ...] = ()
    memo: Memo | None = None
    sessions: LargestSessions = LargestSessions()
    by_tag: ByTag | None = None


class ByOrganization(NamedTuple):
    """What somebody without a rule of their own used, and whom their organization's rule charged.

    `rule` is that rule (file:line); `passed_on` the `none` by which their own left it to that.
    Where nobody is told apart, the ids are empty and `people` are counted, over all products.
    """

    org_id: str
    principal_kind: str
    principal_id: str
    product: str
    cost_center: str
    rule: str
    passed_on: str
    acus: Decimal
    amount: Decimal
    people: int = 1


class UnallocatedPart(NamedTuple):
    """What somebody used that no rule covers, over all products; an organization where no user is.

    Where nobody is known all ids are empty. Where people are not told apart theirs are empty too,
    and they are counted.
    """

    cause: str
    org_id: str
    principal_kind: str
    principal_id: str
    acus: Decimal
    amount: Decimal
    people: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Unallocated:
    """What no rule covers; `cost_center` bears it, or nobody does: `source` is where that is said.

    The `parts` say whose it is: by cause, the largest amount first.
    """

    cost_center: str | None
    acus: Decimal
    amount: Decimal
    by_product: MappingOf[str, Decimal]
    by_cause: MappingOf[str, Decimal]
    parts: tuple[UnallocatedPart, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpriced:
    """A product without a price, its ACUs, gross, and where the prices are written."""

    product: str
    acus: Decimal
    source: str = ""


class TieOutRow(NamedTuple):
    """The partition on one day and product: control = allocated + unallocated + difference."""

    day: date
    product: str
    control: Decimal
    allocated: Decimal
    unallocated: Decimal
    difference: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TieOut:
    """The proof that nothing is lost: ACUs against control, amounts against the chargeable.

    `unpriced_acus` are charged to nobody, as the rate card has no price for them: a known loss.
    """

    control_acus: Decimal
    allocated_acus: Decimal
    unallocated_acus: Decimal
    difference_acus: Decimal
    within_tolerance_acus: Decimal
    balancing_acus: Decimal
    balancing_by_product: MappingOf[str, Decimal]
    chargeable_amount: Decimal
    fees_amount: Decimal
    invoiced_amount: Decimal
    unborne_amount: Decimal
    difference_amount: Decimal
    vendor_invoice_acus: Decimal | None
    vendor_invoice_amount: Decimal | None
    over_recovery_amount: Decimal | None
    unpriced_acus: Decimal

    @property
    def holds(self) -> bool:
        """Tell whether both differences are zero."""
        return not self.difference_acus and not self.difference_amount


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductTotals:
    """What a cost center was charged of a product."""

    acus: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class CostCenterTotals:
    """What an invoice came to, and whose usage is on it, sorted; `acus` are all that it bears.

    `used` is what the usage of each came to, exactly, where that is known.
    """

    name: str
    acus: Decimal = ZERO
    amount: Decimal = ZERO
    by_product: MappingOf[str, ProductTotals] = field(default_factory=dict)
    principals: tuple[Principal, ...] = ()
    used: MappingOf[Principal, ProductTotals] = field(default_factory=dict)


class Counted(NamedTuple):
    """How many there are for certain, and how many there may be at most."""

    known: int = 0
    at_most: int = 0


NONE_COUNTED = Counted()
NotCounted = Literal["refused", "broken off", "no lifetimes", "no products"]
"""Why sessions cannot be counted.

Their list was refused or broke off, it has no ACUs of any session, or the API told no products.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCosts:
    """Sessions that used ACUs in a cycle, their pull requests, and those of them that were merged.

    `acus` and `amount` are those of the product that sessions use.
    """

    sessions: Counted = NONE_COUNTED
    pull_requests: Counted = NONE_COUNTED
    merged: Counted = NONE_COUNTED
    acus: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleUnitCosts:
    """What was bought in a cycle: by cost center, by department ("" is none), and as a whole.

    `as_of` is when the sessions were listed, in ISO 8601. Where they cannot be counted,
    `not_counted` says why, and there are no figures.
    """

    as_of: str = ""
    not_counted: NotCounted | None = None
    by_cost_center: MappingOf[str, UnitCosts] = field(default_factory=dict)
    by_department: MappingOf[str, UnitCosts] = field(default_factory=dict)
    enterprise: UnitCosts = field(default_factory=UnitCosts)


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleTotals:
    """What a statement came to, as far as others are compared with it; `seal` where it is closed.

    Of a cycle older than the one before, only amounts and ACUs are kept: no products, and nobody's
    usage.
    """

    cycle: BillingCycle
    status: Literal["draft", "closed"]
    currency: str
    decimals: int
    control_acus: Decimal
    invoiced_amount: Decimal
    cost_centers: MappingOf[str, CostCenterTotals]
    seal: str | None = None
    unit_costs: CycleUnitCosts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class YearToDate:
    """What a fiscal year has come to, the cycle included: as a whole, and by cost center.

    A cycle belongs to the year that its first billing day lies in; `begins` is the first day of the
    year, `since` that of the first of the `cycles`. `preliminary` says that one of those before is
    a draft. Where nobody knows what cycles of the year came to, `missing` has the days on which
    they begin, and there are no sums.
    """

    begins: date
    since: date
    cycles: int
    preliminary: bool = False
    missing: tuple[date, ...] = ()
    acus: Decimal = ZERO
    amount: Decimal = ZERO
    by_cost_center: MappingOf[str, ProductTotals] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A cost center's figures in two statements; a product of "" stands for the whole invoice."""

    cost_center: str
    product: str
    before: ProductTotals
    after: ProductTotals
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class CostCenterChange:
    """What changed for a cost center: as a whole, by product, and whose usage came or went."""

    cost_center: str
    name: str
    whole: Change
    by_product: tuple[Change, ...] = ()
    new: tuple[Principal, ...] = ()
    vanished: tuple[Principal, ...] = ()


class Moved(NamedTuple):
    """What a cost center bears of somebody's usage who was borne by others in the cycle before.

    `givers` are those others, `rules` (file:line) what brought it here; none: no rule assigns it. A
    `receiver` of "" is nobody. Where nobody is told apart, ids are empty and `people` are counted.
    Of somebody who is new there are no givers; of somebody who used nothing any more there is no
    receiver, and it is what the givers bore before.
    """

    principal_kind: str
    principal_id: str
    givers: tuple[str, ...]
    receiver: str
    rules: tuple[str, ...]
    acus: Decimal
    amount: Decimal
    people: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Variance:
    """A statement against that of the cycle before; people stand the largest amount first.

    `moved` are those whom another cost center bears, `arrived` those whom none bore before, and
    `departed` those of whom there is nothing to bear any more.
    """

    previous: CycleTotals
    acus: Decimal
    amount: Decimal
    by_cost_center: MappingOf[str, CostCenterChange]
    moved: tuple[Moved, ...] = ()
    arrived: tuple[Moved, ...] = ()
    departed: tuple[Moved, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRate:
    """What an open cycle comes to at the pace of its first days: an estimate, charged nowhere."""

    elapsed_days: Decimal
    days: int
    amount: Decimal
    by_cost_center: MappingOf[str, Decimal]


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingView:
    """What the API did not give of an endpoint, whose path is `request`, with `{id}` for ids.

    Refused: `count` questions were answered with `status`; half-way, if others of the `whole` were
    answered. Not asked: as many were beyond what is asked; unaskable: their ids fit no address.
    Broken off: a list ended after `count` items of `whole`, where it says how many it has.
    """

    request: str
    reason: Literal["refused", "refused half-way", "not asked", "unaskable", "broken off"]
    count: int
    status: int | None = None
    whole: int | None = None

    @property
    def message(self) -> str:
        """Why it is missing, and how much of it."""
        if self.reason == "refused":
            return f"{self.count} answered {self.status}"
        if self.reason == "refused half-way":
            return f"refused half-way, {self.count} of {self.whole} answered {self.status}"
        if self.reason == "not asked":
            return f"{self.count} not asked"
        if self.reason == "unaskable":
            return f"{self.count} not asked, as no address can hold the id"
        of_all = "" if self.whole is None else f" of {self.whole}"
        return f"the list broke off after {self.count}{of_all}"

    @property
    def text(self) -> str:
        """What documents and messages say: the request, and the message."""
        return f"GET {self.request}: {self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """What a close says on every document: the day, and the seal of the close before it, if any.

    `accepted` leads from conditions that were not met to the reasons for closing all the same.
    """

    issued: date
    previous_seal: str | None = None
    accepted: MappingOf[str, str] = field(default_factory=dict)


class ProductLabel(NamedTuple):
    """What a product is called in documents, its own name where empty, and what it is."""

    product: str
    label: str = ""
    meaning: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """What stands above every document of a cycle.

    `cycle_open` says that the evidence was collected before the cycle ended; for want of the
    `missing_views` the decomposition is coarser than it could be; `elapsed_seconds` is how much of
    the cycle the evidence covers. `effective_prices` says that one amount is spread over the cycle,
    so that a unit price is only what that comes to. `issue` is there once the cycle is closed;
    until then `mark` tells two drafts of a document apart. `contact` is whom questions go to,
    `products` are what the configuration says of them.
    `correction` is the number of the correction that brought a closed cycle to these figures, and
    `corrected_for` its reason.
    """

    enterprise: str
    status: Literal["draft", "closed"]
    cycle: BillingCycle
    currency: str
    decimals: int
    cycle_open: bool = False
    elapsed_seconds: int = 0
    effective_prices: bool = False
    contract: str | None = None
    contact: str | None = None
    products: tuple[ProductLabel, ...] = ()
    missing_views: tuple[MissingView, ...] = ()
    issue: Issue | None = None
    mark: str = ""
    correction: int | None = None
    corrected_for: str = ""

    @property
    def refused_half_way(self) -> bool:
        """Whether the API refused views of a kind that it answered for others."""
        return any(view.reason == "refused half-way" for view in self.missing_views)


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingInvoice:
    """What a cost center was charged in a closed cycle, every note on it included.

    `number` is that of its invoice, None where it has none; `notes` are those issued so far.
    """

    number: str | None
    notes: tuple[str, ...] = ()
    lines: tuple[InvoiceLine, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingTotals:
    """The terms of a cycle's tie-out that a correction compares; `invoiced` is as issued."""

    control_acus: Decimal
    chargeable_amount: Decimal
    fees_amount: Decimal
    unborne_amount: Decimal
    invoiced_amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A closed cycle as it stands, with every note that was issued since.

    `folder` and `seal` are those of the close, or of the correction, that it stands by. Invoices
    are by code, what nobody bears under an empty one. `effective_prices` says that one amount was
    spread over the cycle, so that a unit price tells no two lines apart.
    """

    folder: str
    seal: str
    currency: str
    decimals: int
    effective_prices: bool
    totals: StandingTotals
    invoices: MappingOf[str, StandingInvoice]


@dataclass(frozen=True, kw_only=True, slots=True)
class Correcting:
    """A correction: of what, its number, the reason, and which files were edited for it.

    Notes whose lines come to less than `minimum`, gross, are listed and not issued.
    """

    number: int
    reason: str
    minimum: Decimal
    standing: Standing
    edited: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditNoteLine:
    """A line of the invoice that changed: as it stood, as it stands now, and the difference.

    Usage has a `product` and its `unit_price` (None where it is only what one amount comes to); a
    fee, a transfer or a part of a pool a `name`.
    """

    kind: LineKind = "usage"
    product: str = ""
    name: str = ""
    counterpart: str | None = None
    unit_price: Decimal | None = None
    before_acus: Decimal = ZERO
    after_acus: Decimal = ZERO
    acus: Decimal = ZERO
    before_amount: Decimal
    after_amount: Decimal
    amount: Decimal

    @property
    def of_usage(self) -> bool:
        """Tell whether ACUs stand behind the line."""
        return self.kind in {"usage", "unallocated"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditNoteAmounts:
    """What a note charges, by lines and in total; `earlier` are the notes on the same invoice."""

    number: str
    lines: tuple[CreditNoteLine, ...]
    amount: Decimal
    earlier: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["credit", "debit"]:
        """Tell which it is: a debit note charges something, a credit note does not."""
        return "debit" if self.amount > 0 else "credit"


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedNote:
    """A note of a correction: its number, its cost center, and what it charges."""

    number: str
    cost_center: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedCorrection:
    """A correction of an earlier cycle, as the close after it names it."""

    folder: str
    seal: str
    issued: date
    reason: str
    currency: str
    decimals: int
    notes: tuple[IssuedNote, ...]

    @property
    def amount(self) -> Decimal:
        """What all its notes come to."""
        return total(note.amount for note in self.notes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """The cycle over all cost centers, every declared one included, in the order of their codes.

    `earlier` are the cycles that it follows on, oldest first: at most five, without a gap, in its
    currency. `corrections` are those of other cycles that were issued since the close before. The
    vendor's invoice has a number, and a file where one is named.
    """

    heading: Heading
    control_by_product: MappingOf[str, Decimal]
    invoices: tuple[Invoice, ...]
    unallocated: Unallocated
    discrepancies: tuple[Discrepancy, ...]
    tie_out: TieOut
    tie_out_rows: tuple[TieOutRow, ...]
    by_department: tuple[Subtotal, ...] = ()
    by_entity: tuple[Subtotal, ...] = ()
    by_month: tuple[Subtotal, ...] = ()
    by_organization: tuple[ByOrganization, ...] = ()
    variance: Variance | None = None
    run_rate: RunRate | None = None
    earlier: tuple[CycleTotals, ...] = ()
    year_to_date: YearToDate | None = None
    corrections: tuple[IssuedCorrection, ...] = ()
    unpriced: tuple[Unpriced, ...] = ()
    unit_costs: CycleUnitCosts | None = None
    vendor_number: str = ""
    vendor_document: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file inside a PDF; `relationship` to the document as ISO 32000-2 has it."""

    name: str
    media_type: str
    description: str
    relationship: Literal["Alternative", "Data", "Source", "Supplement"]
    content: bytes
