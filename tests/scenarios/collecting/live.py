"""A configuration that asks a fake API: collected in this process, derived, never rendered."""

import io
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from reportgen.archive import evidence, people
from reportgen.archive.folder import EVIDENCE
from reportgen.commands.collect import collect
from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.core.model import RecordedResponse
from reportgen.core.written.statement_json import statement_json
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.collecting.collection import Effort
from reportgen.operations.context import Context
from reportgen.operations.failure import told
from reportgen.sources.config.configuration import load
from reportgen.terminal import Terminal
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ADMIN, ENTERPRISE, organization_token
from tests.fakeapi.sample import CYCLES, World
from tests.scenarios.job import Job, Json

NOW = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
NOVEMBER, DECEMBER = (cycle_between(*bounds) for bounds in CYCLES)
CYCLES3, DAILY3 = "/v3/enterprise/consumption/cycles", "/v3/enterprise/consumption/daily"
CYCLES_LINE = f"GET {CYCLES3}?first=200"
"""The one request that every run asks anew: there may be one more cycle."""
RATES = {"devin": "2.00", "*": "3.00", "cascade+terminal": "3.00"}
"""Whole units: ACUs in hundredths cost whole cents, and float noise tips no half cent."""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Live:
    """A configuration in a folder; `now` is the clock of its commands."""

    folder: Path
    environment: dict[str, str]
    now: datetime = NOW
    cycle: BillingCycle = DECEMBER
    said: list[Said] = field(default_factory=list)

    @property
    def evidence(self) -> Path:
        return self.folder / "archive" / self.cycle.start.isoformat() / EVIDENCE

    @property
    def directory(self) -> Path:
        return self.evidence.parent / "directory.json"

    def command(self, command: Callable[[Context], int], *, machine: bool = False) -> Said:
        """Run a command as the command line would, with this clock and these variables."""
        out, err = io.StringIO(), io.StringIO()
        context = Context(
            now=lambda: self.now,
            environment=self.environment,
            terminal=Terminal(quiet=False, machine=machine),
        )
        with redirect_stdout(out), redirect_stderr(err):
            code = told(command, context)
        self.said.append(Said(code, out.getvalue(), err.getvalue()))
        return self.said[-1]

    def collect(self, selector: str = "", *, concurrency: int = 4, **how: bool) -> Said:
        """Collect with an effort: `refresh`, `accept_refused`."""
        selector = selector or self.cycle.start.isoformat()
        effort = Effort(concurrency=concurrency, **how)
        return self.command(lambda context: collect(self.folder, selector, context, effort))

    def started(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin to collect in a process of its own, with the clock of the machine."""
        return Job(self.folder).start("collect", *arguments, **self.environment)

    def wait_for_answers(self, count: int) -> None:
        """Wait until so many are stored."""
        deadline = time.monotonic() + 20
        while not self.evidence.exists() or self.evidence.read_bytes().count(b"\n") < count:
            assert time.monotonic() < deadline, "nothing is collected"
            time.sleep(0.002)

    def stored(self) -> dict[str, RecordedResponse]:
        """Give the answers by their requests as the evidence and the fake API write them."""
        answers = evidence.read(self.evidence)
        return {f"GET {request}": answer for request, answer in answers.items()}

    def derived(self, responses: Mapping[str, RecordedResponse] | None = None) -> Derived:
        """Derive the cycle from what is stored, or from other responses."""
        inputs = Inputs(
            configuration=load(self.folder),
            cycle=self.cycle,
            responses=evidence.read(self.evidence) if responses is None else responses,
            source=str(self.evidence),
            remembered=people.known(self.folder / "archive", self.cycle.start),
        )
        return derive(inputs)

    def collected(self, **effort: Any) -> Derived:
        """Collect, see that it went well, and derive."""
        said = self.collect(**effort)
        assert said.code == 0, said.stderr
        return self.derived()

    def in_november(self, **effort: Any) -> Derived:
        """Collect and derive the cycle before."""
        self.cycle = NOVEMBER
        try:
            return self.collected(**effort)
        finally:
            self.cycle = DECEMBER


def live(
    folder: Path, api: FakeApi, mapping: str, source: str = "", *, rates: Json | None = None
) -> Live:
    """Write a configuration for a fake API; `source` is more YAML of that section, a key a line."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"  {line}\n" for line in source.splitlines())
    text = f"enterprise: Acme\nsource:\n  base_url: {api.base_url}\n{lines}"
    text += "mapping: mapping.yaml\nrates: rates.yaml\narchive: archive\n"
    (folder / "chargeback.yaml").write_text(text, encoding="utf-8")
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    prices = {"currency": "USD", "prices": rates or RATES}
    (folder / "rates.yaml").write_text(as_yaml(prices), encoding="utf-8")
    token = ADMIN if "api: v2" in source else ENTERPRISE
    tokens = {
        f"TOKEN_{n}": organization_token(place.org_id)
        for n, place in enumerate(api.world.organizations)
    }
    return Live(folder, {"DEVIN_API_TOKEN": token, **tokens})


def own_credentials(world: World, *, cycle_day: int | None = 5) -> str:
    """Give the source section of organization credentials."""
    listed = [
        {"id": place.org_id, "token_env": f"TOKEN_{n}"}
        for n, place in enumerate(world.organizations)
    ]
    return f"organizations: {json.dumps(listed)}" + (
        f"\ncycle_day: {cycle_day}" if cycle_day else ""
    )


def as_yaml(values: Json) -> str:
    """Write JSON, which is YAML, but for numbers: prices are written bare."""
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()
    )


def mapped(world: World, *, first: int | None = None, **sections: Any) -> str:
    """Map the first users and all organizations but the last, in turn, to three cost centers."""
    people = world.people[:first]
    values: Json = {"cost_centers": {code: {"name": code} for code in ("A-1", "B-2", "C-3", "Z-9")}}
    values["users"] = {
        person.user_id: ("A-1", "B-2")[n % 2] for n, person in enumerate(people) if n % 3
    }
    values["orgs"] = {
        place.org_id: ("C-3", "B-2")[n % 2] for n, place in enumerate(world.organizations[:-1])
    }
    sections["users"] = values["users"] | sections.get("users", {})
    return as_yaml({name: value for name, value in (values | sections).items() if value})


def truth(
    world: World, mapping: str, cycle: BillingCycle = DECEMBER, *, tied: bool = False
) -> dict[str, float]:
    """Give the ACUs of every cost center, and of nobody (""), from the atoms themselves.

    With `tied`, only those of organizations.
    """
    users, orgs = (json.loads(_line(mapping, name)) for name in ("users", "orgs"))
    found: dict[str, float] = defaultdict(float)
    for atom in world.atoms:
        if cycle.after <= atom.day < cycle.before and (atom.org_id or not tied):
            found[users.get(atom.principal_id) or orgs.get(atom.org_id) or ""] += atom.acus
    return dict(found)


def _line(mapping: str, name: str) -> str:
    return next(
        (line.split(": ", 1)[1] for line in mapping.splitlines() if line.startswith(f"{name}: ")),
        "{}",
    )


def by_center(derived: Derived) -> dict[str, float]:
    """Give the ACUs of every cost center, and of nobody ("")."""
    values = json.loads(statement_json(derived.statement))
    found = {center["code"]: float(center["acus"]) for center in values["cost_centers"]}
    return found | {"": float(values["unallocated"]["acus"])}


def close(found: dict[str, float], expected: dict[str, float]) -> bool:
    return all(
        abs(found.get(key, 0) - expected.get(key, 0)) < 1e-4
        for key in found.keys() | expected.keys()
    )


def amounts(derived: Derived) -> dict[str, str]:
    """Give what every cost center pays, and what nobody bears."""
    values = json.loads(statement_json(derived.statement))
    found = {center["code"]: center["amount"] for center in values["cost_centers"]}
    return found | {
        "": values["unallocated"]["amount"],
        "chargeable": values["tie_out"]["chargeable_amount"],
    }


def missing(derived: Derived) -> tuple[str, ...]:
    """Give what the statement says is missing, in its words."""
    return tuple(view.text for view in derived.statement.heading.missing_views)


def foots(derived: Derived) -> bool:
    """Tell whether nothing is lost and nothing is counted twice, added up here from the ledger."""
    values = json.loads(statement_json(derived.statement))
    tie, usage = values["tie_out"], derived.usage
    ledger = sum(allocation.quantity for allocation in derived.allocations)
    return (
        ledger == sum(usage.control.values()) == Decimal(tie["control_acus"])
        and Decimal(tie["difference_acus"]) == 0
        and Decimal(tie["difference_amount"]) == 0
        and Decimal(tie["chargeable_amount"])
        == Decimal(tie["invoiced_amount"]) + Decimal(tie["unborne_amount"])
    )


def of_principals(derived: Derived) -> dict[str, float]:
    """Give the ACUs of every principal that stands in the ledger."""
    found: dict[str, float] = defaultdict(float)
    for record in derived.usage.records:
        found[record.principal_id] += float(record.quantity)
    return {key: acus for key, acus in found.items() if key}


def used_by(world: World, cycle: BillingCycle = DECEMBER) -> dict[str, float]:
    """Give the ACUs of every principal from the atoms."""
    found: dict[str, float] = defaultdict(float)
    for atom in world.atoms:
        if atom.principal_id and cycle.after <= atom.day < cycle.before:
            found[atom.principal_id] += atom.acus
    return dict(found)
