"""`init --discover`: what it writes of who and what used ACUs, and when it writes nothing.

The way from there to right invoices is walked in test_walked.py.
"""

import json
import re
from pathlib import Path

import pytest
import stamina
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.commands.init.discover import discover
from reportgen.sources.config.configuration import load
from tests.fakeapi.behavior import ADMIN, ENTERPRISE
from tests.fakeapi.sample import CYCLES, World
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.scenarios.collecting.live import Live, Said
from tests.scenarios.job import DECEMBER, Job, contents
from tests.scenarios.newcomer import rows


def hostile(world: World) -> World:
    """Give the first organization a name that would be a rule, did it end its comment."""
    first, *others = world.organizations
    return world._replace(
        organizations=(first._replace(name="Web\n  evil: CC-1\n# \\1"), *others), cycles=CYCLES
    )


def discovered(folder: Path, *, token: str = ENTERPRISE, **source: str) -> Said:
    live = Live(folder, {"DEVIN_API_TOKEN": token})
    return live.command(lambda context: discover(folder, source, "previous", context))


def test_who_and_what_used_acus_stands_in_the_files(tmp_path):
    world = hostile(big_world(users=6, organizations=2, sessions=4, active_days=2))
    with serving(world) as api:
        said = discovered(tmp_path / "mine", base_url=api.base_url)
        assert (said.code, api.violations) == (0, [])
    folder = tmp_path / "mine"
    used = {atom.principal_id for atom in world.atoms} & {one.user_id for one in world.people}
    people = rows(folder / "people.csv")
    assert {row["user_id"] for row in people} == used
    assert {row["cost_center"] for row in people} == {""}
    mapping = (folder / "mapping.yaml").read_text(encoding="utf-8")
    for place in world.organizations:
        assert f"  # {place.org_id}: CC-9999   # " in mapping
    for tag in {tag for session in world.sessions for tag in session.tags}:
        assert json.dumps(tag) in mapping
    assert "\n  evil" not in mapping
    first = (folder / "chargeback.yaml").read_text(encoding="utf-8").partition("\nenterprise:")[0]
    assert re.findall(r"(?m)^#   (\d)\. ", first) == [*"1234567"]
    assert "people.csv" in first
    assert "Declare your cost centers in mapping.yaml" not in first
    assert "declare your cost centers" not in mapping
    rates = (folder / "rates.yaml").read_text(encoding="utf-8")
    for product in {atom.product for atom in world.atoms}:
        assert f"\n  {product}: 1.00 " in rates
    assert rows(folder / "cost_centers.csv")[0]["code"] == "CC-9999"
    configuration = load(folder)
    assert {center.code for center in configuration.mapping.cost_centers} == {"CC-9999"}
    assert (folder / "people.csv").stat().st_mode & 0o777 == 0o600
    evidence = folder / "archive" / DECEMBER / "inputs" / "responses.jsonl"
    assert evidence.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_nothing_is_left_where_the_api_refuses(tmp_path):
    with serving(big_world(users=2, organizations=1)._replace(cycles=CYCLES)) as api:
        said = discovered(tmp_path / "mine", token="cog_wrong", base_url=api.base_url)
    assert said.code == 4
    assert list(tmp_path.iterdir()) == []


def test_where_the_api_is_not_there_the_option_is_named_and_that_nothing_was_written(tmp_path):
    with stamina.set_testing(True, attempts=2):
        said = discovered(tmp_path / "mine", base_url="http://127.0.0.1:9")
    assert said.code == 4
    assert said.stderr.rstrip().endswith("check --base-url and the network; nothing was written")
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_is_missing_is_told_where_it_would_be_named(tmp_path):
    said = discovered(tmp_path / "mine", token="")
    assert said.code == 1
    assert said.stderr.startswith(f"{tmp_path}/mine/chargeback.yaml: the environment variable ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["people.csv", "mapping.yaml", "archive"])
def test_nothing_is_overwritten(tmp_path, name):
    (tmp_path / name).write_text("ours")
    said = discovered(tmp_path)
    assert said.code == 1
    assert said.stderr.startswith(f"{tmp_path / name}: this is there already; ")
    assert contents(tmp_path) == {name: b"ours"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--base-url", "https://x.example"], "need --discover"),
        (["--discover", "--base-url", "nowhere"], '--base-url: "nowhere" is not an address; '),
        (["--discover", "--token-env", "cog_x"], "--token-env: is a token itself; revoke it"),
        (["--discover", "--token-env", "a b"], "is not the name of an environment"),
    ],
)
def test_options_are_held_against_what_the_configuration_takes(tmp_path, options, said):
    result = CliRunner().invoke(main, ["init", str(tmp_path / "mine"), *options])
    assert result.exit_code in {1, 2}
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_is_there_says_how_the_api_is_asked(tmp_path):
    world = big_world(users=3, organizations=1)._replace(cycles=CYCLES)
    with serving(world) as api:
        text = f"enterprise: Ours\nsource: {{base_url: {api.base_url}}}\nmapping: mapping.yaml\n"
        text += "rates: rates.yaml\narchive: archive\n"
        (tmp_path / "chargeback.yaml").write_text(text, encoding="utf-8")
        said = discovered(tmp_path)
    assert said.code == 0, said.stderr
    assert (tmp_path / "chargeback.yaml").read_text(encoding="utf-8") == text
    assert len(rows(tmp_path / "people.csv")) == 3
    assert Job(tmp_path).here("check").returncode == 0


@pytest.mark.heavy
def test_the_legacy_api_is_discovered_as_well(tmp_path):
    world = big_world(users=3, organizations=1)._replace(cycles=CYCLES)
    with serving(world) as api:
        said = discovered(tmp_path / "mine", token=ADMIN, base_url=api.base_url, api="v2")
    assert said.code == 0, said.stderr
    assert len(rows(tmp_path / "mine" / "people.csv")) == 3
    assert Job(tmp_path / "mine").here("check").returncode == 0
