"""A month of 100,000 sessions: what it takes of memory to derive it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reportgen.core.model import RecordedResponse
from tests.fakeapi.sample import CYCLES, DAY
from tests.scenarios.collecting.live import CYCLES_LINE, as_yaml

START, END = CYCLES[1]
BOUNDS = f"time_after={START}&time_before={END}"
USERS, SESSIONS, PAGE = 500, 100_000, 200
DAYS = (END - START) // DAY
LARGE = 9.8
"""ACUs a day: nobody asks about a session with less."""
MOST_MIB = 140
"""Beyond what the program takes for the smallest cycle; everything else is by the session."""
DERIVE = """
import re, sys
from pathlib import Path
from reportgen.archive import evidence
from reportgen.derive import Inputs, derive
from reportgen.sources.config.configuration import load
from reportgen.core.cycle import cycle_between
folder = Path(sys.argv[1])
path = folder / "responses.jsonl"
inputs = Inputs(
    configuration=load(folder), cycle=cycle_between({}, {}),
    responses=evidence.stored(path), source=str(path),
)
derived = derive(inputs)
peak = int(re.search("VmHWM:\\\\s+(.+) kB", Path("/proc/self/status").read_text())[1]) // 1024
print(len(derived.directory.sessions), peak)
print({{one.sessions.unknown for one in derived.statement.invoices}},
      {{len(one.sessions.sessions) for one in derived.statement.invoices}})
"""


def used(number: int) -> float:
    """Give what a session used on each of its two days."""
    return (number * 7919 % 997) / 100


def days(acus: dict[int, float]) -> str:
    listed = [
        {"date": day, "acus": one, "acus_by_product": {"devin": one}}
        for day, one in sorted(acus.items())
    ]
    return json.dumps({"total_acus": sum(acus.values()), "consumption_by_date": listed})


def begun(number: int) -> int:
    return START + (number // USERS % (DAYS - 1)) * DAY


def session(number: int) -> dict[str, object]:
    return {
        "session_id": f"devin-{number:032x}",
        "url": f"https://app.devin.ai/sessions/{number:032x}",
        "status": "exit",
        "title": f"Task {number}: move the ledger to the new schema",
        "tags": [f"project:{number % 40}"],
        "org_id": "org-1",
        "user_id": f"okta|acme|{number % USERS}",
        "created_at": begun(number) + 600,
        "updated_at": begun(number) + DAY + 600,
        "acus_consumed": 2 * used(number),
        "pull_requests": [
            {"pr_url": f"https://git.acme.example/web/pull/{number}", "pr_state": "merged"}
        ],
    }


def answers(sessions: int) -> Iterator[tuple[str, str]]:
    by_user: dict[int, dict[int, float]] = {user: {} for user in range(USERS)}
    in_all: dict[int, float] = {}
    for number in range(sessions):
        for day in (begun(number), begun(number) + DAY):
            for acus in (by_user[number % USERS], in_all):
                acus[day] = round(acus.get(day, 0.0) + used(number), 2)
        if used(number) > LARGE:
            own = days(dict.fromkeys((begun(number), begun(number) + DAY), used(number)))
            yield f"/v3/enterprise/consumption/daily/sessions/devin-{number:032x}?{BOUNDS}", own
    yield CYCLES_LINE.removeprefix("GET "), json.dumps({"items": [{"after": START, "before": END}]})
    for name in ("organizations", "members/users", "members/idp-users", "members/service-users"):
        yield f"/v3/enterprise/{name}?first=200", '{"items": []}'
    for start in range(0, max(sessions, 1), PAGE):
        more = start + PAGE < sessions
        items = [session(number) for number in range(start, min(start + PAGE, sessions))]
        page = {"items": items, "has_next_page": more, "end_cursor": f"{start + PAGE:06}"}
        after = f"after={start:06}&" if start else ""
        parameters = f"{after}created_before={END}&first=200&updated_after={START}"
        yield f"/v3/enterprise/sessions?{parameters}", json.dumps(page)
    yield f"/v3/enterprise/consumption/daily?{BOUNDS}", days(in_all)
    yield f"/v3/enterprise/consumption/daily/organizations/org-1?{BOUNDS}", days(in_all)
    for user, acus in by_user.items():
        name = f"users/okta%7Cacme%7C{user}"
        yield f"/v3/enterprise/consumption/daily/{name}?{BOUNDS}", days(acus)
        yield f"/v3/organizations/org-1/consumption/daily/{name}?{BOUNDS}", days(acus)


def derived(folder: Path, sessions: int) -> list[str]:
    """Write a recording, derive it in a process of its own, and give what that says."""
    folder.mkdir()
    centers = {f"CC-{n:02}": {"name": f"Center {n}"} for n in range(30)}
    users = {f"okta|acme|{user}": f"CC-{user % 30:02}" for user in range(USERS)}
    files = {
        "chargeback.yaml": {
            "enterprise": "Acme",
            "source": {"replay": "responses.jsonl"},
            "mapping": "mapping.yaml",
            "rates": "rates.yaml",
            "archive": "archive",
        },
        "mapping.yaml": {"cost_centers": centers, "users": users},
        "rates.yaml": {"currency": "USD", "prices": {"devin": "2.00"}},
    }
    for name, values in files.items():
        (folder / name).write_text(as_yaml(values))
    with (folder / "responses.jsonl").open("w") as file:
        for request, body in answers(sessions):
            line = RecordedResponse(
                request=request, status=200, fetched_at="2026-01-09T10:00:00Z", body=body
            )
            file.write(
                json.dumps(
                    {"request": f"GET {line.request}", "status": 200}
                    | {"fetched_at": line.fetched_at, "body": line.body}
                )
                + "\n"
            )
    command = [sys.executable, "-c", DERIVE.format(START, END), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split(maxsplit=2)


@pytest.mark.heavy
def test_a_hundred_thousand_sessions_take_little_memory(tmp_path):
    """So that a command stays far below 400 MB, with the workers that draw beside it."""
    none, least, _ = derived(tmp_path / "none", 0)
    many, most, said = derived(tmp_path / "many", SESSIONS)
    assert (int(none), int(many)) == (0, SESSIONS)
    assert said.splitlines() == ["{''} {10}"]
    assert int(most) - int(least) < MOST_MIB
