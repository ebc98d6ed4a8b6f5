"""What no rule covers: whose it is, what it comes to, and the line that would cover it.

Amounts are apportioned from the invoice lines of the unallocated, whoever bears them, so that they
add up to the statement's figure. A suggestion only ever repeats what the mapping says of somebody
very much alike.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from reportgen.core.allocating.allocate import value_on
from reportgen.core.allocating.directory import principal_of
from reportgen.core.allocating.match import Matcher, Subject, is_pattern, subject_of
from reportgen.core.model import (
    Allocation,
    Directory,
    InvoiceLine,
    Level,
    Mapping,
    Rule,
    Split,
    UnallocatedPart,
)
from reportgen.core.money import EXACT, ZERO, add, plain, round_half_up, round_to_total
from reportgen.core.text import address, did_you_mean, visible

LONGEST_KEY = 1000
"""YAML takes keys of at most 1024 characters."""
ALIKE = Fraction(17, 20)
"""How alike two words must be: a letter of seven may be another."""
MOST_COMPARED = 3000
"""With so many keys of one first letter a word is compared."""
SECTIONS = {"user": ("users", "user_file"), "service_user": ("service_users",), "": ("orgs",)}
"""Where keys of a principal kind, and of organizations, stand; a suggestion goes into the first."""


class Orphan(NamedTuple):
    """Whom no rule covers, by cause: a principal, else an organization, else nobody (empty)."""

    cause: str
    kind: str
    id: str


class UnallocatedRow(NamedTuple):
    """What an orphan used of a product, and the line that would cover it; empty: none is known."""

    cause: str
    id: str
    product: str
    acus: Decimal
    amount: Decimal
    suggestion: str


def unallocated_rows(
    allocations: Iterable[Allocation],
    charged: Iterable[InvoiceLine],
    mapping: Mapping,
    directory: Directory,
    *,
    decimals: int,
    day: date,
) -> list[UnallocatedRow]:
    """Give a row per orphan and product: by cause, largest amount first, then id and product.

    `charged` are all lines, those of nobody included; suggestions repeat what the mapping says on
    `day`.
    """
    unallocated = (one for one in allocations if one.kind == "unallocated")
    lines = [line for line in charged if line.kind == "unallocated"]
    suggest = cache(Suggestions(mapping, directory, day).line)
    rows = [
        UnallocatedRow(orphan.cause, orphan.id, product, acus, amount, suggest(orphan))
        for (orphan, product), (acus, amount) in _sums(unallocated, lines, decimals).items()
    ]
    rows.sort(key=lambda row: (row.id, row.product))
    rows.sort(key=lambda row: row.amount, reverse=True)
    return sorted(rows, key=lambda row: row.cause)


def unallocated_parts(
    allocations: Iterable[Allocation], charged: Iterable[InvoiceLine], decimals: int
) -> tuple[UnallocatedPart, ...]:
    """Give what each orphan comes to over all products: by cause, the largest amount first."""
    unallocated = (one for one in allocations if one.kind == "unallocated")
    lines = [line for line in charged if line.kind == "unallocated"]
    whole: dict[Orphan, tuple[Decimal, Decimal]] = {}
    for (orphan, _), (acus, amount) in _sums(unallocated, lines, decimals).items():
        before = whole.get(orphan, (ZERO, ZERO))
        whole[orphan] = add(before[0], acus), add(before[1], amount)
    parts = [_part(orphan, *sums) for orphan, sums in sorted(whole.items())]
    parts.sort(key=lambda part: (part.amount, part.acus), reverse=True)
    return tuple(sorted(parts, key=lambda part: part.cause))


def _part(orphan: Orphan, acus: Decimal, amount: Decimal) -> UnallocatedPart:
    ids = ("", orphan.kind, orphan.id) if orphan.kind else (orphan.id, "", "")
    return UnallocatedPart(orphan.cause, *ids, acus, amount)


def _orphan(allocation: Allocation) -> Orphan:
    org_id, kind, principal_id, _ = subject_of(allocation.record)
    return Orphan(allocation.cause, kind, principal_id or org_id)


def _sums(
    unallocated: Iterable[Allocation], lines: Iterable[InvoiceLine], decimals: int
) -> dict[tuple[Orphan, str], tuple[Decimal, Decimal]]:
    """Add up ACUs, and apportion the amount of each line to the orphans on it."""
    exact: dict[tuple[str, Decimal | None], dict[Orphan, Decimal]] = defaultdict(
        lambda: defaultdict(lambda: ZERO)
    )
    nothing = ZERO, round_half_up(ZERO, decimals)
    sums: dict[tuple[Orphan, str], tuple[Decimal, Decimal]] = defaultdict(lambda: nothing)
    for allocation in unallocated:
        orphan, product = _orphan(allocation), allocation.record.product
        acus, amount = sums[orphan, product]
        sums[orphan, product] = add(acus, allocation.quantity), amount
        parts = exact[product, allocation.unit_price]
        parts[orphan] = add(parts[orphan], allocation.exact_amount)
    for line in lines:
        parts = exact[line.product, line.unit_price]
        orphans = sorted(parts)
        rounded = round_to_total([parts[orphan] for orphan in orphans], line.amount, decimals)
        for orphan, part in zip(orphans, rounded, strict=True):
            acus, amount = sums[orphan, line.product]
            sums[orphan, line.product] = acus, add(amount, part)
    return sums


class Suggestions:
    """What the mapping says of those most alike, to be asked for lines that would cover an orphan.

    People are alike by the name, or the part of the e-mail before the @, of those whom a key
    matches; a key that matches nobody may be a misspelt id. Ids in use are never compared: the next
    number is somebody else.
    """

    def __init__(self, mapping: Mapping, directory: Directory, day: date) -> None:
        """Index the keys by what they say on a billing day; those that say nothing are left out."""
        self._directory, self._day, self._levels = directory, day, mapping.precedence
        self._matcher = Matcher(mapping.rules, directory)
        self._written = {(rule.section, _folded(rule.key)) for rule in mapping.rules}
        self._known: dict[tuple[str, str], dict[str, Rule]] = defaultdict(dict)
        self._said: dict[str, set[Split | None]] = defaultdict(set)
        names = self._names()
        for rule in sorted(mapping.rules, key=lambda rule: (rule.section, rule.key)):
            if self._split(rule) and not is_pattern(rule):
                self._index(rule, names.get((rule.section, rule.key)))

    def line(self, orphan: Orphan) -> str:
        """Give a line to paste below the section of the cause, or nothing where nobody is alike."""
        level: Level = "user" if orphan.kind else "org"
        section = SECTIONS[orphan.kind][0]
        key = self._key(orphan)
        if level not in self._levels or not key or (section, _folded(key)) in self._written:
            return ""
        own = self._matcher.candidates(level, _subject(orphan))
        rule = own[0] if own else self._nearest(orphan)
        split = self._split(rule) if rule else None
        return f"{_scalar(key, always='@' in key)}: {_shares(split)}" if split else ""

    def code(self, orphan: Orphan) -> str:
        """Give the one cost center of those who are called the same; none where it is not certain.

        Whose own rule is not in force yet is given what that says.
        """
        own = self._matcher.candidates("user" if orphan.kind else "org", _subject(orphan))
        words = filter(None, {_words(word) for word in self._called(orphan)})
        splits = [self._split(rule) for rule in own[:1]] or [
            split for word in words for split in self._said.get(word, ())
        ]
        shares = splits[0].shares if splits and splits[0] else ()
        return shares[0].cost_center if len({*splits}) == len(shares) == 1 else ""

    def _names(self) -> dict[tuple[str, str], list[str]]:
        """Give the names of those whom each key matches."""
        names: dict[tuple[str, str], list[str]] = defaultdict(list)
        people = [
            (Orphan("", *principal), entry.name or "")
            for principal, entry in self._directory.entries.items()
        ]
        places = [
            (Orphan("", "", org_id), name) for org_id, name in self._directory.organizations.items()
        ]
        for orphan, name in [*people, *places]:
            for rule in self._matcher.candidates(
                "user" if orphan.kind else "org", _subject(orphan)
            ):
                names[rule.section, rule.key].append("" if name == orphan.id else name)
        return names

    def _index(self, rule: Rule, names: list[str] | None) -> None:
        local, at, _ = rule.key.rpartition("@")
        likenesses = [_words(local) if at else "", *map(_words, names or ())]
        if names is None and not at:
            self._known[rule.section, f"={_folded(rule.key)[:1]}"].setdefault(rule.key, rule)
        for likeness in filter(None, likenesses):
            self._known[rule.section, likeness[0]].setdefault(likeness, rule)
            self._said[likeness].add(self._split(rule))

    def _nearest(self, orphan: Orphan) -> Rule | None:
        """Find the key that is most alike: by the id, then by the e-mail, then by the name."""
        words = [_words(word) for word in self._called(orphan)]
        asked = [
            (f"={_folded(orphan.id)[:1]}", orphan.id),
            *((likeness[:1], likeness) for likeness in words),
        ]
        for first, word in asked:
            for section in SECTIONS[orphan.kind]:
                known = self._known.get((section, first), {})
                if len(known) > MOST_COMPARED:
                    continue  # among so many somebody is alike by chance, and the search has no end
                if (near := did_you_mean(word, known)) and _much_alike(word, near):
                    return known[near]
        return None

    def _called(self, orphan: Orphan) -> tuple[str, str]:
        """Give the part of the e-mail before the @, and the name."""
        email, name = self._of(orphan)
        return email.rpartition("@")[0], name

    def _of(self, orphan: Orphan) -> tuple[str, str]:
        """Give e-mail and name, as far as they are known."""
        if not orphan.kind:
            name = self._directory.organizations.get(orphan.id, "")
            return "", "" if name == orphan.id else name
        entry = self._directory.entries.get(principal_of(orphan.kind, orphan.id))
        return (entry.email or "", entry.name or "") if entry else ("", "")

    def _key(self, orphan: Orphan) -> str:
        """Give the key to write: people go by their e-mail."""
        email, _ = self._of(orphan)
        keys = (visible(email) if orphan.kind == "user" else "", orphan.id)
        return next(filter(_is_key, keys), "")

    def _split(self, rule: Rule) -> Split | None:
        return (value_on(rule, self._day) or rule.values[0]).split


def _subject(orphan: Orphan) -> Subject:
    return ("", orphan.kind, orphan.id, "") if orphan.kind else (orphan.id, "", "", "")


def _folded(key: str) -> str:
    return address(key) if "@" in key else key


def _words(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def _much_alike(word: str, near: str) -> bool:
    """Tell whether two words are alike enough to charge somebody: a little, something always is."""
    return SequenceMatcher(None, word.casefold(), near.casefold()).ratio() >= ALIKE


def _is_key(text: str) -> bool:
    """Tell whether a text can be a key that means just itself."""
    written = text.isprintable() and text == text.strip() and bool(text.strip("."))
    return written and "*" not in text and len(text) <= LONGEST_KEY


def _weight(weight: Decimal, *, by_weight: bool) -> str:
    return plain(weight) if by_weight else f"{plain(weight.scaleb(2, EXACT))}%"


def _shares(split: Split) -> str:
    """Write a split as the mapping takes it."""
    if len(split.shares) == 1:
        return _scalar(split.shares[0].cost_center)
    written = (
        f"{_scalar(code)}: {_weight(weight, by_weight=split.by_weight)}"
        for code, weight, _ in split.shares
    )
    return f"{{{', '.join(written)}}}"


def _scalar(text: str, *, always: bool = False) -> str:
    """Write a printable text in YAML, in quotes where it may need them."""
    if not always and text != "null" and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
