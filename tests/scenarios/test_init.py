"""`init`: what it writes passes `check`, explains every setting, and runs against the API."""

import csv
import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator
from pydantic.fields import FieldInfo

from reportgen.cli import main
from reportgen.commands.run import run
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.collecting.collection import Effort
from reportgen.operations.starting import move
from reportgen.sources.config.messages import _sections_in
from reportgen.sources.config.schema import ChargebackFile, MappingFile, RatesFile
from tests.fakeapi.behavior import ENTERPRISE
from tests.fakeapi.sample import CYCLES
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import Live
from tests.scenarios.job import EXAMPLE, Job, contents
from tests.yaml_core import core

NAMES = {"chargeback.yaml": ChargebackFile, "mapping.yaml": MappingFile, "rates.yaml": RatesFile}
SCHEMAS = [f"{name.removesuffix('.yaml')}.schema.json" for name in NAMES]
SETTING = re.compile(r'( *)# ((?:- \{|(?:"[^"]+"|[\w.@-]+):(?: |$)).*)')
"""A setting that stands in a comment; lines there that are indented deeper belong to it."""
NAMED_FILES = {
    "cost_centers.csv": "code,name\nCC-2001,Third team\n",
    "hr.csv": "email,cost_center,valid_from\n",
    "inv-0042.pdf": "",
    "fonts/font.ttf": "\0\1\0\0",
    "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "responses.jsonl": "",
}
TEMPLATES_LINE = (
    "# templates: templates            "
    "# files found here win over the built-in ones; keep only those you change"
)


def command(*arguments: str | Path):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def started(tmp_path) -> Path:
    result = command("init", tmp_path / "mine", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    return tmp_path / "mine"


# What is written


def test_it_passes_check_at_once_and_what_documents_would_print_is_told(started):
    result = command("check", started)
    assert (result.exit_code, result.stdout) == (0, "No problems, 2 warnings\n")
    lines = result.stderr.splitlines()
    assert [line.partition(": warning: ")[2].partition(" is still ")[0] for line in lines] == [
        *("`enterprise`", "`contract`")
    ]
    for line in lines:
        path, number, _ = line.split(":", 2)
        (value,) = re.findall(r'"([^"]+)"', line)
        assert value in Path(path).read_text().splitlines()[int(number) - 1]
    settle(started)
    result = command("check", started)
    assert (result.stdout, result.stderr) == ("No problems, 0 warnings\n", "")


def settle(folder: Path) -> None:
    """Write what is the enterprise's own."""
    for name, key, value in (
        ("chargeback.yaml", "enterprise", "Ours"),
        ("rates.yaml", "contract", "Ours"),
    ):
        text = (folder / name).read_text()
        text, changed = re.subn(rf"(?m)^{key}: .*?(?=  #|$)", f"{key}: {value}", text)
        assert changed == 1
        (folder / name).write_text(text)


def test_the_templates_are_those_that_are_built_in_and_not_yet_in_force(started):
    written = contents(started / "templates")
    assert {name: content.decode() for name, content in written.items()} == read_templates(None)
    assert TEMPLATES_LINE in (started / "chargeback.yaml").read_text().splitlines()
    assert set(contents(started)) == {
        *NAMES,
        *(f"templates/{name}" for name in written),
        *(f"schemas/{name}" for name in SCHEMAS),
    }


def refused(folder: Path, name: str) -> list[str]:
    """Check a file by the schema that it names itself, as an editor does."""
    text = (folder / name).read_text()
    target = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert target
    schema = json.loads((folder / target[1]).read_text(encoding="utf-8"))
    return [error.message for error in Draft7Validator(schema).iter_errors(core(text))]


def test_an_editor_finds_the_schema_of_each_file_beside_it(started):
    assert [refused(started, name) for name in NAMES] == [[], [], []]
    path = started / "chargeback.yaml"
    path.write_text(path.read_text().replace("enterprise:", "enterprize:"))
    said = refused(started, "chargeback.yaml")
    assert "'enterprise' is a required property" in said
    assert any("'enterprize' was unexpected" in one for one in said)


def test_nobody_of_the_sample_is_in_it(started):
    with (EXAMPLE / "hr.csv").open(encoding="utf-8", newline="") as file:
        people = [row[key] for row in csv.DictReader(file) for key in ("email", "name")]
    text = "".join((started / name).read_text().casefold() for name in NAMES)
    assert [word for word in (*people, "acme") if word.casefold() in text] == []


def test_what_was_written_and_that_templates_grow_old_is_said(tmp_path):
    result = command("init", tmp_path / "mine")
    assert result.stderr == ""
    wrote, begin, old = result.stdout.splitlines()
    assert wrote.endswith(f"{len(read_templates(None))} templates into {tmp_path}/mine")
    assert f"{tmp_path}/mine/chargeback.yaml" in begin
    assert "keep only those you change" in old


def test_machines_get_the_files(tmp_path):
    result = command("init", tmp_path / "mine", "--json", "--quiet")
    values = json.loads(result.stdout)
    assert values == {
        "folder": str(tmp_path / "mine"),
        "files": sorted(contents(tmp_path / "mine")),
        "warnings": [],
    }
    again = json.loads(command("init", tmp_path / "mine", "--json").stdout)
    taken = [Path(problem["source"]).name for problem in again["problems"]]
    assert taken == [*NAMES, "templates", "schemas"]


# Its settings


def settings_in_comments(name: str) -> list[tuple[int, int]]:
    """Give the lines [from, to) of every setting that stands in a comment."""
    lines = (EXAMPLE.parent / "start" / name).read_text().splitlines()
    blocks = []
    for number, line in enumerate(lines):
        if setting := SETTING.fullmatch(line):
            deeper = f"{setting[1]}#   "
            end = next(
                (n for n in range(number + 1, len(lines)) if not lines[n].startswith(deeper)),
                len(lines),
            )
            blocks.append((number, end))
    return blocks


@pytest.mark.quick(18)
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [(name, *lines) for name in NAMES for lines in settings_in_comments(name)],
)
def test_every_setting_in_a_comment_can_be_used_as_it_stands(started, name, first, last):
    path = started / name
    modeline, *lines = path.read_text().splitlines()
    lines[first:last] = [line.replace("# ", "", 1) for line in lines[first:last]]
    if lines[first].startswith(("tiers:", "recover:")):
        del lines[lines.index("prices:") : lines.index("prices:") + 2]
    path.write_text("\n".join([modeline, *lines]) + "\n")
    assert refused(started, name) == []
    settle(started)
    for file, text in NAMED_FILES.items():
        (started / file).parent.mkdir(exist_ok=True)
        (started / file).write_text(text)
    result = command("check", started)
    assert result.exit_code == 0, result.stderr
    warned = "project:" in lines[first]  # of a tag, as `precedence` does not name them
    assert bool(result.stderr) == warned, result.stderr


def keys_of(section: type, seen: set[str]) -> set[str]:
    """Collect the keys of a section and of those in it."""
    for name, field in section.model_fields.items():
        assert isinstance(field, FieldInfo)
        if not (field.alias or "").startswith("="):
            seen.add(field.alias or name)
        for inner in _sections_in(field.annotation):
            keys_of(inner, seen)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_every_key_that_there_is_stands_in_it(started, name):
    text = (started / name).read_text()
    missing = {
        key
        for key in keys_of(NAMES[name], set())
        if not re.search(rf"(?m)(?:^|[ {{]){key}:(?: |$)", text)
    }
    assert missing == set(), f"explain it in configs/start/{name}"


# Where it is written


def test_a_folder_that_is_there_keeps_what_is_in_it(tmp_path, monkeypatch):
    (tmp_path / "hr.csv").write_text("ours")
    monkeypatch.chdir(tmp_path)
    assert command("init", ".").exit_code == 0
    assert (tmp_path / "hr.csv").read_text() == "ours"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"hr.csv", "schemas", "templates", *NAMES}
    assert command("check", ".").exit_code == 0


@pytest.mark.parametrize("taken", ["rates.yaml", "templates/mine.html.j2"])
def test_nothing_is_overwritten_and_nothing_is_added_to_it(tmp_path, taken):
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("ours")
    result = command("init", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        f"{tmp_path / taken.partition('/')[0]}: this is there already; "
    )
    assert contents(tmp_path) == {taken: b"ours"}


def test_a_link_that_leads_nowhere_is_in_the_way_too(tmp_path):
    (tmp_path / "mapping.yaml").symlink_to(tmp_path / "gone.yaml")
    assert command("init", tmp_path).exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mapping.yaml"]


def test_what_cannot_be_renamed_in_takes_the_rest_back(tmp_path):
    whole, folder = tmp_path / "whole", tmp_path / "mine"
    (folder / "b.yaml").mkdir(parents=True)
    whole.mkdir()
    for name in ("a.yaml", "b.yaml"):
        (whole / name).write_text(name)
    with pytest.raises(IsADirectoryError):
        move(sorted(whole.iterdir()), folder)
    assert contents(whole) == {"a.yaml": b"a.yaml", "b.yaml": b"b.yaml"}
    assert contents(folder) == {}


def test_an_archive_is_no_place_for_it_not_even_through_a_link(tmp_path):
    (tmp_path / "archive" / "2025-12-05" / "inputs").mkdir(parents=True)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "archive" / "2025-12-05")
    before = sorted(tmp_path.rglob("*"))
    for name in ("archive", "archive/mine", "archive/2025-12-05/mine", "elsewhere/mine"):
        result = command("init", tmp_path / name)
        assert result.exit_code == 1
        assert "lies in an archive" in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert command("init", tmp_path / "beside").exit_code == 0


# What it takes to run


@pytest.fixture
def job(started) -> Live:
    return Live(started, {"DEVIN_API_TOKEN": ENTERPRISE})


def run_previous(job: Live) -> dict:
    said = job.command(
        lambda context: run(job.folder, "previous", context, Effort(concurrency=4), workers=1)
    )
    assert said.code == 0, said.stderr
    return Job(job.folder).statement()


def amounts(statement: dict) -> dict[str, str]:
    return {center["code"]: center["amount"] for center in statement["cost_centers"]}


@pytest.mark.heavy
def test_it_runs_against_the_api_before_and_after_the_mapping_is_edited(job):
    world = big_world(users=6, organizations=3)._replace(cycles=CYCLES)
    edits = Job(job.folder)
    with serving(world) as api:
        edits.edit("chargeback.yaml", "https://api.devin.ai", api.base_url)
        first = run_previous(job)
        assert first["cycle"]["start"] == "2025-12-05"
        used = f"{sum(atom.acus for atom in world.atoms):.2f}"
        assert amounts(first) == {"CC-1001": "0.00", "CC-1002": "0.00", "CC-9999": used}

        edits.edit(
            "mapping.yaml", "# jane.doe@example.com: CC-1001", f"{world.people[0].email}: CC-1001"
        )
        edits.edit(
            "mapping.yaml",
            "# org-0123456789ab: CC-1001",
            f"{world.organizations[0].org_id}: CC-1002",
        )
        edits.edit("chargeback.yaml", "# templates: ", "templates: ")
        edits.edit("templates/invoice.html.j2", "</body>", "<p>Questions: 4711</p></body>")
        for path in (job.folder / "templates").rglob("*.*"):
            if path.is_file() and path.name != "invoice.html.j2":
                path.unlink()
        second = amounts(run_previous(job))
        assert api.violations == []
    mine = sum(atom.acus for atom in world.atoms if atom.principal_id == world.people[0].user_id)
    assert second["CC-1001"] == f"{mine:.2f}"
    assert float(second["CC-1002"]) > 0
    assert sum(map(float, second.values())) == pytest.approx(float(used))
    as_used = contents(
        Job(job.folder).cycle(date(2025, 12, 5).isoformat()) / "inputs" / "templates"
    )
    assert b"Questions: 4711" in as_used.pop("invoice.html.j2")
    built_in = {
        name: text.encode()
        for name, text in read_templates(None).items()
        if name != "invoice.html.j2"
    }
    assert as_used == built_in
