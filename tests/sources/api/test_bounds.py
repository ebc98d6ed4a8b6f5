"""What no sound API answers ends with words: lists and names without end, proxies that are none."""

import asyncio
import ssl
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import httpx
import pytest

from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Rejected
from reportgen.sources.api import bodies, client, pages, trouble, views
from reportgen.sources.api.plan import BeyondBounds, Request, answer_from
from tests.scenarios.collecting.live import DECEMBER

ASKED = Request(endpoint="/v3/one", shape=dict)


def endless(source: str = ""):
    yield [ASKED]
    raise BeyondBounds("/v3/one", "the list has no end", source)


def recorded(body: str = "{}") -> RecordedResponse:
    return RecordedResponse(
        request="/v3/one", status=200, body=body, fetched_at="2026-01-09T10:00:00Z", source="r:1"
    )


def test_of_a_recording_a_list_without_end_is_a_mistake():
    with pytest.raises(Rejected, match="r:7: the list has no end; collect the cycle again"):
        answer_from(endless("r:7"), {"/v3/one": recorded()}, "r")


def test_a_recorded_body_that_cannot_be_read_is_named():
    with pytest.raises(Rejected, match=r"^r:1: "):
        answer_from(endless(), {"/v3/one": recorded("{")}, "r")


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("r:7", Rejected, "r:7: the list has no end; collect the cycle again"),
        ("", client.ApiFailure, "GET https://api/v3/one: the list has no end; ask the vendor"),
    ],
)
def test_of_the_api_a_list_without_end_is_the_vendors(source, kind, words):
    async def ended():
        async with client._lists_that_end(SimpleNamespace(base_url="https://api")):
            raise BeyondBounds("/v3/one", "the list has no end", source)

    with pytest.raises(kind, match=words):
        asyncio.run(ended())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ReadError("it was\x07 odd."), "it was\\u0007 odd"),
        (ValueError("secret"), "ValueError"),
        (httpx.RemoteProtocolError("illegal"), "the answer is not HTTP"),
        (httpx.ReadTimeout("late"), "no answer in time"),
    ],
)
def test_why_a_connection_failed_ends_a_sentence(error, said):
    assert trouble.reason_of(error).startswith(said)


def test_what_tls_says_is_said():
    error = ssl.SSLError(1, "wrong")
    error.reason = "WRONG_VERSION_NUMBER"
    said = "no TLS connection can be made: wrong version number"
    assert trouble.reason_of(error) == said


def test_what_is_no_matter_of_trust_is_not_said():
    assert trouble.distrust(ValueError("other")) == ""


def reader() -> views.ViewReader:
    return views.ViewReader(DECEMBER, Decimal(0))


def test_products_have_names_that_end_and_are_so_many():
    one = reader()
    day = DECEMBER.start
    with pytest.raises(BeyondBounds, match="names a product of 100000 characters"):
        one._cell(day, "x" * 100_000)
    with pytest.raises(BeyondBounds, match="the answers name more than"):
        [one._cell(day, str(number)) for number in range(views.MOST_PRODUCTS + 2)]


def test_a_total_outside_of_the_cycle_is_odd():
    one = reader()
    day = DECEMBER.start - timedelta(days=1)
    body = SimpleNamespace(consumption_by_date={day: Decimal(2)}, total_acus=Decimal(2))
    assert one.read_totals("/v2/one", body, "devin").quantities == {}
    assert one._odd["outside"] == [("/v2/one", Decimal(2))]


def test_numbers_that_are_many_are_not_all_remembered(monkeypatch):
    monkeypatch.setattr(views, "MOST_REMEMBERED", 0)
    assert reader()._shared(Decimal(2)) == 2


def test_a_list_that_brings_nothing_new_is_without_end():
    listed = pages.Pages(request=ASKED)
    page = SimpleNamespace(items=(), total=None)
    for _ in range(pages.MOST_IDLE_PAGES - 1):
        assert listed.add(page) == ""
    assert listed.add(page).startswith("the list goes on, but its last")


BEYOND = ("1000000000000", "-1000000000000.5", "1e12", "1E+13", f"0.{'1' * 41}", f"1.{'0' * 41}")
WITHIN = ("999999999999.99", "7.209999999999999", "-5", "1e11", f"0.{'1' * 40}")


@pytest.mark.parametrize("number", [*BEYOND, *(f'"{number}"' for number in BEYOND)])
def test_a_quantity_beyond_all_bounds_is_refused_however_it_is_written(number):
    with pytest.raises(bodies.UnreadableBody, match="has a quantity of"):
        bodies.decode(consumption(number), bodies.Consumption)


@pytest.mark.parametrize("number", WITHIN)
def test_a_quantity_within_them_is_taken(number):
    body = bodies.decode(consumption(number), bodies.Consumption)
    assert body.total_acus == Decimal(number)


def test_a_number_in_a_text_of_escapes_is_refused_as_well():
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in BEYOND[0])
    with pytest.raises(bodies.UnreadableBody, match="has a quantity of"):
        bodies.decode(consumption(f'"{escaped}"'), bodies.Consumption)


def consumption(number: str) -> RecordedResponse:
    body = f'{{"total_acus": {number}, "consumption_by_date": []}}'
    return RecordedResponse(request="/x", status=200, fetched_at="2026-01-09T10:00:00Z", body=body)
