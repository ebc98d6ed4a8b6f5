"""The shape of the three configuration files, validated by pydantic; its wording is never shown.

Values arrive as text (see `yamldoc`) and are read by the types of `fields`.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from reportgen.core.model import DEFAULT_PRECEDENCE
from reportgen.sources.config.currency import minor_unit
from reportgen.sources.config.fields import (
    Account,
    Accounts,
    Amount,
    ApiName,
    ApprovalName,
    ArchiveMode,
    CalendarMonth,
    Code,
    Color,
    Contact,
    ContractDay,
    CurrencyCode,
    DatedPrice,
    DateForm,
    Day,
    DayCount,
    DecimalCount,
    DetailForm,
    EachOnce,
    EmptyList,
    EmptyMap,
    Exported,
    FeeAmount,
    FeePart,
    FeeTargets,
    Flag,
    FocusVersionName,
    HiddenVariable,
    HostName,
    Key,
    Label,
    LayoutName,
    LevelName,
    LocaleCode,
    Mebibytes,
    MessageCount,
    NotNegative,
    Part,
    PathPrefix,
    PoolTarget,
    Port,
    Positive,
    RowCount,
    SecurityName,
    Segment,
    SessionCount,
    Shown,
    SignInName,
    SummaryName,
    TagPatterns,
    Targets,
    Text,
    TieOutExtent,
    UserTargets,
    Variable,
    WebAddress,
    Weight,
    WithDates,
)


class Section(BaseModel):
    """A mapping of known keys; `later` are keys of the contract that this version cannot honour."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    later: ClassVar[frozenset[str]] = frozenset()


class OrganizationSection(Section):
    """An organization with a credential of its own."""

    id: Key
    token_env: Variable


class SourceSection(Section):
    """Where consumption is read from."""

    api: ApiName = "v3"
    base_url: WebAddress = "https://api.devin.ai"
    token_env: Variable = "DEVIN_API_TOKEN"  # noqa: S105 - a name
    organizations: tuple[OrganizationSection, ...] = ()
    prefix: PathPrefix = "/v3"
    cycle_day: ContractDay | None = None
    replay: Text | None = None
    allow_plain: Flag = False
    max_answer_mib: Mebibytes = 64
    max_evidence_mib: Mebibytes = 4096


class InvoiceSection(Section):
    """How documents look."""

    number: Text = "CB-{{ cycle.start }}-{{ cost_center.code }}"
    locale: LocaleCode = "en"
    users: Shown = "names"
    detail: DetailForm = "days"
    max_detail_rows: RowCount = 1500
    max_rows: RowCount = 300
    sessions: SessionCount = 10
    tags: TagPatterns | None = None
    tie_out: TieOutExtent = "own"
    accent: Color = "#1f4e79"
    logo: Text | None = None
    fonts: Text | None = None
    note: Text | None = None
    contact: Text | None = None
    summaries: Annotated[tuple[SummaryName, ...], EachOnce] = ()

    @property
    def tag_patterns(self) -> tuple[str, ...]:
        """Give the patterns of the tags that usage is broken down by."""
        return (self.tags,) if isinstance(self.tags, str) else self.tags or ()


class CloseSection(Section):
    """What is asked of a close, and what is exported and sealed with it."""

    settle_days: DayCount = 3
    approval: ApprovalName = "optional"
    unallocated_limit: Part = Decimal("0.005")
    exports: Annotated[tuple[Exported, ...], EmptyList, EachOnce] = ()


class CorrectionsSection(Section):
    """From which amount on a credit or debit note is issued."""

    minimum: NotNegative = Decimal("0.01")


class FocusSection(Section):
    """By which version of its specification charges are exported (docs/exports.md)."""

    version: FocusVersionName = "1.2"


class JournalSection(Section):
    """How a cycle is booked, and what a ledger wants to be told besides (docs/exports.md)."""

    credit_account: Accounts
    credit_cost_center: Account | None = None
    entity: Account | None = None
    layout: LayoutName = "generic"
    split_periods: Flag = False
    closed_through: Day | None = None
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)] = (
        *("entity", "cost_center", "account"),
    )
    segment_separator: Text = "|"
    ledger: Account | None = None
    source: Account | None = None
    category: Account | None = None


class ClientCredentialsSection(Section):
    """Where a token for the mail server is asked for, and as whom."""

    token_url: WebAddress
    client_id: Text
    client_secret_env: HiddenVariable
    scope: Text


class EmailSection(Section):
    """How documents are mailed: over which server, signed in as whom, in whose name."""

    host: HostName
    port: Port | None = None
    security: SecurityName = "starttls"
    from_: Contact = Field(alias="from")
    reply_to: Contact | None = None
    bcc: Annotated[tuple[Contact, ...], EmptyList] = ()
    allow_plain: Flag = False
    per_minute: MessageCount | None = None
    auth: SignInName | None = None
    username_env: HiddenVariable | None = None
    password_env: HiddenVariable | None = None
    token_env: HiddenVariable | None = None
    token_command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    client_credentials: ClientCredentialsSection | None = None

    @property
    def sign_in(self) -> Literal["none", "password", "xoauth2"]:
        """Say how to sign in: as `auth` has it, else by password where one is named."""
        return self.auth or ("password" if self.password_env else "none")


class ProductSection(Section):
    """What a product is called in documents, and what it is."""

    label: Label | None = None
    meaning: Text | None = None


class ChargebackFile(Section):
    """chargeback.yaml."""

    enterprise: Text
    source: SourceSection = SourceSection()
    mapping: Text
    rates: Text
    archive: Text
    archive_mode: ArchiveMode = "owner"
    fiscal_year: CalendarMonth = 1
    templates: Text | None = None
    tolerance: NotNegative = Decimal("0.000001")
    invoice: InvoiceSection = InvoiceSection()
    products: Annotated[dict[Key, ProductSection], EmptyMap] = {}
    close: Annotated[CloseSection, EmptyMap] = CloseSection()
    corrections: Annotated[CorrectionsSection, EmptyMap] = CorrectionsSection()
    email: EmailSection | None = None
    focus: FocusSection = FocusSection()
    journal: JournalSection | None = None


class CostCenterSection(Section):
    """One cost center."""

    name: Text
    department: Text | None = None
    entity: Text | None = None
    contacts: tuple[Contact, ...] = ()
    gl_account: Text | None = None
    cycle_budget: NotNegative | None = None
    year_budget: NotNegative | None = None
    fields: Annotated[dict[Label, Text], EmptyMap] = {}
    locale: LocaleCode | None = None
    closed: Day | None = None


class CostCenterFileSection(Section):
    """Which columns of a table of cost centers say what, and how it is to be read.

    A column that no key names is found by the name of its key; without `fields`, all others are.
    """

    path: Text
    code: Text | None = None
    name: Text | None = None
    department: Text | None = None
    entity: Text | None = None
    contacts: Text | None = None
    gl_account: Text | None = None
    cycle_budget: Text | None = None
    year_budget: Text | None = None
    locale: Text | None = None
    closed: Text | None = None
    fields: Annotated[tuple[Text, ...] | None, EachOnce] = None
    sheet: Text | None = None
    date_format: DateForm | None = None

    def columns(self) -> dict[str, str]:
        """Give the names of columns that are written, by key."""
        others = {"path", "fields", "sheet", "date_format"}
        named = ((key, getattr(self, key)) for key in type(self).model_fields if key not in others)
        return {key: name for key, name in named if name}


class UserFileSection(Section):
    """Which columns of an HR export say what, and how it is to be read."""

    path: Text
    user: Text
    cost_center: Text
    from_: Text | None = Field(default=None, alias="from")
    until: Text | None = None
    share: Text | None = None
    name: Text | None = None
    sheet: Text | None = None
    date_format: DateForm | None = None

    def columns(self) -> list[str]:
        """List the columns that are read."""
        optional = (self.from_, self.until, self.share, self.name)
        return [self.user, self.cost_center, *filter(None, optional)]


class MappingFile(Section):
    """mapping.yaml."""

    cost_centers: Annotated[dict[Code, CostCenterSection], EmptyMap] = {}
    cost_center_file: CostCenterFileSection | None = None
    users: UserTargets = {}
    user_file: UserFileSection | None = None
    service_users: Targets = {}
    sessions: Targets = {}
    tags: Targets = {}
    orgs: Targets = {}
    pools: Annotated[dict[Code, PoolTarget], EmptyMap] = {}
    unallocated: Code | None = None
    precedence: Annotated[tuple[LevelName, ...], Field(min_length=1)] = DEFAULT_PRECEDENCE


class VendorInvoiceSection(Section):
    """What the vendor invoiced for a cycle."""

    number: Text
    amount: Amount | None = None
    acus: NotNegative | None = None
    document: Text | None = None


class TierSection(Section):
    """The price of the volume up to so many ACUs."""

    up_to: Positive | None = None
    price: NotNegative


class RecoverSection(Section):
    """How the vendor's invoice is spread over the ACUs."""

    weights: Annotated[dict[Key, Weight], EmptyMap] = {}


class FeeSection(Section):
    """What is charged besides usage: an amount or a percentage, not both.

    `to` is None for each cost center.
    """

    name: Text
    amount: FeeAmount | None = None
    percent: FeePart | None = None
    to: FeeTargets


class TransferSection(Section):
    """What one cost center takes over from another."""

    cycle: Day
    from_: Code = Field(alias="from")
    to: Code
    amount: Positive
    reason: Text


class MemoCurrencySection(Section):
    """A currency under the total, and beside it a rate per date."""

    currency: CurrencyCode
    rates: dict[Day, Positive] = Field(alias="=dates")


class RatesFile(Section):
    """rates.yaml; `rates` sees to it that there is exactly one of prices, tiers and recover."""

    currency: CurrencyCode
    currency_decimals: DecimalCount | None = None
    contract: Text | None = None
    prices: Annotated[dict[Key, DatedPrice], Field(min_length=1)] = {}
    tiers: Annotated[tuple[TierSection, ...], Field(min_length=1)] = ()
    recover: Annotated[RecoverSection | None, EmptyMap] = None
    fees: Annotated[tuple[FeeSection, ...], EmptyList] = ()
    transfers: Annotated[tuple[TransferSection, ...], EmptyList] = ()
    memo_currency: Annotated[dict[Code, Annotated[MemoCurrencySection, WithDates]], EmptyMap] = {}
    vendor_invoices: dict[Day, VendorInvoiceSection] = {}

    @property
    def decimals(self) -> int:
        """Give the decimals of an amount: those that are written here, or the currency's own."""
        written = self.currency_decimals
        return minor_unit(self.currency) if written is None else written
