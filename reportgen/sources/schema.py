"""The shape of the three configuration files, validated by pydantic; its wording is never shown.

Values arrive as text (see `yamldoc`) and are read by the types of `fields`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from reportgen.core.model import DEFAULT_PRECEDENCE
from reportgen.core.problem import Problem, did_you_mean, quoted
from reportgen.sources.fields import (
    DATES,
    STEPS,
    Amount,
    ApiName,
    Charged,
    Code,
    Color,
    Contact,
    ContractDay,
    CurrencyCode,
    DatedPrice,
    Day,
    EachOnce,
    EmptyList,
    EmptyMap,
    FeeAmount,
    FeePart,
    Key,
    LevelName,
    LocaleCode,
    PathPrefix,
    PoolTarget,
    Positive,
    Price,
    RowCount,
    Shown,
    SummaryName,
    Targets,
    Text,
    Variable,
    WebAddress,
    Weight,
    WithDates,
)
from reportgen.sources.yamldoc import Document, List, Node, Scalar, child


class Section(BaseModel):
    """A mapping of known keys; `later` are those of the contract that this version cannot honour yet."""

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


class InvoiceSection(Section):
    """How documents look."""

    number: Text = "CB-{{ cycle.start }}-{{ cost_center.code }}"
    locale: LocaleCode = "en"
    users: Shown = "names"
    max_detail_rows: RowCount = 1500
    accent: Color = "#1f4e79"
    logo: Text | None = None
    note: Text | None = None
    summaries: Annotated[tuple[SummaryName, ...], EachOnce] = ()


class ChargebackFile(Section):
    """chargeback.yaml."""

    later: ClassVar[frozenset[str]] = frozenset({"close", "corrections", "email", "journal"})
    enterprise: Text
    source: SourceSection = SourceSection()
    mapping: Text
    rates: Text
    archive: Text
    templates: Text | None = None
    tolerance: Price = Decimal("0.000001")
    invoice: InvoiceSection = InvoiceSection()


class CostCenterSection(Section):
    """One cost center."""

    name: Text
    department: Text | None = None
    entity: Text | None = None
    contacts: tuple[Contact, ...] = ()
    gl_account: Text | None = None
    cycle_budget: Price | None = None
    locale: LocaleCode | None = None
    closed: Day | None = None


class UserFileSection(Section):
    """Which columns of an HR export say what."""

    path: Text
    user: Text
    cost_center: Text
    from_: Text | None = Field(default=None, alias="from")


class MappingFile(Section):
    """mapping.yaml."""

    cost_centers: Annotated[dict[Code, CostCenterSection], Field(min_length=1)]
    users: Targets = {}
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
    acus: Price | None = None
    document: Text | None = None


class TierSection(Section):
    """The price of the volume up to so many ACUs."""

    up_to: Positive | None = None
    price: Price


class RecoverSection(Section):
    """How the vendor's invoice is spread over the ACUs."""

    weights: Annotated[dict[Key, Weight], EmptyMap] = {}


class FeeSection(Section):
    """What is charged besides usage: exactly one of an amount and a percentage; `to` is None for each cost center."""

    name: Text
    amount: FeeAmount | None = None
    percent: FeePart | None = None
    to: Charged


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
    """rates.yaml; `ratecard` sees to it that there is exactly one of prices, tiers and recover."""

    currency: CurrencyCode
    contract: Text | None = None
    prices: Annotated[dict[Key, DatedPrice], Field(min_length=1)] = {}
    tiers: Annotated[tuple[TierSection, ...], Field(min_length=1)] = ()
    recover: Annotated[RecoverSection | None, EmptyMap] = None
    fees: Annotated[tuple[FeeSection, ...], EmptyList] = ()
    transfers: Annotated[tuple[TransferSection, ...], EmptyList] = ()
    memo_currency: Annotated[dict[Code, Annotated[MemoCurrencySection, WithDates]], EmptyMap] = {}
    vendor_invoices: dict[Day, VendorInvoiceSection] = {}


F = TypeVar("F", bound=Section)
SENTENCES = {
    "missing": ("the key {key} is missing", "add it"),
    "too_short": ("{key} is empty", "write at least one entry"),
    "model_type": ("{key} takes keys and values", "write `key: value` lines below it"),
    "dict_type": ("{key} takes keys and values", "write `key: value` lines below it"),
    "tuple_type": ("{key} takes a list", "write it in brackets: [a, b]"),
}
"""What pydantic's error types mean to the user: message and hint."""
UNKNOWN_SENTENCE = ("{key} cannot be read", "compare it with the example configuration")


def validate(section: type[F], document: Document) -> tuple[F | None, list[Problem]]:
    """Give the typed file, or every problem of its shape with file:line."""
    try:
        return section.model_validate(_values(document.root)), []
    except ValidationError as error:
        return None, list(_problems(section, error.errors(include_url=False), document))


def _values(node: Node) -> Any:  # noqa: ANN401 - pydantic takes anything
    if isinstance(node, Scalar):
        return None if node.empty else node.text
    if isinstance(node, List):
        return [_values(child) for child in node.nodes]
    return {key.text: _values(value) for key, value in node.entries}


def _problems(section: type[Section], errors: list[ErrorDetails], document: Document) -> Iterator[Problem]:
    """Give a problem per error, but none for the value of a key that is wrong itself."""
    wrong_keys = [error["loc"][:-1] for error in errors if _is_about_key(error)]
    for error in errors:
        if not _is_about_key(error) and any(error["loc"][: len(key)] == key for key in wrong_keys):
            continue
        loc = tuple(_written(error["loc"], document.root))
        message, hint = _sentence(section, error, loc)
        yield Problem(source=document.line(*loc), message=message, hint=hint)


def _is_about_key(error: ErrorDetails) -> bool:
    return error["type"] == "reading" and error["loc"][-1] == "[key]"


def _written(loc: tuple[int | str, ...], node: Node) -> Iterator[int | str]:
    """Leave out the steps that pydantic adds to a path: they lead nowhere in the file."""
    for step in loc:
        found = child(node, step)
        if found or step not in STEPS:
            yield step
        node = found[1] if found else node


def _sentence(section: type[Section], error: ErrorDetails, loc: tuple[int | str, ...]) -> tuple[str, str]:
    """Turn an error of pydantic into our words."""
    key = next((quoted(step) for step in reversed(loc) if isinstance(step, str)), "the file")
    match error["type"]:
        case "reading":
            message, hint = error["msg"], str(error["ctx"]["hint"])
            return (f"the key {message}" if _is_about_key(error) else f"{key}: {message}"), hint
        case "extra_forbidden":
            return _unknown_key(_section_at(section, loc[:-1]), str(loc[-1]))
    message, hint = SENTENCES.get(error["type"], UNKNOWN_SENTENCE)
    return message.format(key=key), hint


def _unknown_key(section: type[Section], key: str) -> tuple[str, str]:
    if key in section.later:
        return f"the key {quoted(key)} is not supported by this version", "remove it until it is"
    known = [field.alias or name for name, field in section.model_fields.items()]
    known = ["dates such as 2025-12-05" if name == DATES else name for name in known]
    near = did_you_mean(key, known)
    return (
        f"the key {quoted(key)} is unknown",
        f"did you mean {quoted(near)}?" if near else f"known here: {', '.join(sorted(known))}",
    )


def _section_at(section: type[Section], loc: tuple[int | str, ...]) -> type[Section]:
    """Follow a path to the section whose keys stand there."""
    for step in loc:
        field = section.model_fields.get(str(step))
        inner = _sections_in(field.annotation) if field else []
        section = inner[0] if inner else section
    return section


def _sections_in(annotation: Any) -> list[type[Section]]:  # noqa: ANN401 - an annotation is anything
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _sections_in(part)]
