"""The enterprise of `beech` with everything that can be charged and compared.

Budgets, fees, transfers, a pool, a cycle that spans two months and is still open, another one
before it, and a total in another currency.

The recording is moved to the turn of the year, so that nothing has to be recorded twice.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

from reportgen.archive import evidence
from reportgen.core.comparing.compare import totals_of
from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.model import (
    CostCenter,
    CostCenterTotals,
    CycleTotals,
    DatedSplit,
    Fee,
    MemoCurrency,
    MemoRate,
    Pool,
    Price,
    Principal,
    ProductTotals,
    RateCard,
    RecordedResponse,
    Recover,
    Rule,
    Share,
    Split,
    Transfer,
    VendorInvoice,
)
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.render import filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.sources.config.schema import ChargebackFile
from tests.documents import beech

LATER = 24 * 86_400
CYCLE = cycle_between(beech.CYCLE.after + LATER, beech.CYCLE.before + LATER)
FOURTH_DAY = "2026-01-01T20:00:00Z"
AFTERWARDS = "2026-02-01T00:00:00Z"
CENTERS = (
    CostCenter(
        code="R-1",
        name="Research & Development",
        department="Engineering",
        entity="1000",
        gl_account="6420",
        cycle_budget=Decimal("40.00"),
        year_budget=Decimal("500.00"),
        fields=(("PO", "4500012345"), ("Approver", "Jo Fields (CFO)"), ("予算責任者", "王")),
    ),
    CostCenter(
        code="S-2",
        name="上海研发中心",
        department="Engineering",
        entity="2000",
        cycle_budget=Decimal("30.00"),
    ),
    CostCenter(code="T-3", name="Tooling", department="Shared services", entity="1000"),
    CostCenter(code="Z-9", name="Central", entity="1000"),
)
FEES = (
    Fee(name="Platform team", amount=Decimal("5.00"), to=("R-1", "S-2", "T-3")),
    Fee(name="Premium support", fraction=Decimal("0.025"), to=("R-1",)),
)
POOL = Pool(cost_center="T-3", basis="proportional")
TRANSFERS = (
    Transfer(
        cycle=CYCLE.start, giver="S-2", receiver="R-1", amount=Decimal("7.50"), reason="Ticket 4711"
    ),
    Transfer(
        cycle=CYCLE.start, giver="T-3", receiver="Z-9", amount=Decimal("1.25"), reason="Ticket 4712"
    ),
)


def _rule_of(organization: str, code: str, line: int) -> Rule:
    split, source = Split(shares=(Share(code, Decimal(1), "1"),)), f"mapping.yaml:{line}"
    value = DatedSplit(start=date.min, split=split, source=source)
    return Rule(section="orgs", key=organization, values=(value,), source=source)


ORGANIZATION_RULES = (_rule_of("org-main", "S-2", 12), _rule_of("org-lab", "Z-9", 13))


def card(**changed: object) -> RateCard:
    """Give the rate card with whatever is charged besides usage."""
    found = replace(
        beech.configuration().rate_card,
        prices={
            "devin": (Price(date.min, Decimal("2.00"), ""),),
            "cascade": (Price(date.min, Decimal("1.7525"), ""),),
        },
        fees=FEES,
        transfers=TRANSFERS,
        memo_currencies={
            "R-1": MemoCurrency(
                currency="JPY",
                decimals=0,
                rates=(MemoRate(date(2025, 12, 1), Decimal("184.50"), ""),),
            )
        },
        vendor_invoices={
            CYCLE.start: VendorInvoice(
                number="INV-2", amount=Decimal("60.00"), acus=Decimal("31.5"), source=""
            )
        },
    )
    return replace(found, **changed)


@cache
def derived(
    *,
    is_open: bool = True,
    recover: bool = False,
    pool: Pool = POOL,
    centers: tuple[CostCenter, ...] = CENTERS,
    dropped: str = "",
) -> Derived:
    """Derive the cycle, three and a half days of which had passed when it was collected.

    Who is `dropped` has no rule of their own; two organizations have one then.
    """
    ways = (
        {"prices": {}, "recover": Recover(weights={"cascade": Decimal("0.8")})} if recover else {}
    )
    configuration = beech.configuration()
    mapping = replace(configuration.mapping, cost_centers=centers, pools=(pool,))
    if dropped:
        kept = (rule for rule in mapping.rules if rule.key != dropped)
        mapping = replace(mapping, rules=(*kept, *ORGANIZATION_RULES))
    inputs = Inputs(
        configuration=replace(
            configuration,
            settings=_with_contact(configuration.settings),
            mapping=mapping,
            rate_card=card(**ways),
        ),
        cycle=CYCLE,
        responses=responses(FOURTH_DAY if is_open else AFTERWARDS),
        source="responses.jsonl",
        earlier=earlier(),
        year=earlier(),
    )
    return derive(inputs)


def _with_contact(settings: ChargebackFile) -> ChargebackFile:
    invoice = settings.invoice.model_copy(update={"contact": "Chargeback desk, ext. 4711"})
    return settings.model_copy(update={"invoice": invoice})


@cache
def responses(fetched_at: str) -> Mapping[str, RecordedResponse]:
    """Move the recording, seconds and all, and say when it was collected."""
    found = (
        RecordedResponse(
            request=_moved(response.request),
            status=response.status,
            fetched_at=fetched_at,
            body=_moved(response.body),
            source=response.source,
        )
        for response in evidence.read(beech.INPUT / "responses.jsonl").values()
    )
    return {response.request: response for response in found}


def earlier() -> tuple[CycleTotals, ...]:
    """Give the cycle before, and one in which there was no Tooling yet and S-2 got a credit."""
    before = previous()
    centers = {
        "R-1": CostCenterTotals(
            name="Research & Development", acus=Decimal(12), amount=Decimal("24.00")
        ),
        "S-2": CostCenterTotals(name="上海研发中心", acus=Decimal(1), amount=Decimal("-6.25")),
        "Z-9": CostCenterTotals(name="Central"),
    }
    older = replace(
        before,
        cycle=BillingCycle(start=date(2025, 10, 29), end=before.cycle.start, after=0, before=0),
        control_acus=Decimal(13),
        invoiced_amount=Decimal("17.75"),
        cost_centers=centers,
    )
    return older, before


def previous() -> CycleTotals:
    """Give the cycle before: no Na Li yet, nine people who have left, a cost center now closed."""
    before = totals_of(beech.derived().statement)
    centers = dict(before.cost_centers)
    left = [Principal("user", f"u|left-{number}") for number in range(1, 11)]
    research = centers["R-1"]
    centers["R-1"] = replace(
        research, principals=tuple(sorted([*left, Principal("user", "u|ada")]))
    )
    centers["Q-7"] = CostCenterTotals(
        name="Closed lab",
        acus=Decimal("2.5"),
        amount=Decimal("5.00"),
        by_product={"devin": ProductTotals(acus=Decimal("2.5"), amount=Decimal("5.00"))},
    )
    return replace(
        before,
        cycle=BillingCycle(start=date(2025, 11, 29), end=CYCLE.start, after=0, before=CYCLE.after),
        status="closed",
        control_acus=before.control_acus + Decimal("2.5"),
        invoiced_amount=before.invoiced_amount + Decimal("5.00"),
        cost_centers=centers,
    )


def design() -> Design:
    """Give the built-in design, with summaries of both kinds and the vendor's total on invoices."""
    return replace(beech.design(), summaries=("department", "entity"), tie_out="full")


def tasks(found: Derived | None = None) -> list[Task]:
    """List every document."""
    result = found or derived()
    return tasks_of(result.statement, result.directory, design())


def task(path: str, found: Derived | None = None) -> Task:
    """Find what has to be drawn by the end of its path, such as R-1.pdf."""
    (one,) = [task for task in tasks(found) if task.path.endswith(path)]
    return one


def markup(path: str, found: Derived | None = None) -> str:
    """Render the XHTML of a document with the built-in templates."""
    return filled(task(path, found), design())


def _moved(text: str) -> str:
    return re.sub(r"\b176[45]\d{6}\b", lambda seconds: str(int(seconds[0]) + LATER), text)
