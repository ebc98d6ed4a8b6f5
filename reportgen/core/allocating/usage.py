"""The API's overlapping views turned into disjoint usage records.

Per billing day and product, with U for a principal, O for an organization, C for a principal within
one, S for a session and E for the enterprise:

    (o,u,s)  S                         (o,u)  C - its sessions
    (-,u)    U - what is known of u within organizations
    (o,-)    O - what is known of principals within o
    (-,-)    E - all other cells, the balancing cell

The quantities add up to E by construction. That no ACU is charged twice is a law of its own: a C
that is missing is never taken for zero. Where an unknown C may overlap, U and O cannot both keep
their residual on that day and product; the lower-ranking one gets no cell, and the balancing cell
takes what is left.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from reportgen.core.allocating.match import Subject
from reportgen.core.model import (
    ANY_PRODUCT,
    CASCADE_TERMINAL,
    DEVIN,
    UNSPECIFIED,
    Cell,
    Directory,
    Discrepancy,
    Pair,
    Principal,
    Quantities,
    Session,
    Usage,
    UsageRecord,
    View,
    Views,
)
from reportgen.core.money import ZERO, add, subtract, total
from reportgen.core.packed import packed

MOST_VIEWS_NAMED = 10
"""Of the views that together exceed the enterprise's, the largest are named."""
REMAINDERS = {UNSPECIFIED, CASCADE_TERMINAL}
"""Products that no answer names: what a total has beyond those it does."""
K = TypeVar("K", str, Principal)
R = TypeVar("R", str, Principal)


@dataclass(frozen=True, kw_only=True, slots=True)
class Residual:
    """What finer views (`parts`) leave of a coarser one.

    What is left of a cell within the tolerance is not in `quantities`, but in the gross sum of it.
    Organization, principal and session name the cell of the ledger; an empty string stands for
    none.
    """

    org_id: str = ""
    principal: Principal | None = None
    session_id: str = ""
    view: View
    parts: tuple[View, ...] = ()
    quantities: Quantities = field(default_factory=dict)
    within_tolerance: Decimal = ZERO


def products_of_day(
    acus: Decimal, products: Mapping[str, Decimal], tolerance: Decimal
) -> tuple[dict[str, Decimal], Decimal]:
    """Give a day's products, and how much of `acus` they leave unexplained within the tolerance.

    What exceeds the tolerance is the product `unspecified`, so that every total is the sum of its
    products.

    >>> products_of_day(Decimal("5"), {"devin": Decimal("3")}, Decimal("0.000001"))
    ({'devin': Decimal('3'), 'unspecified': Decimal('2')}, Decimal('0'))
    """
    left = subtract(acus, total(products.values()))
    if left.copy_abs() <= tolerance:
        return dict(products), left.copy_abs()
    return {**products, UNSPECIFIED: add(left, products.get(UNSPECIFIED, ZERO))}, ZERO


def credits_in(quantities: Quantities) -> Quantities:
    """Give the cells of a view that are below zero by themselves.

    A product that stands for the rest of a total is so only as far as the day's total is: below
    that, the products of the view exceed it.
    """
    credited = {}
    for cell in [cell for cell, acus in quantities.items() if acus < 0]:
        acus = quantities[cell]
        if cell[1] in REMAINDERS:
            acus = max(acus, total(one for (day, _), one in quantities.items() if day == cell[0]))
        if acus < 0:
            credited[cell] = acus
    return credited


def decompose(views: Views, directory: Directory, *, user_first: bool, tolerance: Decimal) -> Usage:
    """Partition the enterprise total into disjoint records, sorted, zeros left out.

    `user_first` tells whether a user rule outranks an organization rule: it decides who keeps a
    residual where the two cannot be told apart. A negative residual beyond `tolerance` (ACUs) stays
    in the ledger; as far as its view is not negative itself, a credit, it is a discrepancy.
    """
    residuals = _settled(views, directory, user_first=user_first, tolerance=tolerance)
    return _partition(views, residuals, tolerance)


def _settled(
    views: Views, directory: Directory, *, user_first: bool, tolerance: Decimal
) -> list[Residual]:
    """Give every cell but the balancing one."""
    leaves, users, organizations = _residuals(views, directory, tolerance)
    if user_first:
        organizations = _undisputed(organizations, users, _users_known_in(views))
    else:
        users = _undisputed(users, organizations, _organizations_known_of(views))
    return [*leaves, *users.values(), *organizations.values()]


def holder_of(session: Session, views: Views, *, user_first: bool) -> Subject:
    """Name the record that holds what a session used: its own, its owner's, an organization's.

    Without C it is in what U or O leave, whichever of them keeps it (`decompose`).
    """
    org_id, owner = session.org_id, session.principal
    if (view := views.sessions.get(session.session_id)) and view.quantities:
        return org_id, *(owner or ("", "")), session.session_id
    if owner is None:
        return org_id, "", "", ""
    if (org_id, owner) in views.pairs:
        return org_id, *owner, ""
    if owner in views.principals and (user_first or org_id not in views.organizations):
        return "", *owner, ""
    return org_id, "", "", ""


def cells_of(
    views: Views,
    directory: Directory,
    subjects: Container[Subject],
    *,
    user_first: bool,
    tolerance: Decimal,
) -> dict[Subject, dict[date, Decimal]]:
    """Give what the records of some subjects come to of `devin`, by day."""
    cells: dict[Subject, dict[date, Decimal]] = {}
    for residual in _settled(views, directory, user_first=user_first, tolerance=tolerance):
        if (subject := _subject(residual)) in subjects:
            quantities = residual.quantities.items()
            cells[subject] = {day: acus for (day, product), acus in quantities if product == DEVIN}
    return cells


def open_pairs(views: Views, directory: Directory, tolerance: Decimal) -> list[Pair]:
    """List pairs whose C is unknown although both residuals are positive on a day and product.

    These are the questions to ask before `decompose` has to leave a residual out; those that share
    most days and products come first, as they are the likeliest.
    """
    _, users, organizations = _residuals(views, directory, tolerance)
    rivals, known = _Rivals(users), _users_known_in(views)
    disputed: Counter[Pair] = Counter()
    for org_id, residual in organizations.items():
        for cell, acus in residual.quantities.items():
            disputed.update(
                (org_id, principal)
                for principal in rivals.at(cell, acus) - known.get(org_id, set())
            )
    return sorted(sorted(disputed), key=disputed.__getitem__, reverse=True)


def with_unknown_users(views: Views, directory: Directory, tolerance: Decimal) -> list[str]:
    """List the organizations that used more than is known of anybody in them."""
    _, _, organizations = _residuals(views, directory, tolerance)
    return sorted(org_id for org_id, residual in organizations.items() if residual.quantities)


def _residuals(
    views: Views, directory: Directory, tolerance: Decimal
) -> tuple[list[Residual], dict[Principal, Residual], dict[str, Residual]]:
    """Give what is known within organizations, and what that leaves of every U and O."""
    leaves = _leaves(views, directory, tolerance)
    users = {
        principal: _subtract(Residual(principal=principal, view=view), parts, tolerance)
        for principal, view, parts in _with_parts(
            views.principals, views, leaves, lambda leaf: leaf.principal
        )
    }
    leaves = [*leaves, *_unowned_sessions(views, directory, users)]
    organizations = {
        org_id: _subtract(Residual(org_id=org_id, view=view), parts, tolerance)
        for org_id, view, parts in _with_parts(
            views.organizations, views, leaves, lambda leaf: leaf.org_id
        )
    }
    return leaves, users, organizations


def _with_parts(
    coarser: Mapping[K, View],
    views: Views,
    leaves: Iterable[Residual],
    key: Callable[[Residual], K | None],
) -> Iterator[tuple[K, View, list[View]]]:
    """Give each coarser view with the finer ones below it.

    Where C is known it contains its sessions; where it is not, its sessions are all that is known
    of it.
    """
    parts: dict[K | None, list[View]] = defaultdict(list)
    for leaf in leaves:
        if not (
            leaf.session_id and leaf.principal and (leaf.org_id, leaf.principal) in views.pairs
        ):
            parts[key(leaf)].append(leaf.view)
    return ((name, view, parts.get(name, [])) for name, view in coarser.items())


def _leaves(views: Views, directory: Directory, tolerance: Decimal) -> list[Residual]:
    """Give what principals used within organizations: sessions asked for, and C without them."""
    sessions: dict[Pair, list[View]] = defaultdict(list)
    leaves = []
    for session, view in _known_sessions(views, directory):
        if session.principal:
            sessions[session.org_id, session.principal].append(view)
            place = Residual(
                org_id=session.org_id,
                principal=session.principal,
                session_id=session.session_id,
                view=view,
            )
            leaves.append(_subtract(place, (), tolerance))
    for (org_id, principal), view in sorted(views.pairs.items()):
        pair = Residual(org_id=org_id, principal=principal, view=view)
        leaves.append(_subtract(pair, sessions.get((org_id, principal), ()), tolerance))
    return leaves


def _unowned_sessions(
    views: Views, directory: Directory, users: Mapping[Principal, Residual]
) -> Iterator[Residual]:
    """Give sessions whose owner is not told, where they can be nobody's ACUs charged already.

    They may be part of a C that is known, or of the residual of a U whose C is not: there they are
    left to it.
    """
    rivals, known, within = (
        _Rivals(users),
        _users_known_in(views),
        _cells_within_organizations(views),
    )
    for session, view in _known_sessions(views, directory):
        if session.principal is None:
            quantities = {
                cell: acus
                for cell, acus in view.quantities.items()
                if acus
                and not within.get(session.org_id, frozenset()) & _overlapping(cell)
                and rivals.at(cell, acus) <= known.get(session.org_id, frozenset())
            }
            kept = View(requests=view.requests, quantities=quantities)
            yield Residual(
                org_id=session.org_id,
                session_id=session.session_id,
                view=kept,
                quantities=quantities,
            )


def _known_sessions(views: Views, directory: Directory) -> Iterator[tuple[Session, View]]:
    for session_id, view in sorted(views.sessions.items()):
        if session := directory.sessions.get(session_id):
            yield session, view


def _cells_within_organizations(views: Views) -> dict[str, set[Cell]]:
    """Give the cells in which somebody's C is not zero; whole days where products are not told."""
    cells: dict[str, set[Cell]] = defaultdict(set)
    for (org_id, _), view in views.pairs.items():
        for (day, product), acus in view.quantities.items():
            if acus:
                cells[org_id] |= {(day, product), (day, ANY_PRODUCT)}
    return cells


def _overlapping(cell: Cell) -> set[Cell]:
    """Give the cells that may hold the same ACUs: a product, and what was reported without one."""
    day, product = cell
    return {(day, ANY_PRODUCT)} if product == UNSPECIFIED else {cell, (day, UNSPECIFIED)}


def _subtract(place: Residual, parts: Iterable[View], tolerance: Decimal) -> Residual:
    """Take the parts from the view; a difference within the tolerance becomes zero."""
    parts = tuple(parts)
    if not parts:
        return replace(
            place, quantities={cell: acus for cell, acus in place.view.quantities.items() if acus}
        )
    left = dict(place.view.quantities)
    for part in parts:
        for cell, acus in part.quantities.items():
            left[cell] = subtract(left.get(cell, ZERO), acus)
    kept = {cell: acus for cell, acus in left.items() if acus.copy_abs() > tolerance}
    within = total(acus.copy_abs() for cell, acus in left.items() if cell not in kept)
    return replace(place, parts=parts, quantities=kept, within_tolerance=within)


def _undisputed(
    residuals: Mapping[K, Residual], rivals: Mapping[R, Residual], known: Mapping[K, AbstractSet[R]]
) -> dict[K, Residual]:
    """Leave out cells where a rival's residual may be the same ACUs, as their C is not known."""
    rivalry = _Rivals(rivals)
    return {
        key: replace(
            residual,
            quantities={
                cell: acus
                for cell, acus in residual.quantities.items()
                if rivalry.at(cell, acus) <= known.get(key, frozenset())
            },
        )
        for key, residual in residuals.items()
    }


class _Rivals(Generic[R]):
    """Who has a residual in which cell, by sign: credits cannot be the same ACUs as consumption."""

    def __init__(self, residuals: Mapping[R, Residual]) -> None:
        self._by_cell: dict[tuple[bool, Cell], set[R]] = defaultdict(set)
        for key, residual in residuals.items():
            for (day, product), acus in residual.quantities.items():
                self._by_cell[acus > 0, (day, product)].add(key)
                self._by_cell[acus > 0, (day, ANY_PRODUCT)].add(key)

    def at(self, cell: Cell, acus: Decimal) -> set[R]:
        """Give those whose residual may be the same ACUs."""
        rivals = (self._by_cell.get((acus > 0, place), set()) for place in _overlapping(cell))
        return set().union(*rivals)


def _users_known_in(views: Views) -> dict[str, set[Principal]]:
    users: dict[str, set[Principal]] = defaultdict(set)
    for org_id, principal in views.pairs:
        users[org_id].add(principal)
    return users


def _organizations_known_of(views: Views) -> dict[Principal, set[str]]:
    organizations: dict[Principal, set[str]] = defaultdict(set)
    for org_id, principal in views.pairs:
        organizations[principal].add(org_id)
    return organizations


def _partition(views: Views, residuals: list[Residual], tolerance: Decimal) -> Usage:
    """Close the partition with the balancing cell: the enterprise total minus all other cells."""
    control = {cell: acus for cell, acus in views.enterprise.quantities.items() if acus}
    balancing = dict(control)
    for residual in residuals:
        for cell, acus in residual.quantities.items():
            balancing[cell] = subtract(balancing.get(cell, ZERO), acus)
    nobody = Residual(
        view=views.enterprise, quantities={cell: acus for cell, acus in balancing.items() if acus}
    )
    return Usage(
        control=control,
        records=packed(UsageRecord, _records([*residuals, nobody])),
        balancing=nobody.quantities,
        discrepancies=tuple(sorted(_discrepancies(residuals, nobody, tolerance))),
        within_tolerance=add(
            views.unspecified_within_tolerance,
            total(residual.within_tolerance for residual in residuals),
        ),
    )


def _records(residuals: Iterable[Residual]) -> Iterator[UsageRecord]:
    """Give the records of all residuals by day and product, then by whose they are."""
    cells: dict[Cell, list[tuple[Quantities, Subject, tuple[str, ...]]]] = defaultdict(list)
    for residual in sorted(residuals, key=_subject):
        held = residual.quantities, _subject(residual), _requests(residual)
        for cell in residual.quantities:
            cells[cell].append(held)
    for cell in sorted(cells):
        for quantities, subject, requests in cells[cell]:
            yield UsageRecord(*cell, *subject, quantities[cell], requests)


def _subject(residual: Residual) -> Subject:
    return residual.org_id, *(residual.principal or ("", "")), residual.session_id


def _requests(residual: Residual) -> tuple[str, ...]:
    """Name the view of a cell, and what was subtracted from it where that is the same principal's.

    What was taken from an organization or the enterprise is every other row of the ledger below it.
    """
    return _requests_of((residual.view, *(residual.parts if residual.principal else ())))


def _requests_of(views: Iterable[View]) -> tuple[str, ...]:
    return tuple(request for view in views for request in view.requests)


def _discrepancies(
    residuals: Iterable[Residual], nobody: Residual, tolerance: Decimal
) -> Iterator[Discrepancy]:
    """Report finer views that exceed a coarser one; what is a credit there is none."""
    for residual in residuals:
        for cell in _below(residual, tolerance):
            finer = [part for part in residual.parts if cell in part.quantities]
            yield _discrepancy(residual, cell, finer)
    for cell in _below(nobody, tolerance):
        yield _discrepancy(nobody, cell, _largest(residuals, cell))


def _largest(residuals: Iterable[Residual], cell: Cell) -> list[View]:
    """Give the views that leave most in a cell, as many as a discrepancy names."""
    ordered = sorted(
        (residual for residual in residuals if cell in residual.quantities),
        key=lambda residual: (residual.quantities[cell], residual.view.requests),
        reverse=True,
    )
    return [residual.view for residual in ordered[:MOST_VIEWS_NAMED]]


def _below(residual: Residual, tolerance: Decimal) -> list[Cell]:
    """List the cells that went further below zero than the view was by itself."""
    below = [cell for cell, acus in residual.quantities.items() if acus < -tolerance]
    owed = credits_in(residual.view.quantities) if below else {}
    return [
        cell
        for cell in below
        if subtract(residual.quantities[cell], owed.get(cell, ZERO)) < -tolerance
    ]


def _discrepancy(residual: Residual, cell: Cell, finer: Iterable[View]) -> Discrepancy:
    day, product = cell
    return Discrepancy(
        day=day,
        product=product,
        org_id=residual.org_id,
        principal_id=residual.principal.id if residual.principal else "",
        acus=residual.quantities[cell],
        views=_requests_of((residual.view, *finer)),
    )
