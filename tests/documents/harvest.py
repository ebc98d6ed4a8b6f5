"""What `grove` has, and what its usage was for: sessions with titles, tags and pull requests."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache

from reportgen.core.model import (
    DEVIN,
    Invoice,
    LargestSessions,
    PullRequest,
    SessionsUnknown,
    SessionUse,
)
from reportgen.core.money import apportion, subtract, total
from reportgen.derive import Derived
from tests.documents import grove

IN_ENGLISH = tuple(replace(center, locale=None) for center in grove.CENTERS)
TITLES = (
    "Migrate the payments service to the new schema",
    "Fix flaky login test",
    "Über­arbeitung der Preislogik <b>&amp;</b> \"Rabatte\" 'alt'",
    '=HYPERLINK("https://evil.example";"click")',
    "Refactor " + "the ledger reader so that every line is told apart " * 6,
    "",
    "x" * 200,
    "\u202eevil\u202c תיקון באג בכניסה",
    "請求書の明細を作り直す",
    "🚀 Ship\tit\nnow\x07",
)
TAGS = ("project:apollo", "team:web", "sprint:2025-49", *(f"topic:{n}" for n in range(27)))
STATES = ("merged", "open", "closed", "", "locked by a bot")


def sessions_of(invoice: Invoice, count: int, decimals: int) -> LargestSessions:
    """Make up sessions of an invoice that leave a quarter of its `devin` to everything else."""
    lines = [line for line in invoice.lines if line.of_usage and line.product == DEVIN]
    if not lines or not count:
        return LargestSessions(unknown="")
    acus, amount = (
        total(line.acus for line in lines),
        total(line.amount for line in lines),
    )
    weights = [Decimal(number) for number in range(count + 3, 3, -1)]
    weights.append(total(weights) / 3)
    parts = apportion(acus, weights, Decimal("0.0001"))
    amounts = apportion(amount, weights, Decimal(1).scaleb(-decimals))
    rows = [row for row in invoice.detail if row.product == DEVIN]
    made = [
        _session(number, rows[number % len(rows)], *pair)
        for number, pair in enumerate(zip(parts[:-1], amounts[:-1], strict=True))
    ]
    return LargestSessions(
        sessions=tuple(made),
        other_acus=subtract(acus, total(parts[:-1])),
        other_amount=subtract(amount, total(amounts[:-1])),
        unknown="",
    )


def _session(number: int, row: object, acus: Decimal, amount: Decimal) -> SessionUse:
    session_id = f"devin-{number:04}a1b2c3"
    pulls = [0, 1, 2, 12][number % 4]
    return SessionUse(
        session_id=session_id,
        org_id=row.org_id,  # type: ignore[attr-defined]
        principal_kind=row.principal_kind,  # type: ignore[attr-defined]
        principal_id=row.principal_id,  # type: ignore[attr-defined]
        first_day=row.day,  # type: ignore[attr-defined]
        last_day=row.day + timedelta(days=number % 3),  # type: ignore[attr-defined]
        acus=acus,
        amount=amount,
        title=TITLES[number % len(TITLES)],
        tags=TAGS[: (3, 0, 30, 1)[number % 4]],
        pull_requests=tuple(
            PullRequest(f"https://github.com/acme/web/pull/{900 + n}", STATES[n % len(STATES)])
            for n in range(pulls)
        ),
        url=f"https://app.devin.ai/sessions/{number:04}a1b2c3",
    )


@cache
def derived(count: int = 10, unknown: SessionsUnknown = "", **changed: object) -> Derived:
    """Derive the cycle of `grove`, in which so many sessions of each invoice are shown."""
    found = grove.derived(**changed)  # type: ignore[arg-type]
    decimals = found.statement.heading.decimals
    invoices = [
        replace(made, sessions=replace(sessions_of(made, count, decimals), unknown=unknown))
        for made in found.statement.invoices
    ]
    return replace(found, statement=replace(found.statement, invoices=tuple(invoices)))
