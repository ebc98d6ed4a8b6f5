"""What a single value of the configuration can be: text read strictly, put in place by pydantic.

Where a key takes a code, shares or dates, the shape of the YAML decides which, so that one mistake
gives one message.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args

import httpx
from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from reportgen.core.model import DetailShown, ExportName, FocusVersion, TieOutTold, UsersShown
from reportgen.core.text import did_you_mean, quoted, visible
from reportgen.sources.config import scalars
from reportgen.sources.config.date_formats import date_format
from reportgen.sources.config.forms import SHARE, Form
from reportgen.sources.config.misread import DAY_LIKE, days_meant, month_meant
from reportgen.sources.config.periods import period_meant

TOKEN_STARTS = ("cog_", "apk_")
REVOKE, CHANGE = (f"{verb} it, as whoever reads the file has it" for verb in ("revoke", "change"))
"""What is to be done with a secret that was written into a file."""
"""How the tokens of the API begin."""
WAYS_TO_SHARE = "write proportional, even or shares such as {CC-1001: 100%}, without dates"
CHARGED = "write each, or a list of codes in brackets: [CC-1001, CC-1002]"
LONGEST_LABEL = 40
"""Of a field in the head of a document, where a label has a line."""
DATES = "=dates"
"""Where `WithDates` keeps the dated keys of a section."""
FORMULA_STARTS = tuple("=+-@'")
SEGMENTS = ("entity", "cost_center", "account")
"""What a segment of an account may be, besides a code that is the same everywhere."""
STEPS = {"[key]", "=one", "=list", "=shares", "=dated", DATES}
"""What pydantic puts into the path of an error beside the keys of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReader(BeforeValidator):
    """A reader of text, put in place by pydantic: its name, or else what it takes (JSON Schema)."""

    reader: str
    form: Form | None = field(default=None, compare=False)


def _reading(
    read: Callable[[str], object], what: str = "text", hint: str = "", form: Form | None = None
) -> TextReader:
    """Wrap a reader of `text` for pydantic; `what` and `hint` ask for a value that is missing."""

    def read_value(value: object) -> object:
        if not isinstance(value, str):
            wanted = hint or _instead(value, what) or f"write a {what} after the colon"
            raise PydanticCustomError("reading", "needs a {what}", {"what": what, "hint": wanted})
        try:
            return read(value)
        except scalars.Unreadable as error:
            context = {"message": error.message, "hint": error.hint}
            raise PydanticCustomError("reading", "{message}", context) from error

    return TextReader(func=read_value, reader=read.__name__.lstrip("_"), form=form)


def _instead(value: object, what: str) -> str:
    """Say how a list of one is written, and how one of cost centers shares usage."""
    if not isinstance(value, list) or not value:
        return ""
    if what == "cost center" and all(isinstance(one, dict) for one in value):
        return "write the shares without the dashes before them"
    if not all(isinstance(one, str) for one in value):
        return ""
    if not value[1:]:
        return f"write it without brackets: {value[0]}"
    if what != "cost center":
        return ""
    shares = ", ".join(f"{code}: 1" for code in value)
    return f"to share it among them, write weights or percentages: {{{shares}}}"


def _one_of(*allowed: str) -> TextReader:
    def read(value: str) -> str:
        if value not in allowed:
            near = did_you_mean(value, allowed)
            hint = (
                f"did you mean {quoted(near)}?" if near else f"choose one of: {', '.join(allowed)}"
            )
            raise scalars.Unreadable(f"{quoted(value)} is not possible here", hint)
        return value

    return _reading(read, form={"enum": list(allowed)})


def _currency_code(value: str) -> str:
    if value not in list_currencies():
        known = value.upper() in list_currencies()
        hint = (
            f"did you mean {quoted(value.upper())}?"
            if known
            else "write its ISO 4217 code, such as USD"
        )
        raise scalars.Unreadable(f"{quoted(value)} is not a currency", hint)
    return value


def _locale_code(value: str) -> str:
    try:
        locale = Locale.parse(value)
    except (UnknownLocaleError, ValueError) as error:
        raise scalars.Unreadable(
            f"{quoted(value)} is not a locale", "write a code such as en, ja or de_CH"
        ) from error
    if locale.text_direction == "rtl":
        message = (
            "is written from right to left, and documents are not laid out from right to left yet"
        )
        raise scalars.Unreadable(
            f"{quoted(value)} {message}", "choose a locale that is written from left to right"
        )
    return value


def _path_prefix(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value, re.ASCII):
        raise scalars.Unreadable(f"{quoted(value)} is not a path", "write it as /v3beta1")
    return value


def _contract_day(value: str) -> int:
    if not re.fullmatch(r"[1-9]|[12]\d|3[01]", value, re.ASCII):
        hint = "write the day of the month on which your contract began, 1 to 31"
        raise scalars.Unreadable(f"{quoted(value)} is not a contract day", hint)
    return int(value)


def _calendar_month(value: str) -> int:
    if not re.fullmatch(r"[1-9]|1[0-2]", value, re.ASCII):
        month = month_meant(value)
        hint = "write the month in which your fiscal year begins as a number, 1 to 12"
        hint = f"{hint}: {month}" if month else hint
        raise scalars.Unreadable(f"{quoted(value)} is not a month", hint)
    return int(value)


def _label(value: str) -> str:
    """Read what a field is called in the head of a document."""
    if len(value) > LONGEST_LABEL:
        message = f"{quoted(value)} has {len(value)} characters, more than {LONGEST_LABEL}"
        raise scalars.Unreadable(message, "write a shorter name for it")
    if scalars.line_of_text(value) != value:
        raise scalars.Unreadable(f"{quoted(value)} begins or ends with a space", "remove the space")
    return value


def _tag_pattern(value: str) -> str:
    """Read a tag as people write it on sessions, in which `*` stands for any text."""
    if ", " in value:
        hint = f"write a list: [{value}]"
        raise scalars.Unreadable(f"{quoted(value)} looks like several tags", hint)
    return _exact_key(value)


def _web_address(value: str) -> str:
    """Read an address that paths can be put after; what may be a password in it is not repeated."""
    hint = "write it as https://host"
    if "@" in value:
        raise scalars.Unreadable(
            "holds a user name or password", f"{hint}; the token comes from `token_env`"
        )
    try:
        address = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise scalars.Unreadable(f"{quoted(value)} is not an address", hint) from error
    wrong_port = address.port is not None and address.port > scalars.HIGHEST_PORT
    if (
        address.scheme not in {"https", "http"}
        or not address.host
        or wrong_port
        or re.search(r"[\s?#]", value)
    ):
        raise scalars.Unreadable(f"{quoted(value)} is not an address", hint)
    return value.rstrip("/")


def _variable(value: str) -> str:
    """Read the name of a variable; what may be the token itself is not repeated."""
    if value.startswith(TOKEN_STARTS):
        hint = f"{REVOKE}, and name the variable that holds the new one, such as DEVIN_API_TOKEN"
        raise scalars.Unreadable("is a token itself", hint)
    return _named_variable(value, "the token")


def _hidden(value: str) -> str:
    """Read the name of the variable that holds a secret of the mail server's."""
    return _named_variable(value, "it", "the secret")


def _named_variable(value: str, secret: str, itself: str = "the token") -> str:
    if not value.isidentifier() or not value.isascii():
        hint = f"name the variable that holds {secret}; never write {itself} itself"
        if shell := re.fullmatch(r"\$(?:(\w+)|\{(\w+)\})", value, re.ASCII):
            hint = f"write its name alone: {shell[1] or shell[2]}"
        raise scalars.Unreadable("is not the name of an environment variable", hint)
    return value


def _exact_key(value: str) -> str:
    """Read a key exactly as written: it is looked up, and stands in messages with its line."""
    if scalars.line_of_text(value) != value:
        raise scalars.Unreadable(f"{quoted(value)} begins or ends with a space", "remove the space")
    if not value.strip("."):
        raise scalars.Unreadable(f"{quoted(value)} is no name", "write the id as the API gives it")
    return value


def _user_key(value: str) -> str:
    """Read the key of a user as written: what nobody sees is left out where it is compared."""
    _exact_key(visible(value))
    return value


def _date_form(value: str) -> str:
    return date_format(value).name


def _basis(value: str) -> str:
    """Read how a pool is shared, where the shares are not written out."""
    if value not in {"proportional", "even"}:
        near = did_you_mean(value, ("proportional", "even"))
        hint = f"did you mean {quoted(near)}?" if near else WAYS_TO_SHARE
        raise scalars.Unreadable(f"{quoted(value)} does not say how the pool is shared", hint)
    return value


def _account(value: str) -> str:
    """Read what a ledger knows an account or an entity by: as it is written, and no formula."""
    text = scalars.line_of_text(value)
    if text.startswith(FORMULA_STARTS):
        message = f"{quoted(text)} begins like a formula of a spreadsheet"
        raise scalars.Unreadable(message, "write the code as the ledger has it")
    return text


def _segment(value: str) -> str:
    """Read what stands in a segment: one of three words, or a code that is the same everywhere."""
    near = did_you_mean(value, SEGMENTS)
    if near and value not in SEGMENTS:
        hint = f"did you mean {quoted(near)}? Any other text stands as it is"
        raise scalars.Unreadable(f"{quoted(value)} is not possible here", hint)
    return _account(value)


def _layout(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", value, re.ASCII):
        hint = "write the name of a template without what follows the point, such as oracle-fbdi"
        raise scalars.Unreadable(f"{quoted(value)} is not the name of a layout", hint)
    return value


def _each(value: str) -> None:
    """Read `each`, which stands for no list."""
    if value != "each":
        raise scalars.Unreadable(f"{quoted(value)} does not say who is charged", CHARGED)


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted(value for value in set(values) if values.count(value) > 1):
        context = {"message": f"{quoted(twice[0])} is named twice", "hint": "name it once"}
        raise PydanticCustomError("reading", "{message}", context)
    return values


def _dates_apart(value: object) -> object:
    """Put the dated keys of a section below one, `DATES`, so that the others can be known."""
    if not isinstance(value, dict) or DATES in value:
        return value
    dated = {key: inner for key, inner in value.items() if _like_a_day(str(key))}
    return {key: inner for key, inner in value.items() if key not in dated} | {DATES: dated}


Text = Annotated[str, _reading(scalars.line_of_text)]
Key = Annotated[str, _reading(_exact_key, "key")]
UserKey = Annotated[str, _reading(_user_key, "key")]
DateForm = Annotated[str, _reading(_date_form)]
Code = Annotated[str, _reading(scalars.code, "cost center")]
NotNegative = Annotated[Decimal, _reading(scalars.not_negative, "price")]
Amount = Annotated[Decimal, _reading(scalars.number, "number")]
ApiName = Annotated[str, _one_of("v3", "v2")]
WebAddress = Annotated[str, _reading(_web_address, "address")]
Variable = Annotated[str, _reading(_variable, "variable")]
HiddenVariable = Annotated[str, _reading(_hidden, "variable")]
HostName = Annotated[str, _reading(scalars.host, "name")]
Port = Annotated[int, _reading(scalars.port, "number")]
MessageCount = Annotated[int, _reading(scalars.per_minute, "number")]
SecurityName = Annotated[Literal["starttls", "tls", "plain"], _one_of("starttls", "tls", "plain")]
SignInName = Annotated[
    Literal["none", "password", "xoauth2"], _one_of("none", "password", "xoauth2")
]
PathPrefix = Annotated[str, _reading(_path_prefix, "path")]
ContractDay = Annotated[int, _reading(_contract_day, "day")]
CalendarMonth = Annotated[int, _reading(_calendar_month, "number")]
TagPattern = Annotated[str, _reading(_tag_pattern, "tag")]
Label = Annotated[str, _reading(_label, "name")]
Contact = Annotated[str, _reading(scalars.contact, "address")]
Color = Annotated[str, _reading(scalars.color, "colour in quotes")]
Positive = Annotated[Decimal, _reading(scalars.positive, "number")]
DayCount = Annotated[int, _reading(scalars.day_count, "number")]
Part = Annotated[Decimal, _reading(scalars.part, "percentage")]
ApprovalName = Annotated[Literal["optional", "required"], _one_of("optional", "required")]
RowCount = Annotated[int, _reading(scalars.row_count, "number")]
SessionCount = Annotated[int, _reading(scalars.session_count, "number")]
Flag = Annotated[bool, _reading(scalars.flag, "true or false")]
Mebibytes = Annotated[int, _reading(scalars.mebibytes, "number")]
ArchiveMode = Annotated[Literal["owner", "group"], _one_of("owner", "group")]
Shown = Annotated[UsersShown, _one_of("names", "pseudonyms", "none")]
DetailForm = Annotated[DetailShown, _one_of("days", "sums")]
TieOutExtent = Annotated[TieOutTold, _one_of("own", "full")]
FeeAmount = Annotated[Decimal, _reading(scalars.charge, "number")]
FeePart = Annotated[Decimal, _reading(scalars.charged_part, "percentage")]
Day = Annotated[date, _reading(scalars.day, "date")]
Weight = Annotated[Decimal, _reading(scalars.not_negative, "weight")]
DecimalCount = Annotated[int, _reading(scalars.decimal_count, "number")]
Account = Annotated[str, _reading(_account, "code")]
Segment = Annotated[str, _reading(_segment, "code")]
LayoutName = Annotated[str, _reading(_layout)]
CurrencyCode = Annotated[
    str, _reading(_currency_code, "currency", form={"enum": sorted(list_currencies())})
]
LocaleCode = Annotated[str, _reading(_locale_code)]


def _shape(value: object) -> str:
    """Tell a dated value from shares from a single value, by the YAML node alone."""
    if not isinstance(value, dict):
        return "=one"
    return (
        "=dated" if any(_is_dated(str(key), target) for key, target in value.items()) else "=shares"
    )


def _is_dated(key: str, target: object) -> bool:
    """Tell whether a key is meant for a date.

    01.07.2025 or 4100-10 could be a code, but not of a share that is none.
    """
    if scalars.DATE_SHAPE.fullmatch(key):
        return True
    no_share = target is not None and not re.fullmatch(r"[\d.,]+ ?%?", str(target))
    if not no_share or not _like_a_day(key):
        return False
    period = period_meant(key)
    days = period.days if period and period.days else days_meant(key)
    return any(scalars.DATE_SHAPE.fullmatch(str(day)) for day in days)


def _like_a_day(key: str) -> bool:
    """Tell what is meant for a date, a quarter or month that stands for one included."""
    period = period_meant(key)
    return bool(DAY_LIKE.fullmatch(key.strip()) or (period and period.days))


def _code_or_none(value: str) -> str:
    return value if value == "none" else scalars.code(value)


One = Annotated[str, _reading(_code_or_none, "cost center")]
Shares = Annotated[
    dict[Code, Annotated[str, _reading(scalars.line_of_text, "share", form=SHARE)]],
    Field(min_length=1),
]
Target = Annotated[
    Annotated[One, Tag("=one")] | Annotated[Shares, Tag("=shares")], Discriminator(_shape)
]
DatedTarget = Annotated[
    Annotated[One, Tag("=one")]
    | Annotated[Shares, Tag("=shares")]
    | Annotated[dict[Day, Target], Tag("=dated")],
    Discriminator(_shape),
]
DatedPrice = Annotated[
    Annotated[NotNegative, Tag("=one")] | Annotated[dict[Day, NotNegative], Tag("=dated")],
    Discriminator(lambda value: "=dated" if isinstance(value, dict) else "=one"),
]
EmptyMap = BeforeValidator(lambda value: {} if value is None else value)
EmptyList = BeforeValidator(lambda value: [] if value is None else value)
EachOnce = AfterValidator(_each_once)
WithDates = BeforeValidator(_dates_apart)
Targets = Annotated[dict[Key, DatedTarget], EmptyMap]
UserTargets = Annotated[dict[UserKey, DatedTarget], EmptyMap]
Basis = Annotated[Literal["proportional", "even"], _reading(_basis, "basis", WAYS_TO_SHARE)]
PoolTarget = Annotated[
    Annotated[Basis, Tag("=one")] | Annotated[Shares, Tag("=shares")],
    Discriminator(lambda value: "=shares" if _shape(value) == "=shares" else "=one"),
]
FeeTargets = Annotated[
    Annotated[None, _reading(_each, "list of cost centers", CHARGED), Tag("=one")]
    | Annotated[tuple[Code, ...], Field(min_length=1), EachOnce, Tag("=list")],
    Discriminator(lambda value: "=list" if isinstance(value, list) else "=one"),
]
TagPatterns = Annotated[
    Annotated[TagPattern, Tag("=one")]
    | Annotated[tuple[TagPattern, ...], Field(min_length=1), EachOnce, Tag("=list")],
    Discriminator(lambda value: "=list" if isinstance(value, list) else "=one"),
]
"""A pattern of tags, or a list of them."""
FocusVersionName = Annotated[FocusVersion, _one_of(*get_args(FocusVersion))]
Exported = Annotated[ExportName, _one_of(*get_args(ExportName))]
Accounts = Annotated[
    Annotated[Account, Tag("=one")]
    | Annotated[dict[Account, Account], Field(min_length=1), Tag("=shares")],
    Discriminator(lambda value: "=shares" if isinstance(value, dict) else "=one"),
]
"""An account, or one for each legal entity."""
SummaryName = Annotated[Literal["department", "entity"], _one_of("department", "entity")]
LevelName = Annotated[
    Literal["session", "tag", "user", "org"], _one_of("session", "tag", "user", "org")
]
