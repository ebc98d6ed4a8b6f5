"""inputs/history.json: what the cycles before came to, as documents show it beside their own.

Nothing is kept that is not shown: products and people of the cycle before, whose changes are told;
of those before that, amounts and ACUs. Each cycle is read from its own files, never from what a
later one kept of it. Beside the run of cycles that leads up to this one stand all those before it
in the fiscal year.
"""

import csv
import errno
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from reportgen.archive.draft import torn
from reportgen.archive.folder import (
    HISTORY,
    LEDGER,
    MANIFEST,
    STATEMENT,
    cycles_before,
    standing_folder,
)
from reportgen.core.allocating.directory import principal_of
from reportgen.core.comparing.compare import MOST_EARLIER, NOTHING, by_product
from reportgen.core.cycle import BOUNDARY_SECONDS, BillingCycle
from reportgen.core.model import (
    CostCenterTotals,
    Counted,
    CycleTotals,
    CycleUnitCosts,
    InvoiceLine,
    LineKind,
    NotCounted,
    Principal,
    PrincipalKind,
    ProductTotals,
    UnitCosts,
)
from reportgen.core.money import ZERO, add, decimals_of, plain, total
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system
from reportgen.core.written.tables import FORMULA_MARK
from reportgen.files import content_of, opened

SCHEMA: Literal["reportgen.history/1"] = "reportgen.history/1"
LONGEST_CELL = 2**31 - 1
"""Somebody's row in a thousand organizations names more answers than Python's reader takes."""
_QUANTITY = re.compile(r"\A-?[0-9]{1,30}(\.[0-9]{1,60})?\Z")
DecimalText = Annotated[str, msgspec.Meta(pattern=_QUANTITY.pattern)]
WholeNumber = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class _Product(msgspec.Struct):
    acus: DecimalText
    amount: DecimalText


class _Principal(msgspec.Struct, omit_defaults=True):
    """Somebody, and what their usage came to exactly; earlier versions did not keep it."""

    kind: PrincipalKind
    id: str
    acus: DecimalText | None = None
    exact_amount: DecimalText | None = None


class _CostCenter(msgspec.Struct):
    code: str
    name: str
    acus: DecimalText
    amount: DecimalText
    by_product: dict[str, _Product]
    principals: list[_Principal]


class _UnitCosts(msgspec.Struct):
    """What was counted for somebody; a department may have no name, the enterprise has none."""

    sessions: WholeNumber
    sessions_at_most: WholeNumber
    pull_requests: WholeNumber
    pull_requests_at_most: WholeNumber
    merged_pull_requests: WholeNumber
    merged_pull_requests_at_most: WholeNumber
    acus: DecimalText
    amount: DecimalText


class _OfCostCenter(_UnitCosts, kw_only=True):
    code: str


class _OfDepartment(_UnitCosts, kw_only=True):
    department: str | None


class _CycleUnitCosts(msgspec.Struct):
    as_of: str | None
    not_counted: NotCounted | None
    cost_centers: list[_OfCostCenter]
    departments: list[_OfDepartment]
    enterprise: _UnitCosts | None


class _Cycle(msgspec.Struct, omit_defaults=True):
    start: date
    end: date
    status: Literal["draft", "closed"]
    seal: str | None
    currency: str
    control_acus: DecimalText
    invoiced_amount: DecimalText
    cost_centers: list[_CostCenter]
    unit_costs: _CycleUnitCosts | None = None


class _File(msgspec.Struct, omit_defaults=True):
    schema: Literal["reportgen.history/1"]
    cycles: list[_Cycle]
    year: list[_Cycle] | None = None


class _Line(msgspec.Struct):
    """A line of a statement that was written; those without ACUs have no product."""

    kind: LineKind
    amount: DecimalText
    exact_amount: DecimalText
    product: str = ""
    acus: DecimalText = "0"


class _WrittenCostCenter(msgspec.Struct):
    code: str
    name: str
    amount: DecimalText
    lines: list[_Line]


class _Range(msgspec.Struct):
    start: date
    end: date


class _TieOut(msgspec.Struct):
    control_acus: DecimalText
    invoiced_amount: DecimalText


class _Statement(msgspec.Struct):
    status: Literal["draft", "closed"]
    cycle: _Range
    currency: str
    cost_centers: list[_WrittenCostCenter]
    tie_out: _TieOut
    unit_costs: _CycleUnitCosts | None = None


_file = msgspec.json.Decoder(_File)
_statement = msgspec.json.Decoder(_Statement)


def encode(earlier: Iterable[CycleTotals], year: Iterable[CycleTotals] | None = None) -> bytes:
    """Write what is shown of the cycles before, and those of the fiscal year, oldest first."""
    written = _File(
        schema=SCHEMA,
        cycles=list(map(_written, earlier)),
        year=None if year is None else list(map(_written, year)),
    )
    return msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n"


def decode(folder: Path) -> tuple[CycleTotals, ...]:
    """Read what a cycle's documents showed of the cycles before, oldest first; raises Rejected."""
    return tuple(map(_read, _decoded(folder).cycles))


def decode_year(folder: Path) -> tuple[CycleTotals, ...] | None:
    """Read those of the fiscal year, oldest first; None where nobody asked; raises Rejected."""
    year = _decoded(folder).year
    return None if year is None else tuple(map(_read, year))


def _decoded(folder: Path) -> _File:
    path = folder / HISTORY
    try:
        return _file.decode(content_of(path))
    except (OSError, ValueError, RecursionError) as error:
        raise Rejected(
            [Problem(source=str(path), message=_cannot_be_read(error), hint="build again")]
        ) from error


def earlier(
    archive: Path, cycle: BillingCycle, currency: str
) -> tuple[tuple[CycleTotals, ...], list[Problem]]:
    """Give what the cycles that lead up to this one came to, oldest first.

    Each is as it was corrected last, and ends on the day the next begins. The first gap, and the
    first cycle that was never built, cannot be read (a warning) or is in another currency, ends the
    run: nothing older is read.
    """
    run: list[CycleTotals] = []
    begins = cycle.start
    for folder in cycles_before(archive, cycle.start)[:MOST_EARLIER]:
        if not (folder / STATEMENT).exists():
            break
        try:
            totals = _built(_standing(folder), directly_before=not run)
        except OSError as error:
            lost = "the trend begins after it" if run else "this one is compared with nothing"
            return tuple(reversed(run)), [_unreadable(error, lost)]
        if totals.cycle.end != begins or totals.currency != currency:
            break
        run.append(totals)
        begins = totals.cycle.start
    return tuple(reversed(run)), []


def earlier_in_year(
    archive: Path, cycle: BillingCycle, begins: date
) -> tuple[tuple[CycleTotals, ...], list[Problem]]:
    """Give what the cycles from a day on came to until this one, as corrected last, oldest first.

    Gaps are no end to it. What was never built is left out, and what cannot be read (a warning).
    """
    year, problems = [], []
    for folder in reversed(cycles_before(archive, cycle.start)):
        if folder.name < begins.isoformat() or not (folder / STATEMENT).exists():
            continue
        try:
            year.append(_built(_standing(folder), directly_before=False))
        except OSError as error:
            problems.append(_unreadable(error, "no year to date is shown"))
    return tuple(year), problems


def _standing(folder: Path) -> Path:
    """Give the folder that a cycle stands by: with what was corrected since, if it was."""
    with suppress(ValueError):
        return standing_folder(folder.parent, date.fromisoformat(folder.name))
    return folder


def _unreadable(error: OSError, lost: str) -> Problem:
    hint = f"build that cycle again; until then {lost}"
    source = str(error.filename)
    return Problem(
        source=source,
        message=_cannot_be_read(error),
        hint=hint,
        warning=True,
        code="earlier-cycle-unreadable",
    )


def _cannot_be_read(error: Exception) -> str:
    return f"cannot be read: {said_by_system(error) if isinstance(error, OSError) else error}"


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let what is not what was written name its file, as the system does with what it refuses."""
    try:
        yield
    except (ValueError, RecursionError, csv.Error) as error:
        raise OSError(errno.EINVAL, str(error), str(path)) from error


def _built(folder: Path, *, directly_before: bool) -> CycleTotals:
    """Read the statement that was built; directly before also whose usage the ledger has.

    Raises OSError with the name of the file that cannot be read.
    """
    with _named(folder):
        if torn(folder):
            raise ValueError("a build was ended while it replaced the draft")
    with _named(folder / STATEMENT):
        statement = _statement.decode(content_of(folder / STATEMENT))
    with _named(folder / LEDGER):
        principals = _principals(folder / LEDGER, statement) if directly_before else None
    manifest = folder / MANIFEST
    return CycleTotals(
        cycle=_cycle(statement.cycle.start, statement.cycle.end),
        status=statement.status,
        currency=statement.currency,
        decimals=decimals_of(Decimal(statement.tie_out.invoiced_amount)),
        control_acus=Decimal(statement.tie_out.control_acus),
        invoiced_amount=Decimal(statement.tie_out.invoiced_amount),
        cost_centers={
            center.code: _totals(center, principals) for center in statement.cost_centers
        },
        seal=sha256(content_of(manifest)).hexdigest() if manifest.exists() else None,
        unit_costs=_unit_costs_read(statement.unit_costs) if directly_before else None,
    )


def _totals(
    center: _WrittenCostCenter, principals: Mapping[str, Mapping[Principal, ProductTotals]] | None
) -> CostCenterTotals:
    """Add up an invoice; its products and people are not told where no principals are given."""
    used = {} if principals is None else principals.get(center.code, {})
    lines = [
        InvoiceLine(
            kind=line.kind,
            product=line.product,
            acus=Decimal(line.acus),
            exact_amount=Decimal(line.exact_amount),
            amount=Decimal(line.amount),
        )
        for line in center.lines
    ]
    return CostCenterTotals(
        name=center.name,
        acus=total(line.acus for line in lines),
        amount=Decimal(center.amount),
        by_product={} if principals is None else by_product(lines),
        principals=tuple(sorted(used)),
        used=used,
    )


def _principals(
    path: Path, statement: _Statement
) -> Mapping[str, Mapping[Principal, ProductTotals]]:
    """Give whose usage is on each cost center's rows of a ledger that has all its statement has.

    Raises ValueError for one that ends early, wherever it was cut.
    """
    by_center: dict[str, dict[Principal, ProductTotals]] = defaultdict(dict)
    acus: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for code, quantity, amount, kind, principal_id in _rows(path):
        acus[code] = add(acus[code], quantity)
        if principal_id:
            own, principal = by_center[code], principal_of(kind, principal_id)
            so_far = own.get(principal, NOTHING)
            own[principal] = ProductTotals(
                acus=add(so_far.acus, quantity), amount=add(so_far.amount, amount)
            )
    for center in statement.cost_centers:
        told = total(Decimal(line.acus) for line in center.lines)
        if acus[center.code] != told:
            has = f"{plain(acus[center.code])} ACUs of {center.code}"
            raise ValueError(f"{LEDGER} has {has}, and {STATEMENT} has {plain(told)}")
    return by_center


def _rows(path: Path) -> Iterator[tuple[str, Decimal, Decimal, str, str]]:
    """Read of every row of a ledger who bears it, its ACUs and exact amount, and who used it."""
    with TextIOWrapper(opened(path), encoding="utf-8", newline="") as file:
        csv.field_size_limit(LONGEST_CELL)
        rows = csv.reader(file, strict=True)
        columns = next(rows, [])
        names = ("cost_center", "quantity", "exact_amount", "principal_kind", "principal_id")
        code, quantity, amount, kind, key = map(columns.index, names)
        for row in rows:
            if len(row) != len(columns):
                cells = f"{len(row)} cells in line {rows.line_num}"
                raise ValueError(f"{LEDGER} has {cells}, and {len(columns)} columns")
            if not _QUANTITY.fullmatch(row[quantity]):
                raise ValueError(f"{LEDGER} has no quantity in line {rows.line_num}")
            borne_by, principal_id = (row[at].removeprefix(FORMULA_MARK) for at in (code, key))
            exact = Decimal(row[amount]) if _QUANTITY.fullmatch(row[amount]) else ZERO
            yield borne_by, Decimal(row[quantity]), exact, row[kind], principal_id


def _cycle(start: date, end: date) -> BillingCycle:
    """Give a cycle by its days; the bounds are those of the boundary."""
    after, before = (
        int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + BOUNDARY_SECONDS
        for day in (start, end)
    )
    return BillingCycle(start=start, end=end, after=after, before=before)


def _written(before: CycleTotals) -> _Cycle:
    return _Cycle(
        start=before.cycle.start,
        end=before.cycle.end,
        status=before.status,
        seal=before.seal,
        currency=before.currency,
        control_acus=plain(before.control_acus),
        invoiced_amount=f"{before.invoiced_amount:f}",
        cost_centers=[
            _CostCenter(
                code=code,
                name=center.name,
                acus=plain(center.acus),
                amount=f"{center.amount:f}",
                by_product={
                    product: _Product(acus=plain(totals.acus), amount=f"{totals.amount:f}")
                    for product, totals in sorted(center.by_product.items())
                },
                principals=[_person(one, center.used.get(one)) for one in center.principals],
            )
            for code, center in sorted(before.cost_centers.items())
        ],
        unit_costs=_unit_costs_written(before.unit_costs) if before.unit_costs else None,
    )


def _person(principal: Principal, used: ProductTotals | None) -> _Principal:
    if used is None:
        return _Principal(kind=principal.kind, id=principal.id)
    acus, amount = plain(used.acus), plain(used.amount)
    return _Principal(kind=principal.kind, id=principal.id, acus=acus, exact_amount=amount)


def _read(written: _Cycle) -> CycleTotals:
    return CycleTotals(
        cycle=_cycle(written.start, written.end),
        status=written.status,
        currency=written.currency,
        decimals=decimals_of(Decimal(written.invoiced_amount)),
        control_acus=Decimal(written.control_acus),
        invoiced_amount=Decimal(written.invoiced_amount),
        cost_centers={
            center.code: CostCenterTotals(
                name=center.name,
                acus=Decimal(center.acus),
                amount=Decimal(center.amount),
                by_product={
                    product: ProductTotals(acus=Decimal(totals.acus), amount=Decimal(totals.amount))
                    for product, totals in center.by_product.items()
                },
                principals=tuple(
                    sorted({Principal(one.kind, one.id) for one in center.principals})
                ),
                used={
                    Principal(one.kind, one.id): ProductTotals(
                        acus=Decimal(one.acus), amount=Decimal(one.exact_amount)
                    )
                    for one in center.principals
                    if one.acus is not None and one.exact_amount is not None
                },
            )
            for center in written.cost_centers
        },
        seal=written.seal,
        unit_costs=_unit_costs_read(written.unit_costs),
    )


def _unit_costs_written(costs: CycleUnitCosts) -> _CycleUnitCosts:
    return _CycleUnitCosts(
        as_of=costs.as_of or None,
        not_counted=costs.not_counted,
        cost_centers=[
            _OfCostCenter(code=code, **_counted_written(one))
            for code, one in costs.by_cost_center.items()
        ],
        departments=[
            _OfDepartment(department=name or None, **_counted_written(one))
            for name, one in costs.by_department.items()
        ],
        enterprise=None if costs.not_counted else _UnitCosts(**_counted_written(costs.enterprise)),
    )


def _counted_written(costs: UnitCosts) -> dict[str, Any]:
    sessions, pull_requests, merged = costs.sessions, costs.pull_requests, costs.merged
    return {
        "sessions": sessions.known,
        "sessions_at_most": sessions.at_most,
        "pull_requests": pull_requests.known,
        "pull_requests_at_most": pull_requests.at_most,
        "merged_pull_requests": merged.known,
        "merged_pull_requests_at_most": merged.at_most,
        "acus": plain(costs.acus),
        "amount": f"{costs.amount:f}",
    }


def _unit_costs_read(written: _CycleUnitCosts | None) -> CycleUnitCosts | None:
    """Read what was counted; of a statement that was written before anything was, nothing."""
    if written is None:
        return None
    whole = written.enterprise
    return CycleUnitCosts(
        as_of=written.as_of or "",
        not_counted=written.not_counted,
        by_cost_center={one.code: _counted_read(one) for one in written.cost_centers},
        by_department={one.department or "": _counted_read(one) for one in written.departments},
        enterprise=_counted_read(whole) if whole else UnitCosts(),
    )


def _counted_read(written: _UnitCosts) -> UnitCosts:
    return UnitCosts(
        sessions=Counted(written.sessions, written.sessions_at_most),
        pull_requests=Counted(written.pull_requests, written.pull_requests_at_most),
        merged=Counted(written.merged_pull_requests, written.merged_pull_requests_at_most),
        acus=Decimal(written.acus),
        amount=Decimal(written.amount),
    )
