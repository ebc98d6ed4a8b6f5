"""What the next draft keeps where a key of the configuration is another: what shows none of it.

Every key that there is has its turn, so that none can be forgotten. What would be kept is drawn
anew here, where it is not of the very same values, and has to be the file that lies there.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reportgen.documents.keys import DRAWN_WITH
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, Task
from reportgen.operations.building import drafts
from reportgen.sources.config.meanings import MEANINGS
from tests.scenarios.job import DECEMBER, SMALL_RECORDING, Job

FILES = {
    "configuration": "chargeback.yaml",
    "mapping": "mapping.yaml",
    "rates": "rates.yaml",
}
BASE: dict[str, dict[str, Any]] = {
    "configuration": {
        "enterprise": "Acme",
        "source": {"replay": str(SMALL_RECORDING)},
        "mapping": "mapping.yaml",
        "rates": "rates.yaml",
        "archive": "archive",
        "invoice": {
            "summaries": ["department"],
            "sessions": 3,
            "contact": "Desk",
            "note": "Thank you.",
        },
        "products": {"devin": {"label": "Devin", "meaning": "an engineer"}},
    },
    "mapping": {
        "cost_centers": {
            "A-1": {"name": "Platform", "department": "North", "cycle_budget": 9},
            "B-2": {"name": "Payments", "department": "North", "locale": "de"},
            "Z-9": {"name": "Central", "department": "South"},
        },
        "cost_center_file": {"path": "centers.csv", "fields": ["PO"]},
        "users": {"ada@acme.example": "A-1", "grace@acme.example": {"A-1": 1, "B-2": 2}},
        "user_file": {"path": "people.csv", "user": "email", "cost_center": "cc"},
        "orgs": {"org-2f8ab6190c4e": "B-2"},
        "unallocated": "Z-9",
    },
    "rates": {
        "currency": "USD",
        "contract": "Order form",
        "prices": {"devin": 2, "*": 1.75},
        "fees": [
            {"name": "Team", "amount": 5, "to": ["A-1", "B-2"]},
            {"name": "Support", "percent": "2%", "to": "each"},
        ],
        "transfers": [
            {"cycle": DECEMBER, "from": "A-1", "to": "B-2", "amount": 1, "reason": "Help"}
        ],
        "memo_currency": {"B-2": {"currency": "EUR", DECEMBER: 0.9}},
        "vendor_invoices": {DECEMBER: {"number": "INV-1", "amount": 900, "acus": 500}},
    },
}
TABLES = {
    "centers.csv": "code,name,name2,department,department2,entity,contacts,gl_account,cycle_budget,"
    "year_budget,locale,closed,PO,Approver\n"
    "C-3,Kiosk,Shop,South,West,1000,c@acme.example,6420,70,800,fr,2026-12-31,4711,Jo\n",
    "people.csv": "email,mail,cc,cc2,valid_from,valid_to,percent,full_name\n"
    "alan@acme.example,alan@acme.example,C-3,A-1,2025-11-05,2025-12-20,100,Alan W.\n"
    "hannah@acme.example,hannah@acme.example,A-1,C-3,2025-12-10,2026-12-20,100,Hannah G.\n",
}
TABLES |= {
    "others.csv": TABLES["centers.csv"].replace("Kiosk", "Booth"),
    "staff.csv": TABLES["people.csv"].replace("alan@", "marco@"),
}
VALUES: dict[str, Any] = {
    "invoice": {"sessions": 3, "locale": "de"},
    "invoice.max_detail_rows": 1,
    "invoice.max_rows": 1,
    "invoice.tags": "project:*",
    "products.*.label": "Engineer",
    "mapping.cost_centers": {"A-1": {"name": "P"}, "B-2": {"name": "Q"}, "Z-9": {"name": "R"}},
    "mapping.cost_center_file": {"path": "others.csv"},
    "mapping.cost_center_file.path": "others.csv",
    **{
        f"mapping.cost_center_file.{key}": key
        for key in ("code", "entity", "contacts", "gl_account", "closed")
    },
    "mapping.cost_center_file.name": "name2",
    "mapping.cost_center_file.department": "department2",
    "mapping.cost_center_file.cycle_budget": "year_budget",
    "mapping.cost_center_file.year_budget": "cycle_budget",
    "mapping.cost_center_file.locale": "locale",
    "mapping.cost_center_file.date_format": "YYYY-MM-DD",
    "mapping.users": {"ada@acme.example": "B-2"},
    "mapping.user_file": {"path": "staff.csv", "user": "email", "cost_center": "cc"},
    "mapping.user_file.path": "staff.csv",
    "mapping.user_file.user": "mail",
    "mapping.user_file.cost_center": "cc2",
    "mapping.user_file.date_format": "YYYY-MM-DD",
    "mapping.service_users": {"service-user-5be1c07a94d3": "A-1"},
    "mapping.sessions": {"devin-819f16baf0c8b760": "A-1"},
    "mapping.tags": {"project:apollo": "B-2"},
    "mapping.orgs": {"org-7c1e04b95d2a": "A-1"},
    "mapping.pools": {"Z-9": "proportional"},
    "mapping.unallocated": "B-2",
    "mapping.precedence": ["org", "user"],
    "rates.currency": "GBP",
    "rates.prices": {"devin": 2, "*": 2},
    "rates.fees[].name": "Platform team",
    "rates.fees": [{"name": "Team", "amount": 5, "to": ["A-1"]}],
    "rates.fees[].to": ["B-2"],
    "rates.transfers": [],
    "rates.transfers[].cycle": "2025-11-05",
    "rates.transfers[].from": "Z-9",
    "rates.transfers[].to": "Z-9",
    "rates.memo_currency": {"A-1": {"currency": "EUR", DECEMBER: 0.9}},
    "rates.vendor_invoices": {DECEMBER: {"number": "INV-2", "amount": 900}},
    "rates.vendor_invoices.*.document": "centers.csv",
}
"""What a key is set to, where the example of its meaning does not suit the others."""
INSTEAD = {
    "rates.tiers": ("prices", [{"up_to": 10, "price": 2}, {"price": 3}]),
    "rates.recover": ("prices", {"weights": {"devin": 2}}),
    "rates.fees[].percent": ("fees[].amount", "3%"),
}
"""What stands instead of another key."""
PARTS = {
    "rates.tiers[].up_to": "rates.tiers",
    "rates.tiers[].price": "rates.tiers",
    "rates.recover.weights": "rates.recover",
}
"""What is tried with the key that it is part of."""
ELSEWHERE = {
    "source": "from where answers come; the answers themselves are shown",
    "mapping": "the file, which has keys of its own",
    "rates": "the file, which has keys of its own",
    "archive": "another folder has no draft to keep anything of",
    "archive_mode": "files that others may read are written anew",
    "mapping.cost_center_file.sheet": "of workbooks",
    "mapping.user_file.sheet": "of workbooks",
}
"""What is not tried, with all below it, and why."""
UNSHOWN = {"close", "corrections", "email", "focus", "journal"}
"""What no draft shows, with all below it: everything is kept."""
SECTIONS = {
    "corrections": {"minimum": 5},
    "email": {"host": "smtp.acme.example", "from": "desk@acme.example"},
    "focus": {"version": "1.4"},
    "journal": {"credit_account": "2999"},
    "close": {"settle_days": 3},
}


def name_of(file: str, key: str) -> str:
    return key if file == "configuration" else f"{file}.{key}"


EVERY = {
    name_of(file, key): (file, key, example)
    for file, keys in MEANINGS.items()
    for key, (example, _) in keys.items()
}


def is_below(name: str, others: dict[str, str] | set[str]) -> bool:
    return name in others or any(
        name.startswith((f"{one}.", f"{one}[")) and one not in {"mapping", "rates"}
        for one in others
    )


TRIED = [name for name in EVERY if not is_below(name, {*ELSEWHERE, *UNSHOWN, *PARTS})]


def written(values: dict[str, dict[str, Any]], folder: Path) -> None:
    for file, name in FILES.items():
        text = yaml.safe_dump(values[file], sort_keys=False, allow_unicode=True)
        (folder / name).write_text(text, encoding="utf-8")


def changed(name: str) -> dict[str, dict[str, Any]]:
    """Give the configuration with another value of a key."""
    values = yaml.safe_load(yaml.safe_dump(BASE))
    file, key, example = EVERY[name]
    value = VALUES[name] if name in VALUES else yaml.safe_load(example)
    if name in INSTEAD:
        gone, value = INSTEAD[name]
        holder, last = place(values[file], gone)
        del holder[last]
    holder, last = place(values[file], key)
    assert holder.get(last) != value, f"{name}: this is what it was"
    holder[last] = value
    return values


def place(values: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """Find where a key belongs: `*` is the first of what is there, `[]` the first entry."""
    *above, last = key.replace("[]", ".[]").split(".")
    holder: Any = values
    for step in above:
        if step == "[]":
            holder = holder[0]
        elif step == "*":
            holder = next(iter(holder.values()))
        else:
            holder = holder.setdefault(step, {})
    return holder, last


@dataclass
class Looked(BaseException):
    """What would be kept and what drawn: nothing is, so that the draft stays."""

    kept: dict[str, Task]
    drawn: dict[str, Task]
    design: Design


def look(wanted: drafts._Wanted, design: Design, *_: object) -> Iterator[None]:
    drawn = {task.path: task for task in wanted}
    planned = {one.path: one for one in wanted._listed.planned}
    raise Looked({p: one.make() for p, one in planned.items() if p not in drawn}, drawn, design)


def looked(job: Job) -> Looked:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drafts, "draw", look)
        try:
            done = job.here("build")
        except Looked as found:
            return found
    pytest.fail(done.stderr)


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    folder = tmp_path_factory.mktemp("reach") / "job"
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>',
        encoding="utf-8",
    )
    (folder / "templates").mkdir()
    (folder / "templates" / "summary.html.j2").write_text(
        '<html lang="en"><head><title>T</title></head><body><p>T</p></body></html>', "utf-8"
    )
    (folder / "fonts").mkdir()
    (font,) = Path("/usr/share/fonts").rglob("LiberationSans-Regular.ttf")
    shutil.copyfile(font, folder / "fonts" / "Mine.ttf")
    written(BASE, folder)
    made = Job(folder)
    done = made.here("run")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def before(job) -> Looked:
    written(BASE, job.folder)
    found = looked(job)
    assert not found.drawn
    return found


def test_every_key_has_its_turn():
    known = {*VALUES, *INSTEAD, *PARTS, *PARTS.values(), *ELSEWHERE, *UNSHOWN}
    assert known <= EVERY.keys()
    assert SECTIONS.keys() == UNSHOWN


@pytest.mark.heavy
@pytest.mark.parametrize("name", TRIED)
def test_what_a_key_can_reach_is_drawn_anew_and_what_it_cannot_is_kept(job, before, name):
    written(changed(name), job.folder)
    found = looked(job)
    same = all(
        getattr(found.design, one) == getattr(before.design, one) for one in DRAWN_WITH
    ) and dict(found.design.templates) == dict(before.design.templates)
    for path, task in found.kept.items():
        if not (same and task == before.kept[path]):
            assert draw(task, found.design) == (job.cycle() / path).read_bytes()
    if same and name != "invoice.fonts":
        for path, task in found.drawn.items():
            assert task != before.kept.get(path), f"{path} shows the same and is drawn anew"


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(UNSHOWN))
def test_what_no_draft_shows_leaves_everything(job, before, name):
    written({**BASE, "configuration": {**BASE["configuration"], name: SECTIONS[name]}}, job.folder)
    assert looked(job).kept == before.kept
