"""Rows by the million in little memory: what is alike is kept once, a number as its text.

A row is made for whoever looks at it, and kept by nobody.

Law: what comes out is what went in, in its order, to the last zero that a number was written with.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import accumulate, chain, groupby, islice, pairwise, repeat
from operator import eq
from typing import Any, Generic, Protocol, TypeVar, overload

R = TypeVar("R", bound=tuple[Any, ...])
"""A NamedTuple."""
C = TypeVar("C")
K = TypeVar("K")
BATCH = 4096
"""So many rows are packed, and made again, at a time."""
WIDTHS, FIRST_BEYOND = "BHI", (1 << 8, 1 << 16)
"""What places are written with, in one, two or four bytes, and the first without room in each."""

Batch = tuple[int, list[Any]]
"""How many rows, and what each column keeps of them."""


class Packed(Sequence[R]):
    """Rows of one kind, which cannot be changed; it is equal to any sequence of the same rows.

    Another process gets the rows themselves.
    """

    def __init__(self, packing: "Packing[R]", batches: Iterable[Batch]) -> None:
        """Take what has been packed."""
        self._packing, self._batches = packing, tuple(batches)
        self._ends = tuple(accumulate(count for count, _ in self._batches))

    def __len__(self) -> int:
        """Count the rows."""
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[R]:
        """Make one row after the other."""
        return chain.from_iterable(map(self._packing.rows, self._batches))

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[R, ...]: ...
    def __getitem__(self, place: int | slice) -> R | tuple[R, ...]:
        """Make a row, or some."""
        if isinstance(place, slice):
            return tuple(self)[place]
        index = range(len(self))[place]
        batch = bisect_right(self._ends, index)
        begin = (0, *self._ends)[batch]
        return next(islice(self._packing.rows(self._batches[batch]), index - begin, None))

    def __eq__(self, other: object) -> bool:
        """Compare the rows."""
        if not isinstance(other, Packed | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        """Give the hash of a tuple of the same rows, as that is equal."""
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type, tuple[list[R]]]:
        """Travel as a tuple of the rows."""
        return tuple, (list(self),)

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"<{len(self)} packed rows>"


class Packing(Generic[R]):
    """How rows of one kind are kept; all that are packed by it share what is alike in them."""

    def __init__(self, kind: type[R]) -> None:
        """Take the NamedTuple that the rows are of."""
        types: dict[str, object] = kind.__annotations__
        self._make: Callable[[tuple[Any, ...]], R] = partial(tuple.__new__, kind)
        self._columns = tuple(map(_column, types.values()))

    def packed(self, rows: Iterable[R]) -> Packed[R]:
        """Pack rows; of those that come one by one few are held."""
        waiting, batches = iter(rows), []
        while some := tuple(islice(waiting, BATCH)):
            batches.append(self.joined(self.nothing(), self.coded(some)))
        return Packed(self, batches)

    def nothing(self) -> Batch:
        """Give a batch without a row."""
        return 0, [column.nothing() for column in self._columns]

    def coded(self, rows: Sequence[R]) -> list[Sequence[Any]]:
        """Give what each column keeps of each of some rows, of which there are any."""
        values = zip(*rows, strict=True)
        return [column.coded(own) for column, own in zip(self._columns, values, strict=True)]

    def joined(self, batch: Batch, coded: Sequence[Sequence[Any]]) -> Batch:
        """Put rows behind those of a batch, which is used up."""
        count, kept = batch
        columns = zip(self._columns, kept, coded, strict=True)
        return count + len(coded[0]), [column.joined(some, own) for column, some, own in columns]

    def rows(self, batch: Batch) -> Iterator[R]:
        """Make the rows of a batch."""
        values = (column.values(kept) for column, kept in zip(self._columns, batch[1], strict=True))
        return map(self._make, zip(*values, strict=True))


class Packers(Generic[R]):
    """Packs rows for many, of which each gets a few at a time; all of them share a packing."""

    def __init__(self, packing: Packing[R]) -> None:
        """Begin without a row."""
        self._packing = packing
        self._batches: dict[str, list[Batch]] = defaultdict(lambda: [packing.nothing()])

    def extend(self, rows: Mapping[str, Sequence[R]]) -> None:
        """Put rows behind those of each: they are coded together, as a few alone take as long."""
        if not (some := list(chain.from_iterable(rows.values()))):
            return
        coded = self._packing.coded(some)
        places = pairwise(accumulate(map(len, rows.values()), initial=0))
        for name, (begin, end) in zip(rows, places, strict=True):
            if begin == end:
                continue
            batches = self._batches[name]
            batches[-1] = self._packing.joined(batches[-1], [own[begin:end] for own in coded])
            if batches[-1][0] >= BATCH:
                batches.append(self._packing.nothing())

    def packed(self) -> dict[str, Packed[R]]:
        """Give what has been packed, in the order of the names."""
        return {
            name: Packed(self._packing, filter(_has_rows, batches))
            for name, batches in sorted(self._batches.items())
        }


def packed(kind: type[R], rows: Iterable[R]) -> Packed[R]:
    """Pack rows that share nothing with others."""
    return Packing(kind).packed(rows)


def _has_rows(batch: Batch) -> bool:
    return batch[0] > 0


class _Column(Protocol[K, C]):
    """Keeps the values of a field, each as its code."""

    def nothing(self) -> K: ...
    def coded(self, values: Sequence[Any]) -> Sequence[C]: ...
    def joined(self, kept: K, codes: Sequence[C]) -> K: ...
    def values(self, kept: K) -> Iterable[object]: ...


def _column(kind: object) -> _Column[Any, Any]:
    """Choose how a field is kept, by its type."""
    if kind is Decimal:
        return _Numbers()
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        return _Rows(kind)
    return _Alike(of_numbers=kind == Decimal | None)


class _Numbers:
    """Numbers, each as its text: most are short, and it tells `2.50` from `2.5`."""

    def nothing(self) -> str:
        return ""

    def coded(self, values: Sequence[Decimal]) -> Sequence[str]:
        return list(map(str, values))

    def joined(self, kept: str, codes: Sequence[str]) -> str:
        return " ".join([kept, *codes]) if kept else " ".join(codes)

    def values(self, kept: str) -> Iterable[Decimal]:
        return map(Decimal, kept.split())


class _Alike:
    """Values of which many are alike, each as its place among all that there are."""

    def __init__(self, *, of_numbers: bool) -> None:
        """Tell numbers, which may be missing, apart by their text: `2.50` is equal to `2.5`."""
        self._of_numbers = of_numbers
        self._places: defaultdict[Any, int] = defaultdict()
        self._places.default_factory = self._places.__len__
        self._known: list[Any] = []

    def nothing(self) -> "array[int]":
        return array(WIDTHS[0])

    def coded(self, values: Sequence[Any]) -> Sequence[int]:
        keys = map(_text_of, values) if self._of_numbers else values
        return list(map(self._places.__getitem__, keys))

    def joined(self, kept: "array[int]", codes: Sequence[int]) -> "array[int]":
        width = WIDTHS[bisect_right(FIRST_BEYOND, max(codes))]
        if WIDTHS.index(kept.typecode) < WIDTHS.index(width):
            kept = array(width, kept)
        kept.extend(codes)
        return kept

    def values(self, kept: "array[int]") -> Iterable[Any]:
        if len(self._known) < len(self._places):
            more = islice(self._places, len(self._known), None)
            self._known.extend(map(_number_of, more) if self._of_numbers else more)
        return map(self._known.__getitem__, kept)


class _Rows:
    """Rows in rows: one that comes several times in a row is kept once, and how often it comes."""

    def __init__(self, kind: type[Any]) -> None:
        """Take the NamedTuple that they are of."""
        self._packing: Packing[Any] = Packing(kind)

    def nothing(self) -> "tuple[array[int], Batch]":
        return array(WIDTHS[-1]), self._packing.nothing()

    def coded(self, values: Sequence[Any]) -> Sequence[Any]:
        return values

    def joined(
        self, kept: "tuple[array[int], Batch]", codes: Sequence[Any]
    ) -> "tuple[array[int], Batch]":
        times, batch = kept
        alike = [(row, len(list(same))) for row, same in groupby(codes)]
        times.extend(count for _, count in alike)
        return times, self._packing.joined(batch, self._packing.coded([row for row, _ in alike]))

    def values(self, kept: "tuple[array[int], Batch]") -> Iterable[Any]:
        times, batch = kept
        return chain.from_iterable(map(repeat, self._packing.rows(batch), times))


def _text_of(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number_of(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
