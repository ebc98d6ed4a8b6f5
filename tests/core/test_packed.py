"""What is packed comes out as it went in, whatever it is, and takes a fraction of the memory."""

import pickle
from datetime import date
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.model import Allocation, DetailRow, UsageRecord
from reportgen.core.packed import BATCH, Packed, Packers, Packing, packed
from tests.examples import examples

TEXTS = st.sampled_from(("", "devin", "cascade", "org-1", "user-2", "Zoë", "a b", "\ud800", "\n"))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [Decimal(text) for text in ("2.5", "2.50", "-0", "0E+3", "1E+30", "1e-40", "12.34")]
)
DAYS = st.dates(date(2025, 12, 5), date(2025, 12, 8))
RECORDS = st.builds(
    UsageRecord, DAYS, *[TEXTS] * 5, NUMBERS, st.lists(TEXTS, max_size=2).map(tuple)
)
DETAIL = st.builds(DetailRow, DAYS, *[TEXTS] * 5, NUMBERS, st.none() | NUMBERS, NUMBERS)
ALLOCATIONS = st.builds(
    Allocation,
    RECORDS,
    *[TEXTS] * 5,
    quantity=NUMBERS,
    unit_price=st.none() | NUMBERS,
    rate=TEXTS,
    exact_amount=NUMBERS,
)
SEVERAL = st.lists(ALLOCATIONS, max_size=12).flatmap(
    lambda rows: st.lists(st.sampled_from(rows), max_size=30) if rows else st.just([])
)
KINDS = {UsageRecord: st.lists(RECORDS), DetailRow: st.lists(DETAIL), Allocation: SEVERAL}
ROWS = st.sampled_from(sorted(KINDS, key=lambda kind: kind.__name__)).flatmap(
    lambda kind: st.tuples(st.just(kind), KINDS[kind])
)


class Numbered(NamedTuple):
    """As little as a row can be."""

    number: int


@examples(200)
@given(ROWS)
def test_rows_come_out_as_they_went_in_to_the_last_zero(some) -> None:
    kind, rows = some
    kept = packed(kind, iter(rows))
    assert list(map(repr, kept)) == list(map(repr, rows))
    assert {type(row) for row in kept} <= {kind}
    assert len(kept) == len(rows)


@examples(100)
@given(ROWS, st.slices(30), st.integers(-40, 40))
def test_they_are_a_sequence_like_any_other(some, part, place) -> None:
    kind, rows = some
    kept = packed(kind, rows)
    assert kept[part] == tuple(rows)[part]
    if -len(rows) <= place < len(rows):
        assert kept[place] == rows[place]
    else:
        with pytest.raises(IndexError):
            kept[place]
    assert list(reversed(kept)) == rows[::-1]


@examples(100)
@given(ROWS, ROWS)
def test_they_are_equal_to_the_same_rows_and_to_no_others(some, more) -> None:
    (kind, rows), (other, others) = some, more
    kept = packed(kind, rows)
    assert kept == packed(kind, rows) == rows
    assert tuple(rows) == kept
    assert hash(kept) == hash(tuple(rows))
    assert (kept == packed(other, others)) == (rows == others)
    assert kept != "rows"


@given(ROWS)
def test_another_process_gets_the_rows_alone(some) -> None:
    kind, rows = some
    there = pickle.loads(pickle.dumps(packed(kind, rows)))  # noqa: S301 - our own
    assert type(there) is tuple
    assert list(map(repr, there)) == list(map(repr, rows))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.lists(DETAIL), min_size=1)))
def test_rows_for_many_are_those_of_each_in_their_order(times) -> None:
    packers = Packers(Packing(DetailRow))
    for rows in times:
        packers.extend(rows)
    found = packers.packed()
    assert list(found) == sorted({name for rows in times for name, own in rows.items() if own})
    for name, kept in found.items():
        own = list(chain.from_iterable(rows.get(name, ()) for rows in times))
        assert list(map(repr, kept)) == list(map(repr, own))


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 70_000])
def test_rows_of_many_batches_and_of_more_values_than_two_bytes_count(count) -> None:
    rows = [Numbered(number) for number in range(count)]
    one, many = packed(Numbered, rows), Packers(Packing(Numbered))
    for begin in range(0, count, 1000):
        many.extend({"": rows[begin : begin + 1000]})
    for kept in (one, many.packed().get("", packed(Numbered, ()))):
        assert list(kept) == rows
        assert [kept[place] for place in (0, -1, count // 2)] if count else not kept
        assert kept[count // 3 : count // 2] == tuple(rows[count // 3 : count // 2])


def test_rows_packed_together_share_what_is_alike() -> None:
    packing = Packing(Numbered)
    first, second = (packing.packed([Numbered(number)] * 3) for number in (7, 8))
    assert (list(first), list(second)) == ([(7,)] * 3, [(8,)] * 3)
    assert repr(first) == "<3 packed rows>"
    assert isinstance(first, Packed)
    assert [row.number for row in map(itemgetter(0), [first, second])] == [7, 8]
