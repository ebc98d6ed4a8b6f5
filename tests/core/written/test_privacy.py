"""Who can be recognised: by names all, by pseudonyms and by none nobody, and no figure moves."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.directory import numbered
from reportgen.core.model import Directory, Discrepancy, Entry, Principal
from reportgen.core.written.privacy import redacted
from tests.documents import grove

WAYS = ("pseudonyms", "none")


def everybody() -> Directory:
    derived = grove.derived()
    left = {
        principal
        for found in derived.statement.variance.by_cost_center.values()
        for principal in (*found.new, *found.vanished)
    }
    entries = dict.fromkeys(left) | dict(derived.directory.entries)
    known = {
        principal: entry or Entry(principal=principal)
        for principal, entry in sorted(entries.items())
    }
    return numbered(replace(derived.directory, entries=known), "secret")


def secrets() -> set[str]:
    return {
        word
        for principal, entry in everybody().entries.items()
        for word in (principal.id, entry.email, entry.name)
        if word
    }


def test_names_are_shown_as_they_are():
    derived = grove.derived()
    assert redacted(derived.statement, derived.directory, "names") == (
        derived.statement,
        derived.directory,
    )


@pytest.mark.parametrize("way", WAYS)
def test_nobody_can_be_recognised(way):
    statement, directory = redacted(grove.derived().statement, everybody(), way)
    text = repr((statement, directory))
    assert len(secrets()) > 20
    assert [word for word in secrets() if repr(word)[1:-1] in text] == []
    assert "rd@beech.example" not in text


@pytest.mark.parametrize("way", WAYS)
def test_no_figure_moves(way):
    before = grove.derived().statement
    after, _ = redacted(before, everybody(), way)
    assert after.tie_out == before.tie_out
    for was, now in zip(before.invoices, after.invoices, strict=True):
        assert now.lines == was.lines
        assert by_day(now.detail) == by_day(was.detail)
        if way == "pseudonyms":
            assert sorted(usage.amount for usage in now.by_principal) == sorted(
                usage.amount for usage in was.by_principal
            )
            assert len(now.detail) == len(was.detail)
        else:
            assert now.by_principal == ()


def by_day(detail) -> dict:
    found: dict = {}
    for row in detail:
        key = row.day, row.product, row.org_id, row.kind, row.unit_price
        acus, amount = found.get(key, (Decimal(0), Decimal(0)))
        found[key] = acus + row.acus, amount + row.exact_amount
    return found


def test_a_pseudonym_is_one_person_everywhere():
    before = grove.derived().statement
    after, directory = redacted(before, everybody(), "pseudonyms")
    pairs = {
        (was.principal_id, now.principal_id)
        for old, new in zip(before.invoices, after.invoices, strict=True)
        for was, now in zip(old.by_principal, new.by_principal, strict=True)
    }
    assert len(pairs) == len({was for was, _ in pairs}) == len({now for _, now in pairs})
    numbers = {principal.id: entry.number for principal, entry in everybody().entries.items()}
    assert all(now.rpartition("-")[2] == str(numbers[was]) for was, now in pairs if was)
    assert all(entry.name is entry.email is None for entry in directory.entries.values())


@pytest.mark.parametrize(("way", "shown"), [("pseudonyms", "user-1"), ("none", "…")])
def test_a_request_names_nobody(way, shown):
    ada = Principal("user", "okta|ada 1")
    directory = Directory(entries={ada: Entry(principal=ada, email="ada@acme.example", number=1)})
    found = Discrepancy(
        day=date(2025, 12, 30),
        product="devin",
        org_id="org-1",
        principal_id=ada.id,
        acus=Decimal(-1),
        views=(
            "/v3/users/okta%7Cada%201/daily?user=ada%40acme.example&x=1",
            "/v3/organizations/org-1",
            "/v3/enterprise/consumption/daily/sessions/devin-0a1b?time_after=1",
        ),
    )
    statement = grove.derived().statement
    bare = replace(
        statement,
        invoices=(),
        unallocated=replace(statement.unallocated, parts=()),
        variance=None,
        earlier=(),
        discrepancies=(found,),
    )
    statement, _ = redacted(bare, directory, way)
    (told,) = statement.discrepancies
    assert told.principal_id == shown
    assert told.views == (
        f"/v3/users/{shown}/daily?user={shown}&x=1",
        "/v3/organizations/org-1",
        "/v3/enterprise/consumption/daily/sessions/…?time_after=1",
    )


PRINCIPALS = st.builds(Principal, st.sampled_from(["user", "service_user"]), st.text(max_size=4))


@given(st.dictionaries(PRINCIPALS, st.none() | st.integers(min_value=1, max_value=6)))
def test_numbers_are_kept_and_no_two_are_the_same(given_numbers):
    entries = {
        principal: Entry(principal=principal, number=number)
        for principal, number in sorted(given_numbers.items())
    }
    found = numbered(Directory(entries=entries), "secret").entries
    assert len({entry.number for entry in found.values()}) == len(entries)
    assert None not in {entry.number for entry in found.values()}
    for principal, number in given_numbers.items():
        if number and list(given_numbers.values()).count(number) == 1:
            assert found[principal].number == number
    assert numbered(Directory(entries=found), "another").entries == found


def test_numbers_do_not_tell_the_order_of_ids():
    people = [Principal("user", f"user-{number:03}") for number in range(40)]
    known = Directory(entries={principal: Entry(principal=principal) for principal in people})
    orders = {
        tuple(numbered(known, secret).entries[found].number for found in people)
        for secret in ("a", "b")
    }
    assert len(orders) == 2
    assert tuple(range(1, 41)) not in orders
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(1, 41))}


@pytest.mark.parametrize("way", WAYS)
def test_a_field_that_names_somebody_is_left_out_and_others_stay(way):
    statement, (known, *_) = grove.derived().statement, sorted(filter(None, names()))
    fields = (
        ("PO", "4500012345"),
        ("Approver", f"Dr. {known.upper()} (CFO)"),
        ("Owner", "somebody@else.example"),
        ("Approved by", "the committee"),
    )
    first, *others = statement.invoices
    center = replace(first.cost_center, fields=fields)
    changed = replace(statement, invoices=(replace(first, cost_center=center), *others))
    after, _ = redacted(changed, everybody(), way)
    assert after.invoices[0].cost_center.fields == (fields[0], fields[3])


def names() -> set[str | None]:
    return {entry.name for entry in everybody().entries.values()}


@pytest.mark.parametrize("way", WAYS)
def test_what_no_rule_covers_comes_to_the_same_whoever_is_shown(way):
    before = grove.derived().statement.unallocated
    after = redacted(grove.derived().statement, everybody(), way)[0].unallocated
    for cause in before.by_cause:
        one, other = (
            [part for part in each.parts if part.cause == cause] for each in (before, after)
        )
        assert sum(part.acus for part in one) == sum(part.acus for part in other)
        assert sum(part.amount for part in one) == sum(part.amount for part in other)
        assert sum(part.people for part in one) == sum(part.people for part in other)
    assert sum(part.amount for part in before.parts) == before.amount
    assert sum(part.acus for part in before.parts) == before.acus
