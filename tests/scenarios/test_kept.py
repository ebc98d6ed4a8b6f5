"""What the next draft keeps: what would be drawn the same, to the last bit, and nothing else."""

import json
import os
import random
import shutil
import subprocess
from hashlib import sha256

import pytest

from tests.scenarios.job import DECEMBER, PLAIN, Job, plain, small
from tests.scenarios.test_elsewhere import FARM

PDF, XLSX = (f"invoices/CB-{DECEMBER}-A-1.{kind}" for kind in ("pdf", "xlsx"))
OF_ALL = 9
"""Documents of the small job: statement and three invoices, each twice, and the page."""
SHOWING = {
    "invoice.html.j2": "<p>{% for line in document.usage_lines %}{{ line.amount | money }}"
    "{% endfor %}{{ document.cost_center.name }}{{ heading.contact or '' }}{{ accent }}</p>",
    "statement.html.j2": "<p>{{ document.tie_out.invoiced_amount | money }}{{ heading.mark }}</p>",
}
LINES = (
    ("mapping.yaml", "name: Platform", "name: Platforms"),
    ("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2"),
    ("mapping.yaml", "cost_centers:", "# more\ncost_centers:"),
    ("mapping.yaml", "{A-1: 1, B-2: 2}", "{A-1: 2, B-2: 2}"),
    ("rates.yaml", "devin: 2.00", "devin: 2.10"),
    ("rates.yaml", '"*": 1.75', '"*": 1.8'),
    ("chargeback.yaml", "enterprise: Acme Corporation", "enterprise: Acme"),
    ("templates/invoice.html.j2", "<p>", "<p>Dear reader, "),
    ("templates/invoice.xlsx.j2", "{{", "x {{"),
    ("templates/invoice.css", "A4", "A5"),
    ("templates/index.html.j2", "<p>", "<p>Page "),
)


def content(job: Job) -> dict[str, bytes]:
    """Read everything in the draft."""
    folder = job.cycle()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def kept(result: "subprocess.CompletedProcess[str]") -> tuple[int, int]:
    """Read how many documents were kept, and how many drawn."""
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stdout.splitlines() if line.startswith("Kept ")]
    if not lines:
        return 0, OF_ALL
    _, count, _, _, drawn = lines[0].split()
    return int(count), int(drawn)


def built(job: Job, *arguments: str) -> tuple[int, int]:
    return kept(job.here("build", *arguments))


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Job:
    job = plain(small(tmp_path_factory.mktemp("kept") / "job"))
    for name, body in SHOWING.items():
        text = PLAIN[name].replace("<p>{{ heading.enterprise }}</p>", body)
        (job.folder / "templates" / name).write_text(text, encoding="utf-8")
    assert kept(job.here("run")) == (0, OF_ALL)
    return job


@pytest.fixture
def job(first, tmp_path) -> Job:
    return first.copied(tmp_path / "job")


def test_a_draft_of_the_same_is_kept_whole(job):
    before = content(job)
    result = job.here("build")
    assert kept(result) == (OF_ALL, 0)
    assert "Kept 9 files, drew 0" in result.stdout
    assert content(job) == before


def test_fresh_draws_everything(job):
    before = content(job)
    assert built(job, "--fresh") == (0, OF_ALL)
    assert content(job) == before


def test_run_keeps_as_well(job):
    assert kept(job.here("run")) == (OF_ALL, 0)
    assert kept(job.here("run", "--fresh")) == (0, OF_ALL)


def test_what_machines_are_told_says_it_too(job):
    told = json.loads(job.here("build", "--json").stdout)
    assert told["documents"] == {"kept": OF_ALL, "drawn": 0}


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"%"),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"X"),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o644),
        lambda path: (path.rename(path.with_suffix(".of")), path.symlink_to(f"{path.stem}.of")),
        lambda path: os.link(path, path.parent.parent.parent.parent / "of.pdf"),
    ],
    ids=["more", "other", "gone", "open", "link", "hard link"],
)
def test_what_is_not_what_was_drawn_is_drawn(job, harm):
    before = content(job)
    harm(job.cycle() / PDF)
    assert built(job) == (OF_ALL - 1, 1)
    after = content(job)
    assert {name: after[name] for name in before} == before
    assert not (job.cycle() / PDF).is_symlink()


@pytest.mark.parametrize("of", ["key", "sha256"])
def test_what_was_noted_otherwise_is_drawn(job, of):
    listing = job.cycle() / "inputs" / "draft.json"
    before = content(job)
    values = json.loads(listing.read_text(encoding="utf-8"))
    values["drawn"][PDF][of] = "0" * 64
    listing.write_text(json.dumps(values), encoding="utf-8")
    assert built(job) == (OF_ALL - 1, 1)
    assert content(job) == before


@pytest.mark.quick(2)
@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', '{"files": [], "drawn": [1]}'])
def test_without_notes_everything_is_drawn(job, text):
    (job.cycle() / "inputs" / "draft.json").write_text(text, encoding="utf-8")
    assert built(job) == (0, OF_ALL)


def test_a_draft_that_was_torn_keeps_only_what_is_right(job):
    before = content(job)
    (job.cycle() / ".replacing").write_bytes(before["inputs/draft.json"])
    (job.cycle() / XLSX).write_bytes(before[XLSX][:99])
    assert built(job) == (OF_ALL - 1, 1)
    assert content(job) == before


def test_a_user_who_moves_takes_two_invoices_along(job):
    job.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2")
    count, drawn = built(job)
    assert (count, drawn) == (2, 7)  # statement, page and both who are charged; C-3 is as it was


@pytest.mark.heavy
def test_what_others_draw_is_counted_once(job, tmp_path, monkeypatch):
    """Workers are compared by one of the first documents: to look for it counts nothing."""
    (tmp_path / "farm_of_kept.py").write_text(FARM, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    job.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2")
    assert built(job, "--executor", "farm_of_kept:threads") == (2, 7)


@pytest.mark.heavy
def test_what_was_written_by_hand_is_drawn_by_fresh(job):
    """A draft is whose folder it is: a note by hand is believed, until all is drawn."""
    before = content(job)
    listing = job.cycle() / "inputs" / "draft.json"
    values = json.loads(listing.read_text(encoding="utf-8"))
    forged = before[PDF] + b"%"
    (job.cycle() / PDF).write_bytes(forged)
    values["drawn"][PDF]["sha256"] = sha256(forged).hexdigest()
    listing.write_text(json.dumps(values), encoding="utf-8")
    assert built(job) == (OF_ALL, 0)
    assert content(job)[PDF] == forged
    assert built(job, "--fresh") == (0, OF_ALL)
    assert content(job) == before


@pytest.mark.heavy
def test_lines_that_stand_elsewhere_change_no_document(job):
    """The built-in templates of invoices show no place; these are others, so that they may."""
    shutil.rmtree(job.folder / "templates")
    (job.folder / "templates").mkdir()
    for name in PLAIN:
        if not name.startswith("invoice.") or name.endswith(".css"):
            (job.folder / "templates" / name).write_text(PLAIN[name], encoding="utf-8")
    assert built(job)[1] == OF_ALL
    job.edit("mapping.yaml", "cost_centers:", "# more\ncost_centers:")
    assert built(job)[0] >= OF_ALL - 3


def test_what_is_warned_of_is_warned_of_again(job):
    job.edit("mapping.yaml", "name: Platform", 'name: "Platform \\U0001F980"')
    warned = [job.here("build").stderr for _ in range(2)]
    assert "U+FFFD stands for it" in warned[0]
    assert warned[0] == warned[1]


@pytest.mark.heavy
@pytest.mark.quick(2)
@pytest.mark.parametrize("seed", range(8))
def test_what_is_kept_is_what_would_be_drawn(job, tmp_path, seed):
    """Whatever is edited, in whatever order: a draft that kept is the one that kept nothing."""
    chosen = random.Random(seed)  # noqa: S311 - the same edits in every run
    for step in range(3):
        name, old, new = chosen.choice(LINES)
        path = job.folder / name
        text = path.read_text(encoding="utf-8")
        old, new = (old, new) if old in text and new not in text else (new, old)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        other = job.copied(tmp_path / f"fresh-{step}")
        built(job)
        assert built(other, "--fresh") == (0, OF_ALL)
        assert content(job) == content(other)
