"""Usage by the tags of sessions, as documents list it; each session counts once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reportgen.core.model import ByTag, Heading, Invoice, SessionsUnknown, TagUse
from reportgen.core.money import total
from reportgen.documents.content.labels import NO_TAG, Word
from reportgen.documents.content.sessions import LONGEST_TAG, MOST_TAGS, called, cut, one_line
from reportgen.documents.content.slots import CellValue

TAG_FIELDS = ("tags", "sessions", "acus", "amount")
MOST_ROWS = 30
"""So many stand on paper; the others are one row there, and stand in the workbook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TagRow:
    """What sessions with the same of the tags that are looked for used, each counted once.

    `more_tags` counts those that have no room.
    """

    tags: tuple[str, ...]
    more_tags: int
    sessions: int
    acus: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TagList:
    """Usage by tag: the largest rows, `more` for those that have no room, and the `rest`.

    The rest are sessions without such a tag, and usage of no session; the `whole` is what the
    invoice has of the product. `unknown` says why sessions with such tags may stand with the rest.
    """

    patterns: tuple[str, ...]
    product: str
    rows: tuple[TagRow, ...]
    more: TagUse | None
    more_tags: int
    rest: TagUse
    whole: TagUse
    unknown: SessionsUnknown


def tag_list(invoice: Invoice, heading: Heading) -> TagList | None:
    """List usage by tag; None where nobody wants it, or the invoice has nothing of the product."""
    by_tag, product = invoice.by_tag, called(heading)
    of_usage = [line for line in invoice.lines if line.of_usage]
    if by_tag is None or not (
        any(line.product == product for line in of_usage)
        or (of_usage and by_tag.unknown == "no products")
    ):
        return None
    tagged = [row for row in by_tag.rows if row.tags]
    rest = [row for row in by_tag.rows if not row.tags]
    return TagList(
        patterns=tuple(cut(one_line(pattern), LONGEST_TAG) for pattern in by_tag.patterns),
        product=product,
        rows=tuple(map(_tag_row, tagged[:MOST_ROWS])),
        more=_sum_of(tagged[MOST_ROWS:]) if tagged[MOST_ROWS:] else None,
        more_tags=len(tagged[MOST_ROWS:]),
        rest=_sum_of(rest),
        whole=_sum_of(by_tag.rows),
        unknown=by_tag.unknown,
    )


def tag_cells(by_tag: ByTag | None, word: Word) -> Iterator[Sequence[CellValue]]:
    """Yield the cells of usage by tag, by TAG_FIELDS."""
    for row in by_tag.rows if by_tag else ():
        called = ", ".join(map(one_line, row.tags)) or word(NO_TAG)
        yield called, row.sessions if row.tags else None, row.acus, row.amount


def _tag_row(row: TagUse) -> TagRow:
    shown = tuple(cut(one_line(tag), LONGEST_TAG) for tag in row.tags)
    return TagRow(
        tags=shown[:MOST_TAGS],
        more_tags=len(shown[MOST_TAGS:]),
        sessions=row.sessions,
        acus=row.acus,
        amount=row.amount,
    )


def _sum_of(rows: Sequence[TagUse]) -> TagUse:
    return TagUse(
        tags=(),
        sessions=sum(row.sessions for row in rows),
        acus=total(row.acus for row in rows),
        amount=total(row.amount for row in rows),
    )
