"""Who can be recognised in documents: all by name, by a number the archive resolves, or nobody.

Law: unless names are shown, what is given back holds no name, e-mail or id of anybody, and every
ACU and amount stands as it was.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate, groupby
from operator import attrgetter

from reportgen.core.allocating.directory import principal_of
from reportgen.core.model import (
    Allocation,
    ByOrganization,
    ByTag,
    CostCenter,
    CostCenterChange,
    CostCenterTotals,
    CycleTotals,
    DetailRow,
    Directory,
    Discrepancy,
    Entry,
    Invoice,
    Moved,
    Principal,
    PullRequest,
    SessionUse,
    Statement,
    TagUse,
    UnallocatedPart,
    UsageRecord,
    UsersShown,
    Variance,
)
from reportgen.core.money import total
from reportgen.core.packed import Packing

Pseudonyms = Mapping[Principal, Principal]
WITHHELD = "…"
"""What stands in a request for somebody who is not shown."""
LONGEST_NAME = 8
"""Words that a name is looked for in."""
_ASKED = re.compile(r"(?:(?<=users/)|(?<=daily/)|(?<=user=)|(?<=user_id=)|(?<=user_ids=))[^/?&\s]+")
"""Where a request says whom it asks for."""
_SESSION = re.compile(r"(?<=sessions/)(?!\{)[^/?&\s]+")
"""Where it names a session, which leads to whoever began it."""
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def redacted(
    statement: Statement, directory: Directory, users: UsersShown
) -> tuple[Statement, Directory]:
    """Give a statement and who is who as documents may show them; all in them have a number."""
    if users == "names":
        return statement, directory
    pseudonyms = {principal: _pseudonym(entry) for principal, entry in directory.entries.items()}
    kept = pseudonyms if users == "pseudonyms" else {}
    return _redacted(without_titles(statement, users), directory, kept), Directory(
        entries={principal: Entry(principal=principal) for principal in sorted(kept.values())},
        organizations=directory.organizations,
    )


def _redacted(
    statement: Statement, directory: Directory, kept: Mapping[Principal, Principal]
) -> Statement:
    """Give each person in a statement the pseudonym that is `kept` for them, or leave them out."""
    words = {
        word: kept[principal].id if kept else WITHHELD
        for principal, entry in directory.entries.items()
        for word in (principal.id, entry.email)
        if word
    }
    known = {
        word.casefold()
        for entry in directory.entries.values()
        for word in (entry.principal.id, entry.email, entry.name)
        if word
    }
    packing = Packing(DetailRow)
    return replace(
        statement,
        heading=replace(
            statement.heading,
            missing_views=tuple(
                replace(view, request=_without_words(view.request, words))
                for view in statement.heading.missing_views
            ),
        ),
        invoices=tuple(_invoice(one, kept, known, packing) for one in statement.invoices),
        discrepancies=tuple(
            _discrepancy(discrepancy, words) for discrepancy in statement.discrepancies
        ),
        by_organization=_by_organization(statement.by_organization, kept),
        unallocated=replace(statement.unallocated, parts=_parts(statement.unallocated.parts, kept)),
        variance=_variance(statement.variance, kept) if statement.variance else None,
        earlier=tuple(map(_totals, statement.earlier)),
    )


def without_titles(statement: Statement, users: UsersShown) -> Statement:
    """Leave out what sessions are called and where they lie, unless names are shown.

    A title is somebody's words, and an id or an address leads to whoever began the session.
    """
    if users == "names":
        return statement
    return replace(statement, invoices=tuple(map(_untitled, statement.invoices)))


def _untitled(invoice: Invoice) -> Invoice:
    sessions = (
        replace(
            session,
            session_id="",
            title="",
            url="",
            pull_requests=tuple(PullRequest("", one.state) for one in session.pull_requests),
        )
        for session in invoice.sessions.sessions
    )
    return replace(invoice, sessions=replace(invoice.sessions, sessions=tuple(sessions)))


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownAllocations:
    """A ledger as it may be handed out; it can be gone through again and again.

    Unless names are shown, sessions and requests, which lead to people, are left out. Where nobody
    is shown, rules are as well, and the order of records tells nothing of whose they are.
    """

    allocations: Sequence[Allocation]
    directory: Directory
    users: UsersShown

    def __iter__(self) -> Iterator[Allocation]:
        """Give the allocations, those of a record one after the other."""
        if self.users == "names":
            return iter(self.allocations)
        if self.users == "none":
            return self._of_nobody()
        return self._by_pseudonyms()

    def _by_pseudonyms(self) -> Iterator[Allocation]:
        shown = {key: _pseudonym(entry).id for key, entry in self.directory.entries.items()}
        for one in self.allocations:
            record, kind = one.record, one.record.principal_kind
            known = shown[principal_of(kind, record.principal_id)] if record.principal_id else ""
            yield one._replace(record=_anonymous(record, kind, known))

    def _of_nobody(self) -> Iterator[Allocation]:
        records = [
            (_anonymous(record, "", ""), [one._replace(rule="") for one in parts])
            for record, parts in groupby(self.allocations, key=attrgetter("record"))
        ]
        for record, parts in sorted(
            records, key=lambda one: (one[0], [part[1:7] for part in one[1]])
        ):
            yield from (one._replace(record=record) for one in parts)


def _anonymous(record: UsageRecord, kind: str, shown: str) -> UsageRecord:
    return record._replace(principal_kind=kind, principal_id=shown, session_id="", requests=())


def _pseudonym(entry: Entry) -> Principal:
    kind = entry.principal.kind
    return Principal(kind, f"{kind.replace('_', '-')}-{entry.number}")


def _center(center: CostCenter, known: AbstractSet[str]) -> CostCenter:
    """Leave out contacts, and fields that name somebody: one who is known, or an address."""
    fields = ((label, text) for label, text in center.fields if not _names_somebody(text, known))
    return replace(center, contacts=(), fields=tuple(fields))


def _names_somebody(text: str, known: AbstractSet[str]) -> bool:
    """Tell whether there is an address in a text, or words in a row that are somebody's name."""
    words = [word.strip("();:.") for word in text.casefold().replace(",", " ").split()]
    rows = (
        row
        for start in range(len(words))
        for row in accumulate(words[start:][:LONGEST_NAME], "{} {}".format)
    )
    return "@" in text or any(row in known for row in rows)


def _invoice(
    invoice: Invoice, kept: Pseudonyms, known: AbstractSet[str], packing: Packing[DetailRow]
) -> Invoice:
    """Show whose usage it is by pseudonyms, or not at all where nobody is kept."""
    rows = [_row(row, kept) for row in invoice.detail]
    return replace(
        invoice,
        cost_center=_center(invoice.cost_center, known),
        by_principal=tuple(
            replace(usage, principal_id=_id(usage.principal_kind, usage.principal_id, kept))
            for usage in invoice.by_principal
            if kept
        ),
        detail=packing.packed(_merged(rows)),
        sessions=replace(
            invoice.sessions,
            sessions=tuple(_session(one, kept, known) for one in invoice.sessions.sessions),
        ),
        by_tag=_by_tag(invoice.by_tag, known) if invoice.by_tag else None,
    )


def _session(session: SessionUse, kept: Pseudonyms, known: AbstractSet[str]) -> SessionUse:
    """Show whose session it is by a pseudonym, or not; a tag that names somebody is left out."""
    shown = _id(session.principal_kind, session.principal_id, kept)
    return replace(
        session,
        principal_kind=session.principal_kind if shown else "",
        principal_id=shown,
        tags=tuple(tag for tag in session.tags if not _of_somebody(tag, known)),
    )


def _by_tag(by_tag: ByTag, known: AbstractSet[str]) -> ByTag:
    """Put together what stands under tags that name somebody."""
    named = [row for row in by_tag.rows if any(_of_somebody(tag, known) for tag in row.tags)]
    if not named:
        return by_tag
    sums = TagUse(
        tags=(WITHHELD,),
        sessions=Counter({row.tags: row.sessions for row in named}).total(),
        acus=total(row.acus for row in named),
        amount=total(row.amount for row in named),
    )
    others = [row for row in by_tag.rows if row not in named]
    return replace(by_tag, rows=tuple(sorted([*others, sums], key=_by_amount, reverse=True)))


def _by_amount(row: TagUse) -> tuple[bool, Decimal, Decimal]:
    return bool(row.tags), row.amount, row.acus


def _of_somebody(tag: str, known: AbstractSet[str]) -> bool:
    """Tell whether a tag names somebody, as `owner:ada_lovelace` does."""
    return _names_somebody(_words_of(tag), known)


def _words_of(tag: str) -> str:
    """Write a tag in words: its key and value, which may be an id, and all parts of both."""
    return " ".join(re.sub(signs, " ", tag) for signs in ("[:=;]", "[:=;/_.|-]"))


def _row(row: DetailRow, kept: Pseudonyms) -> DetailRow:
    shown = _id(row.principal_kind, row.principal_id, kept)
    return row._replace(principal_kind=row.principal_kind if shown else "", principal_id=shown)


def _id(kind: str, principal_id: str, kept: Pseudonyms) -> str:
    if not principal_id or not kept:
        return ""
    return kept[principal_of(kind, principal_id)].id


def _merged(rows: Iterable[DetailRow]) -> Iterable[DetailRow]:
    """Add up what cannot be told apart any more, in an order that tells nothing of who it was."""

    def key(row: DetailRow) -> tuple[object, ...]:
        return (
            *(row.day, row.product, row.org_id, row.principal_kind, row.principal_id, row.kind),
            *(row.unit_price is not None, row.unit_price or 0),
        )

    for _, same in groupby(sorted(rows, key=key), key):
        alike = list(same)
        yield alike[0]._replace(
            acus=total(row.acus for row in alike),
            exact_amount=total(row.exact_amount for row in alike),
        )


def _discrepancy(discrepancy: Discrepancy, words: Mapping[str, str]) -> Discrepancy:
    return replace(
        discrepancy,
        principal_id=words.get(discrepancy.principal_id, discrepancy.principal_id),
        views=tuple(_without_words(view, words) for view in discrepancy.views),
    )


def _without_words(request: str, words: Mapping[str, str]) -> str:
    """Replace whoever a request asks for, and whose session; the rest of it stands."""

    def shown(match: re.Match[str]) -> str:
        return words.get(_ESCAPED.sub(_unescaped, match[0]), match[0])

    return _SESSION.sub(WITHHELD, _ASKED.sub(shown, request))


def _unescaped(match: re.Match[str]) -> str:
    """Read what is percent-encoded in a request."""
    return bytes.fromhex(match[0].replace("%", "")).decode(errors="replace")


def _by_organization(
    rows: Sequence[ByOrganization], kept: Pseudonyms
) -> tuple[ByOrganization, ...]:
    """Show rows by pseudonyms, or count the people of each organization and cost center."""
    if kept:
        shown = sorted(row._replace(principal_id=_id(*row[1:3], kept)) for row in rows)
        return tuple(sorted(shown, key=lambda row: (row.amount, row.acus), reverse=True))
    places: dict[tuple[str, str, str], list[ByOrganization]] = defaultdict(list)
    for row in rows:
        places[row.org_id, row.cost_center, row.rule].append(row)
    return tuple(
        ByOrganization(
            *(org_id, "", "", "", code, rule, ""),
            total(row.acus for row in alike),
            total(row.amount for row in alike),
            len({(row.principal_kind, row.principal_id) for row in alike}),
        )
        for (org_id, code, rule), alike in sorted(places.items())
    )


def _parts(parts: Sequence[UnallocatedPart], kept: Pseudonyms) -> tuple[UnallocatedPart, ...]:
    """Show what no rule covers by pseudonyms, or count the people of each cause."""
    if kept:
        shown = sorted(
            part._replace(principal_id=_id(part.principal_kind, part.principal_id, kept))
            for part in parts
        )
    else:
        shown = list(_of_nobody(parts))
    shown.sort(key=lambda part: (part.amount, part.acus), reverse=True)
    return tuple(sorted(shown, key=lambda part: part.cause))


def _of_nobody(parts: Iterable[UnallocatedPart]) -> Iterator[UnallocatedPart]:
    """Add up people by their cause; an organization is nobody in particular."""
    people: dict[str, list[UnallocatedPart]] = defaultdict(list)
    for part in parts:
        if part.principal_id:
            people[part.cause].append(part)
        else:
            yield part
    for cause, alike in sorted(people.items()):
        acus, amount = total(part.acus for part in alike), total(part.amount for part in alike)
        yield UnallocatedPart(cause, "", alike[0].principal_kind, "", acus, amount, len(alike))


def _moved(rows: Sequence[Moved], kept: Pseudonyms) -> tuple[Moved, ...]:
    """Show rows by pseudonyms, or count the people of each way; a rule may be of one alone."""
    if kept:
        shown = sorted(row._replace(principal_id=_id(*row[:2], kept)) for row in rows)
        return tuple(sorted(shown, key=lambda row: (row.amount, row.acus), reverse=True))
    ways: dict[tuple[tuple[str, ...], str], list[Moved]] = defaultdict(list)
    for row in rows:
        ways[row.givers, row.receiver].append(row)
    return tuple(
        Moved(
            *("", "", givers, receiver, ()),
            total(row.acus for row in alike),
            total(row.amount for row in alike),
            len(alike),
        )
        for (givers, receiver), alike in sorted(ways.items())
    )


def _variance(variance: Variance, kept: Pseudonyms) -> Variance:
    return replace(
        variance,
        previous=_totals(variance.previous),
        moved=_moved(variance.moved, kept),
        arrived=_moved(variance.arrived, kept),
        departed=_moved(variance.departed, kept),
        by_cost_center={
            code: _change(change, kept) for code, change in variance.by_cost_center.items()
        },
    )


def _change(change: CostCenterChange, kept: Pseudonyms) -> CostCenterChange:
    new, vanished = (
        tuple(sorted(kept[principal] for principal in principals if kept))
        for principals in (change.new, change.vanished)
    )
    return replace(change, new=new, vanished=vanished)


def _totals(cycle: CycleTotals) -> CycleTotals:
    def without(totals: CostCenterTotals) -> CostCenterTotals:
        return replace(totals, principals=(), used={})

    return replace(
        cycle, cost_centers={code: without(totals) for code, totals in cycle.cost_centers.items()}
    )
