"""Documents on their way: what is to be done with them, and that nothing is sent twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.delivery import (
    CUT_OFF,
    Delivery,
    interrupted,
    latest,
    message_id,
    queued,
    sent_again,
    settled,
)

NOW = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DOMAIN = "acme.example"
ADA = Delivery(cost_center="A", number="N-A", document="d1", recipient="ada@x.example", seal="s")
BOB = replace(ADA, recipient="bob@x.example")
STATES = ("pending", "in_flight", "sent", "failed", "uncertain")


def known(**states):
    """Give what is known where deliveries to ada and bob are in some states."""
    begun = {
        one.delivery.recipient.partition("@")[0]: one for one in queued([ADA, BOB], {}, NOW, DOMAIN)
    }
    return latest(replace(begun[name], state=state) for name, state in states.items())


def test_what_nothing_is_known_of_is_begun_once():
    twice = replace(ADA, recipient="Ada@X.example")
    (one,) = queued([ADA, twice, ADA], {}, NOW, DOMAIN)
    assert (one.state, one.series, one.at, one.dated) == ("pending", 1, NOW, NOW)
    assert queued([ADA, twice], latest([one]), LATER, DOMAIN) == []


def test_only_what_was_in_flight_becomes_uncertain():
    for state in STATES:
        found = interrupted(known(ada=state), LATER)
        assert [(one.state, one.said, one.at) for one in found] == (
            [("uncertain", CUT_OFF, LATER)] if state == "in_flight" else []
        )


def test_a_new_document_is_another_delivery():
    (one,) = queued([replace(ADA, document="d2")], known(ada="sent"), LATER, DOMAIN)
    assert one.delivery.document == "d2"


# Sent again by a person


def test_what_is_unsettled_is_sent_again_under_its_own_name_and_nothing_else_is():
    before = known(ada="uncertain", bob="sent")
    (one,) = sent_again([ADA, BOB], before, LATER, DOMAIN)
    assert (one.delivery, one.state) == (ADA, "pending")
    assert (one.message_id, one.series, one.dated) == (before[ADA.key].message_id, 1, NOW)
    assert [
        one.delivery
        for one in sent_again([ADA, BOB], known(ada="failed", bob="sent"), LATER, DOMAIN)
    ] == [ADA]


def test_what_was_sent_is_sent_again_under_another_name():
    again = sent_again([ADA, BOB], known(ada="sent", bob="sent"), LATER, DOMAIN)
    assert {one.series for one in again} == {2}
    assert {one.dated for one in again} == {LATER}
    assert {one.message_id for one in again}.isdisjoint(
        one.message_id for one in known(ada="sent", bob="sent").values()
    )


def test_what_is_on_its_way_is_not_begun_again():
    """Whoever repeats a command that was interrupted goes on with it."""
    for state in ("pending", "in_flight"):
        assert sent_again([ADA, BOB], known(ada="sent", bob=state), LATER, DOMAIN) == []
    assert sent_again([ADA, BOB], known(ada="sent"), LATER, DOMAIN) == []


def test_a_person_settles_what_is_uncertain_alone():
    for state in STATES:
        found = settled([ADA, BOB], known(ada=state), LATER)
        assert [one.state for one in found] == (["sent"] if state == "uncertain" else [])


# Names


texts = st.text(st.sampled_from("aAb-"), max_size=2)
parts = st.tuples(texts, texts, texts, texts, st.integers(1, 2))


@given(parts, parts)
def test_messages_of_one_name_are_one_message(first, second):
    names, meanings = [], []
    for code, document, recipient, seal, series in (first, second):
        one = replace(
            ADA, cost_center=code, document=document, recipient=f"{recipient}@x.example", seal=seal
        )
        names.append(message_id(one, series, DOMAIN))
        meanings.append((code, one.key, seal or document, series))
    assert (names[0] == names[1]) is (meanings[0] == meanings[1])


def test_a_name_is_what_mail_programs_take():
    name = message_id(ADA, 1, DOMAIN)
    assert name == "<" + name[1:-1] + ">"
    assert len(name) < 78
    assert name.isascii()
