"""`--json`: every command writes one object, and beside its result what it warned of."""

import json

import pytest
from click.testing import CliRunner

from reportgen.cli import main

BESIDE = {
    "init": [],
    "check": [],
    "cycles": [],
    "doctor": [],
    "verify": [],
    "send": ["--check"],
    "explain": ["--cycle", "2025-12-05", "CC-1"],
    "diff": ["--cycle", "2025-12-05.c1"],
    "correct": ["--cycle", "2025-12-05", "--reason", "Ticket"],
    "export": ["--cycle", "2025-12-05", "--format", "audit"],
}


WITHOUT = {"completion", "schema"}
"""What prints a script or a schema, and reads nothing that it could warn of."""


@pytest.mark.parametrize("name", sorted(main.commands.keys() - WITHOUT))
def test_every_command_has_a_list_of_warnings(name, tmp_path):
    arguments = BESIDE.get(name, ["--cycle", "2025-12-05"])
    first, *others = str(tmp_path / "no" / "folder"), *arguments
    result = CliRunner().invoke(main, [name, first, *others, "--json"])
    assert result.exit_code == 1
    values = json.loads(result.stdout)
    assert values["problems"]
    assert values["warnings"] == []


def test_what_a_build_warned_of_is_there_with_its_code(drafted):
    drafted.edit("mapping.yaml", "orgs:\n", "orgs:\n  org-2f8ab6190c4f: A-1\n")
    drafted.edit(
        "chargeback.yaml", "archive: archive\n", "archive: archive\ninvoice: {locale: it_CH}\n"
    )
    result = drafted.here("check", "--json")
    warnings = {one["code"]: one for one in json.loads(result.stdout)["warnings"]}
    assert warnings["key-matches-nothing"]["source"] == f"{drafted.folder}/mapping.yaml:10"
    assert '"it_CH" has no catalog' in warnings["catalog-missing"]["message"]


def test_cycles_are_an_object_too(small_job):
    values = json.loads(small_job.here("cycles", "--json").stdout)
    assert values["warnings"] == []
    assert {"start": "2025-12-05", "end": "2026-01-05", "days": 31} in values["cycles"]
