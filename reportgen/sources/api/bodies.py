"""The bodies of the API, decoded by msgspec: exact decimals, unknown fields ignored.

Facts: docs/api.md. Only what is needed is required, so that a field that disappears elsewhere does
no harm; a new value of a known field is no mistake either.
"""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec

from reportgen.core.model import RecordedResponse
from reportgen.core.money import is_quantity
from reportgen.sources.api.doubts import key_twice, no_number

LONE_SURROGATE = re.compile(
    r"(?<!\\)(?P<escaped>(\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
UNUSUAL = re.compile(r"(?<![0-9.])[0-9]{13}|\.[0-9]{41}|[0-9][eE]|\\")
"""What a quantity beyond all bounds is written with: to look at each takes ten times as long."""
T = TypeVar("T")
Instant = Annotated[int, msgspec.Meta(ge=0, le=7258118399)]
"""Unix seconds up to the year 2199."""
Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
TYPES = {
    "int": "a whole number",
    "float": "a number with decimals",
    "decimal": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
"""What msgspec calls them, and what they are."""


class UnreadableBody(Exception):  # noqa: N818 - a body that was refused, not a failure
    """A body that is not what its endpoint answers."""


class Bucket(msgspec.Struct):
    """A billing day; `acus_by_product` may be absent or null, and so may each of its values."""

    date: Instant
    acus: Decimal
    acus_by_product: dict[str, Decimal | None] | None = None


class Consumption(msgspec.Struct):
    """The answer of every consumption endpoint."""

    total_acus: Decimal
    consumption_by_date: list[Bucket]


class Cycle(msgspec.Struct):
    """A billing cycle, Unix seconds."""

    after: Instant
    before: Instant


class Organization(msgspec.Struct):
    """An organization."""

    org_id: str
    name: str


class Assignment(msgspec.Struct):
    """A role; without `org_id` it holds for the enterprise and names no organization."""

    org_id: str | None = None


class Member(msgspec.Struct):
    """A user of either list: with direct roles, or with roles from the identity provider."""

    user_id: str
    email: str | None = None
    name: str | None = None
    role_assignments: list[Assignment] = []
    idp_role_assignments: list[Assignment] = []


class ServiceUser(msgspec.Struct):
    """A service user."""

    service_user_id: str
    name: str | None = None
    role_assignments: list[Assignment] = []


class ListedPullRequest(msgspec.Struct, gc=False):
    """A pull request of a session: v2 has other names for the same."""

    pr_url: str | None = None
    pr_state: str | None = None
    url: str | None = None
    state: str | None = None


class ListedSession(msgspec.Struct, gc=False):
    """A session and its owner, who may have left; Unix seconds in v3, date-times in v2."""

    session_id: str
    org_id: str
    user_id: str | None = None
    service_user_id: str | None = None
    tags: list[str] = []
    title: str | None = None
    url: str | None = None
    status: str | None = None
    pull_requests: list[ListedPullRequest] | None = None
    acus_consumed: Decimal | None = None
    created_at: Instant | dt.datetime | None = None
    updated_at: Instant | dt.datetime | None = None


class Self(msgspec.Struct):
    """Whose a credential is; `org_id` is null where it holds for the enterprise."""

    service_user_id: str | None = None
    service_user_name: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    org_id: str | None = None


class Page(msgspec.Struct):
    """What every list has; `end_cursor` leads on, unless `has_next_page` is false."""

    items: list[Any]
    end_cursor: str | None = None
    has_next_page: bool | None = None
    total: Count | None = None


class Cycles(Page, kw_only=True):
    """Billing cycles, in no particular order."""

    items: list[Cycle]


class Organizations(Page, kw_only=True):
    """Organizations."""

    items: list[Organization]


class Members(Page, kw_only=True):
    """Users."""

    items: list[Member]


class ServiceUsers(Page, kw_only=True):
    """Service users."""

    items: list[ServiceUser]


class Sessions(Page, kw_only=True):
    """Sessions."""

    items: list[ListedSession]


class OffsetPage(msgspec.Struct):
    """What every list of v2 has; the next page begins at `skip` and the number of items."""

    items: list[Any]
    skip: int = 0
    has_more: bool = False
    total: Count | None = None


class DayTotals(msgspec.Struct):
    """The answer of v2's consumption endpoints: totals of one dimension each, and no products."""

    total_acus: Decimal
    consumption_by_date: dict[dt.date, Decimal]
    consumption_by_org_id: dict[str, Decimal]
    consumption_by_user: dict[str, Decimal] = {}


class CycleDates(msgspec.Struct):
    """A billing cycle of v2, date-times; its end may be the last second of a closed range."""

    start: dt.datetime
    end: dt.datetime


class OrganizationV2(msgspec.Struct):
    """An organization of v2."""

    org_id: str
    org_name: str


class OrganizationsV2(OffsetPage, kw_only=True):
    """Organizations of v2."""

    items: list[OrganizationV2]


class MembersV2(OffsetPage, kw_only=True):
    """Users of v2."""

    items: list[Member]


class SessionsV2(OffsetPage, kw_only=True):
    """Sessions of v2."""

    items: list[ListedSession]


def decode(recorded: RecordedResponse, shape: type[T]) -> T:
    """Decode a body, or raise UnreadableBody with what is wrong with it."""
    try:
        body = msgspec.json.decode(_without_lone_surrogates(recorded.body), type=shape)
        doubt = _doubt(recorded.body, body)
    except msgspec.ValidationError as error:
        raise UnreadableBody(
            f"is not the answer of this endpoint: {_in_our_words(error)}"
        ) from error
    except RecursionError as error:
        raise UnreadableBody("is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableBody("is not complete JSON") from error
    if doubt:
        raise UnreadableBody(doubt)
    if (
        isinstance(body, Consumption | DayTotals)
        and UNUSUAL.search(recorded.body)
        and not all(map(is_quantity, _quantities(body)))
    ):
        raise UnreadableBody("has a quantity of 10^12 ACUs or more, or with more than 40 decimals")
    return body


def _doubt(text: str, body: object) -> str:
    """Say what a decoder lets pass though it reads in two ways; nothing where all is plain.

    Where every quote belongs to a key that was read, there is neither a second key nor a text.
    """
    if isinstance(body, Consumption | DayTotals):
        if text.count('"') == 2 * _keys(body):
            return ""
        return key_twice(text) or no_number(text)
    return key_twice(text)


def _keys(body: Consumption | DayTotals) -> int:
    """Count the keys of an answer that has all fields that are known."""
    if isinstance(body, DayTotals):
        users = len(body.consumption_by_user)
        return (
            3
            + len(body.consumption_by_date)
            + len(body.consumption_by_org_id)
            + (users + 1 if users else 0)
        )
    return 2 + sum(3 + len(bucket.acus_by_product or ()) for bucket in body.consumption_by_date)


def _without_lone_surrogates(body: str) -> str:
    if "\\ud" not in body and "\\uD" not in body:
        return body
    return LONE_SURROGATE.sub(lambda match: f"{match['escaped']}\\ufffd", body)


def _quantities(body: Consumption | DayTotals) -> Iterator[Decimal]:
    yield body.total_acus
    if isinstance(body, DayTotals):
        yield from body.consumption_by_date.values()
        return
    for bucket in body.consumption_by_date:
        yield bucket.acus
        yield from (acus for acus in (bucket.acus_by_product or {}).values() if acus is not None)


def _in_our_words(error: msgspec.ValidationError) -> str:
    message, _, place = (
        str(error).replace("Invalid decimal string", "Expected `decimal`").partition(" - at ")
    )
    where = place.strip("`").removeprefix("$").lstrip(".")
    if match := re.fullmatch(r"Object missing required field `(.+)`", message):
        return f"the required field {'.'.join(filter(None, [where, match[1]]))} is missing"
    text = re.sub("`([^`]+)`", _in_words, f"{message[:1].lower()}{message[1:]}")
    return f"{text} at {where}" if where else text


def _in_words(types: re.Match[str]) -> str:
    return " or ".join(TYPES.get(name, name) for name in types[1].split(" | "))
