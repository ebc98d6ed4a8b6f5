"""A billing cycle of any size, made up: configuration and recorded answers in a folder.

    python -m benchmarks.synthetic FOLDER COST_CENTERS [USERS]

Every user has a role in one of 20 organizations and usage of two products on 20 days, in
hundredths; cost centers stand in departments of 25. The same numbers give the same files.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

from reportgen.archive.evidence import line_of
from reportgen.core.cycle import cycle_between
from reportgen.core.model import Directory, RecordedResponse
from reportgen.derive import question
from reportgen.sources.api import versions as api
from reportgen.sources.api.plan import Plan, answer
from reportgen.sources.config.configuration import load

USERS_OF_A_COST_CENTER, ORGANIZATIONS, DAYS, PAGE, DEPARTMENT = 7, 20, 20, 200, 25
START, DAY, END = 1764921600, 86400, 1767600000
CYCLE = "2025-12-05"
FETCHED = "2026-01-09T10:00:00Z"
CHARGEBACK = """\
enterprise: Acme Corporation
source: {replay: responses.jsonl}
mapping: mapping.yaml
rates: rates.yaml
archive: archive
"""
RATES = 'currency: USD\nprices: {devin: 2.00, "*": 1.75}\n'

Cells = dict[int, dict[str, Decimal]]


def synthetic(folder: Path, cost_centers: int, users: int = 0) -> Path:
    """Write a configuration and the answers of a cycle into a folder, and give it."""
    users = users or cost_centers * USERS_OF_A_COST_CENTER
    folder.mkdir(parents=True, exist_ok=True)
    mapping = mapping_of(cost_centers, {user: user % cost_centers for user in range(users)})
    for name, text in (
        ("chargeback.yaml", CHARGEBACK),
        ("mapping.yaml", mapping),
        ("rates.yaml", RATES),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    recording = folder / "responses.jsonl"
    recording.write_bytes(b"")  # the configuration names it
    with recording.open("wb") as file:
        file.writelines(map(line_of, _answers(folder, _World(users))))
    return folder


def mapping_of(cost_centers: int, center_of: Mapping[int, int]) -> str:
    """Write which cost center bears which user, both by number."""
    lines = ["cost_centers:"]
    for number in range(cost_centers):
        department = f"Department {number // DEPARTMENT}"
        lines.append(f"  CC-{number}: {{name: Cost center {number}, department: {department}}}")
    lines.append("users:")
    lines += [f"  u{user}@acme.example: CC-{center}" for user, center in center_of.items()]
    return "\n".join(lines) + "\n"


def move(folder: Path, user: int, center: int) -> None:
    """Let another cost center bear a user."""
    path = folder / "mapping.yaml"
    before = path.read_text(encoding="utf-8")
    lines = before.splitlines()
    key = f"  u{user}@acme.example: "
    lines = [f"{key}CC-{center}" if line.startswith(key) else line for line in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class _World:
    """What everybody used; `organizations` and `enterprise` are the sums of it."""

    users: int
    organizations: dict[int, Cells] = field(default_factory=dict)
    enterprise: Cells = field(default_factory=dict)

    def __post_init__(self) -> None:
        for user in range(self.users):
            held = self.organizations.setdefault(user % ORGANIZATIONS, {})
            for total in (held, self.enterprise):
                for day, used in self.of(user).items():
                    cells = total.setdefault(day, {})
                    for product, acus in used.items():
                        cells[product] = cells.get(product, Decimal(0)) + acus

    def of(self, user: int) -> Cells:
        """Give what a user used by day and product."""
        rng = Random(user)
        return {
            day: {product: Decimal(rng.randrange(1, 900)) / 100 for product in ("cascade", "devin")}
            for day in range(DAYS)
        }


def _answers(folder: Path, world: _World) -> Iterator[RecordedResponse]:
    """Answer whatever is asked of a cycle."""
    configuration = load(folder)
    source = configuration.settings.source
    asked = question(configuration, cycle_between(START, END), Directory())
    plans: tuple[Plan[object], ...] = (api.cycles(source), api.consumption(source, asked))
    for plan in plans:
        answers, requests = {}, next(plan)
        try:
            while True:
                for request in requests:
                    body = json.dumps(_body(request.target, world))
                    recorded = RecordedResponse(
                        request=request.target, status=200, fetched_at=FETCHED, body=body
                    )
                    answers[request.target] = answer(request, recorded)
                    yield recorded
                requests = plan.send(answers)
                answers = {}
        except StopIteration:
            continue


def _body(target: str, world: _World) -> object:
    url = urlsplit(target)
    if "/daily" in url.path:
        return _consumption(_cells(url.path, world))
    first, more = int(parse_qs(url.query).get("after", ["0"])[0]), False
    items: list[object] = []
    if url.path.endswith("/cycles"):
        items = [{"after": START, "before": END}]
    elif url.path.endswith("/enterprise/organizations"):
        items = [{"org_id": f"org-{one}", "name": f"Team {one}"} for one in range(ORGANIZATIONS)]
    elif url.path.endswith("/members/users"):
        items = [_user(one) for one in range(first, min(first + PAGE, world.users))]
        more = first + PAGE < world.users
    return {
        "items": items,
        "end_cursor": str(first + PAGE) if more else None,
        "has_next_page": more,
    }


def _cells(path: str, world: _World) -> Cells:
    last = path.rpartition("/")[2]
    if "/users/" in path:
        return world.of(int(last.removeprefix("user-")))
    if "/organizations/" in path:
        return world.organizations.get(int(last.removeprefix("org-")), {})
    return world.enterprise


def _consumption(cells: Cells) -> object:
    days = [
        {
            "date": START + DAY * day,
            "acus": float(sum(used.values(), Decimal(0))),
            "acus_by_product": {product: float(acus) for product, acus in used.items()},
        }
        for day, used in cells.items()
    ]
    total = sum((acus for used in cells.values() for acus in used.values()), Decimal(0))
    return {"total_acus": float(total), "consumption_by_date": days}


def _user(number: int) -> object:
    return {
        "user_id": f"user-{number}",
        "email": f"u{number}@acme.example",
        "name": f"User {number}",
        "role_assignments": [
            {"role": {"role_name": "Member"}, "org_id": f"org-{number % ORGANIZATIONS}"}
        ],
    }


if __name__ == "__main__":
    synthetic(Path(sys.argv[1]), *map(int, sys.argv[2:]))
