"""Where CONFIG may lie: here by default, never in an archive; `explain` reads a cycle's folder."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from tests.scenarios.closed import contents
from tests.scenarios.job import DECEMBER, Job, plain

WRITING = {
    "cycles": [],
    "collect": ["--cycle", DECEMBER],
    "build": ["--cycle", DECEMBER],
    "run": ["--cycle", DECEMBER],
    "close": ["--cycle", DECEMBER, "--dry-run"],
    "correct": ["--cycle", DECEMBER, "--reason", "Ticket"],
    "send": ["--cycle", DECEMBER, "--status"],
    "export": ["--cycle", DECEMBER, "--format", "audit"],
}


def invoke(*arguments: object):
    return CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)


def explained(*arguments: object):
    result = invoke("explain", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_config_is_the_current_folder_where_none_is_named(drafted, monkeypatch):
    named = invoke("check", drafted.folder)
    monkeypatch.chdir(drafted.folder)
    here = invoke("check")
    assert (here.exit_code, here.stdout) == (0, named.stdout)
    assert explained("--cycle", DECEMBER, "A-1")["cost_center"] == "A-1"
    monkeypatch.chdir(drafted.archive)
    missing = invoke("build", "--cycle", DECEMBER)
    assert missing.exit_code == 1
    assert missing.stderr.startswith("chargeback.yaml: cannot be read: no such file or directory; ")


@pytest.mark.parametrize("name", ["run", "check", "explain"])
def test_an_empty_name_is_not_the_current_folder(name):
    arguments = ["A-1"] if name == "explain" else []
    result = invoke(name, "", *arguments, "--cycle", DECEMBER)
    assert result.exit_code == 2
    assert "Invalid value for CONFIG: it is empty" in result.stderr


def test_a_recording_that_is_collected_again_leaves_the_evidence_as_it_was(drafted):
    evidence = drafted.cycle() / "inputs" / "responses.jsonl"
    os.utime(evidence, ns=(1, 1))
    assert plain(drafted).here("build").returncode == 0
    assert drafted.here("collect").returncode == 0
    assert evidence.stat().st_mtime_ns == 1


@pytest.mark.quick(8)
@pytest.mark.parametrize("name", sorted(WRITING))
@pytest.mark.parametrize("inside", ["", "inputs/config", "inputs/config/chargeback.yaml"])
def test_a_configuration_inside_an_archive_is_not_worked_with(drafted, name, inside):
    before = contents(drafted.archive)
    config = drafted.cycle() / inside
    result = invoke(name, config, *WRITING[name])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{config}: this is the configuration that a cycle was built")
    assert f"`reportgen explain {drafted.cycle()} INVOICE`" in result.stderr
    assert contents(drafted.archive) == before


def test_a_link_leads_into_the_archive_too(drafted):
    link = drafted.folder / "live"
    link.symlink_to(drafted.cycle() / "inputs" / "config")
    result = invoke("run", link, "--cycle", DECEMBER)
    assert (result.exit_code, "its archive keeps it" in result.stderr) == (1, True)


def test_a_folder_that_is_named_by_a_day_may_hold_a_configuration(drafted):
    day = drafted.folder.rename(drafted.folder.with_name("2025-12-05"))
    assert invoke("check", day).exit_code == 0


def test_a_draft_is_explained_by_its_folder_alone(drafted, tmp_path, monkeypatch):
    by_configuration = explained(drafted.folder, "--cycle", DECEMBER, "A-1")
    alone = tmp_path / "elsewhere" / DECEMBER
    shutil.move(drafted.cycle(), alone)
    shutil.rmtree(drafted.folder)
    before = contents(alone)
    by_folder = explained(alone, "A-1")
    assert explained(alone / "inputs" / "config", "A-1") == by_folder
    assert explained(alone, "--cycle", "2025-12", "A-1") == by_folder
    monkeypatch.chdir(alone)
    assert explained("A-1")["lines"] == by_folder["lines"]
    assert contents(alone) == before
    for key in ("invoice", "amount", "cycle"):
        assert by_folder[key] == by_configuration[key]
    assert [line["records"] for line in by_folder["lines"]] == [
        line["records"] for line in by_configuration["lines"]
    ]


def test_a_draft_is_explained_as_it_stands_though_the_configuration_was_edited(drafted):
    drafted.edit("mapping.yaml", "ada@acme.example: A-1", "ada@acme.example: B-2")
    refused = invoke("explain", drafted.folder, "--cycle", DECEMBER, "A-1")
    assert refused.exit_code == 1
    assert explained(drafted.cycle(), "A-1")["amount"] == next(
        center["amount"]
        for center in drafted.statement()["cost_centers"]
        if center["code"] == "A-1"
    )


def test_a_closed_cycle_is_explained_by_its_folder_alone(closed_once: Job, tmp_path):
    by_configuration = explained(closed_once.folder, "--cycle", DECEMBER, "A-1")
    alone = tmp_path / DECEMBER
    shutil.copytree(closed_once.cycle(), alone)
    by_folder = explained(alone, "A-1")
    assert by_folder["amount"] == by_configuration["amount"]
    assert [line["records"] for line in by_folder["lines"]] == [
        line["records"] for line in by_configuration["lines"]
    ]


def test_a_folder_is_of_one_cycle(drafted):
    result = invoke("explain", drafted.cycle(), "--cycle", "2025-11-05", "A-1")
    assert result.exit_code == 2
    said = f'--cycle: "2025-11-05" is not the billing cycle of {drafted.cycle()}; leave out --cycle'
    assert said in result.stderr
    missing = invoke("explain", drafted.folder, "A-1")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("--cycle: it is missing; ")


def test_what_a_draft_is_of_has_to_be_told_and_stays_inside(drafted):
    path = drafted.cycle() / "inputs" / "cycle.json"
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace('"mapping.yaml"', '"../../mapping.yaml"'), encoding="utf-8")
    result = invoke("explain", drafted.cycle(), "A-1")
    assert result.stderr.startswith(f"{path}: names a file outside of the archive")
    path.unlink()
    result = invoke("explain", drafted.cycle(), "A-1")
    assert result.exit_code == 1
    assert "does not say what it is of; build again" in result.stderr
