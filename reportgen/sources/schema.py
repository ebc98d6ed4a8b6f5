"""The shape of the three configuration files, validated by pydantic; its wording is never shown.

Values arrive as text (see `yamldoc`). Where a key takes a code, shares or dates, the shape of the YAML decides
which, so that one mistake gives one message.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import httpx
from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from reportgen.core.model import DEFAULT_PRECEDENCE
from reportgen.core.problem import Problem, did_you_mean, quoted
from reportgen.sources import text
from reportgen.sources.yamldoc import Document, List, Node, Scalar, child

TOKEN_STARTS = ("cog_", "apk_")
"""How the tokens of the API begin."""
HIGHEST_PORT = 65535


def _reading(read: Callable[[str], object], what: str = "text") -> BeforeValidator:
    """Wrap a reader of `text` for pydantic; `what` names the expected value where there is none."""

    def read_value(value: object) -> object:
        if not isinstance(value, str):
            context = {"what": what, "hint": f"write a {what} after the colon"}
            raise PydanticCustomError("reading", "needs a {what}", context)
        try:
            return read(value)
        except text.Unreadable as error:
            context = {"message": error.message, "hint": error.hint}
            raise PydanticCustomError("reading", "{message}", context) from error

    return BeforeValidator(read_value)


def _one_of(*allowed: str) -> BeforeValidator:
    def read(value: str) -> str:
        if value not in allowed:
            near = did_you_mean(value, allowed)
            hint = f"did you mean {quoted(near)}?" if near else f"choose one of: {', '.join(allowed)}"
            raise text.Unreadable(f"{quoted(value)} is not possible here", hint)
        return value

    return _reading(read)


def _currency(value: str) -> str:
    if value not in list_currencies():
        raise text.Unreadable(f"{quoted(value)} is not a currency", "write its ISO 4217 code, such as USD")
    return value


def _locale(value: str) -> str:
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError) as error:
        raise text.Unreadable(f"{quoted(value)} is not a locale", "write a code such as en, ja or de_CH") from error
    return value


def _path_prefix(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value, re.ASCII):
        raise text.Unreadable(f"{quoted(value)} is not a path", "write it as /v3beta1")
    return value


def _contract_day(value: str) -> int:
    if not re.fullmatch(r"[1-9]|1\d|2[0-8]", value, re.ASCII):
        hint = "write the day of the month your contract began, 1 to 28; for later days only the API knows the cycles"
        raise text.Unreadable(f"{quoted(value)} is not a contract day", hint)
    return int(value)


def _web_address(value: str) -> str:
    """Read an address that paths can be put after; what may be a password in it is not repeated."""
    hint = "write it as https://host"
    if "@" in value:
        raise text.Unreadable("holds a user name or password", f"{hint}; the token comes from `token_env`")
    try:
        address = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise text.Unreadable(f"{quoted(value)} is not an address", hint) from error
    wrong_port = address.port is not None and address.port > HIGHEST_PORT
    if address.scheme not in {"https", "http"} or not address.host or wrong_port or re.search(r"[\s?#]", value):
        raise text.Unreadable(f"{quoted(value)} is not an address", hint)
    return value.rstrip("/")


def _variable(value: str) -> str:
    """Read the name of a variable; what may be the token itself is not repeated."""
    if not value.isidentifier() or not value.isascii() or value.startswith(TOKEN_STARTS):
        hint = "name the variable that holds the token; never write the token itself"
        raise text.Unreadable("is not the name of an environment variable", hint)
    return value


def _key(value: str) -> str:
    """Read a key exactly as written: it is looked up, and stands in messages with its line."""
    if text.line_of_text(value) != value:
        raise text.Unreadable(f"{quoted(value)} begins or ends with a space", "remove the space")
    if not value.strip("."):
        raise text.Unreadable(f"{quoted(value)} is no name", "write the id as the API gives it")
    return value


Text = Annotated[str, _reading(text.line_of_text)]
Key = Annotated[str, _reading(_key, "key")]
Code = Annotated[str, _reading(text.code, "cost center")]
Price = Annotated[Decimal, _reading(text.not_negative, "price")]
Amount = Annotated[Decimal, _reading(text.number, "number")]
Day = Annotated[date, _reading(text.day, "date")]
LocaleCode = Annotated[str, _reading(_locale)]


def _shape(value: object) -> str:
    """Tell a dated value from shares from a single value, by the YAML node alone."""
    if not isinstance(value, dict):
        return "=one"
    return "=dated" if any(_is_dated(str(key), target) for key, target in value.items()) else "=shares"


def _is_dated(key: str, target: object) -> bool:
    """Tell whether a key is meant for a date; 01.07.2025 could be a code, but not of a share that is none."""
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", key, re.ASCII):
        return not re.fullmatch(r"[\d.]+ ?%?", str(target))
    return bool(text.DATE_SHAPE.fullmatch(key))


def _code_or_none(value: str) -> str:
    return value if value == "none" else text.code(value)


One = Annotated[str, _reading(_code_or_none, "cost center")]
Shares = Annotated[dict[Code, Annotated[str, _reading(text.line_of_text, "share")]], Field(min_length=1)]
Target = Annotated[Annotated[One, Tag("=one")] | Annotated[Shares, Tag("=shares")], Discriminator(_shape)]
DatedTarget = Annotated[
    Annotated[One, Tag("=one")] | Annotated[Shares, Tag("=shares")] | Annotated[dict[Day, Target], Tag("=dated")],
    Discriminator(_shape),
]
DatedPrice = Annotated[
    Annotated[Price, Tag("=one")] | Annotated[dict[Day, Price], Tag("=dated")],
    Discriminator(lambda value: "=dated" if isinstance(value, dict) else "=one"),
]
Targets = Annotated[dict[Key, DatedTarget], BeforeValidator(lambda value: {} if value is None else value)]
LevelName = Annotated[Literal["session", "tag", "user", "org"], _one_of("session", "tag", "user", "org")]


class Section(BaseModel):
    """A mapping of known keys; `later` are those of the contract that this version cannot honour yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    later: ClassVar[frozenset[str]] = frozenset()


class OrganizationSection(Section):
    """An organization with a credential of its own."""

    id: Key
    token_env: Annotated[str, _reading(_variable, "variable")]


class SourceSection(Section):
    """Where consumption is read from."""

    api: Annotated[str, _one_of("v3", "v2")] = "v3"
    base_url: Annotated[str, _reading(_web_address, "address")] = "https://api.devin.ai"
    token_env: Annotated[str, _reading(_variable, "variable")] = "DEVIN_API_TOKEN"  # noqa: S105 - a name
    organizations: tuple[OrganizationSection, ...] = ()
    prefix: Annotated[str, _reading(_path_prefix, "path")] = "/v3"
    cycle_day: Annotated[int, _reading(_contract_day, "day")] | None = None
    replay: Text | None = None


class InvoiceSection(Section):
    """How documents look."""

    later: ClassVar[frozenset[str]] = frozenset({"users", "max_detail_rows", "logo", "summaries"})
    number: Text = "CB-{{ cycle.start }}-{{ cost_center.code }}"
    locale: LocaleCode = "en"
    accent: Annotated[str, _reading(text.color, "colour in quotes")] = "#1f4e79"
    note: Text | None = None


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
    contacts: tuple[Annotated[str, _reading(text.contact, "address")], ...] = ()
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

    later: ClassVar[frozenset[str]] = frozenset({"pools"})
    cost_centers: Annotated[dict[Code, CostCenterSection], Field(min_length=1)]
    users: Targets = {}
    user_file: UserFileSection | None = None
    service_users: Targets = {}
    sessions: Targets = {}
    tags: Targets = {}
    orgs: Targets = {}
    unallocated: Code | None = None
    precedence: Annotated[tuple[LevelName, ...], Field(min_length=1)] = DEFAULT_PRECEDENCE


class VendorInvoiceSection(Section):
    """What the vendor invoiced for a cycle."""

    later: ClassVar[frozenset[str]] = frozenset({"document"})
    number: Text
    amount: Amount | None = None
    acus: Price | None = None


class RatesFile(Section):
    """rates.yaml."""

    later: ClassVar[frozenset[str]] = frozenset({"tiers", "recover", "fees", "transfers", "memo_currency"})
    currency: Annotated[str, _reading(_currency)]
    contract: Text | None = None
    prices: Annotated[dict[Key, DatedPrice], Field(min_length=1)]
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
        if found or step not in {"[key]", "=one", "=shares", "=dated"}:
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
