"""`init --discover`: from nothing to right invoices, by tables that are filled in."""

import csv
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
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

PRICES = {"devin": "2.00", "cascade": "1.50", "terminal": "1.25", "review": "3.00"}
CODES = [f"0{number}00" for number in range(1, 6)]


def hostile(world: World) -> World:
    """Give the first organization a name that would be a rule, did it end its comment."""
    first, *others = world.organizations
    return world._replace(
        organizations=(first._replace(name="Web\n  evil: CC-1\n# \\1"), *others), cycles=CYCLES
    )


def discovered(folder: Path, *, token: str = ENTERPRISE, **source: str) -> Said:
    live = Live(folder, {"DEVIN_API_TOKEN": token})
    return live.command(lambda context: discover(folder, source, "previous", context))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
        (["--discover", "--token-env", "cog_x"], "--token-env: is not the name of an environment"),
    ],
)
def test_options_are_held_against_what_the_configuration_takes(tmp_path, options, said):
    result = CliRunner().invoke(main, ["init", str(tmp_path / "mine"), *options])
    assert result.exit_code in {1, 2}
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
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


# From nothing to right invoices


class Newcomer:
    """Somebody who types commands, and fills in tables."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.commands = folder, 0

    def types(self, *command: str) -> str:
        self.commands += 1
        runner = CliRunner(env={"DEVIN_API_TOKEN": ENTERPRISE})
        result = runner.invoke(main, [*command], catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def declares(self) -> None:
        with (self.folder / "cost_centers.csv").open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [code, f"Team {code}", "", "", f"{code}@x.example"] for code in CODES
            )

    def prices(self) -> None:
        path = self.folder / "rates.yaml"
        text = path.read_text(encoding="utf-8")
        for product, price in PRICES.items():
            assert text.count(f"  {product}: 1.00") == 1
            text = text.replace(f"  {product}: 1.00", f"  {product}: {price}")
        path.write_text(text, encoding="utf-8")

    def assigns(self) -> dict[str, str]:
        """Fill the column, row by row, and say who belongs where."""
        path = self.folder / "people.csv"
        people = rows(path)
        for number, row in enumerate(people):
            row["cost_center"] = CODES[number % len(CODES)]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, people[0].keys())
            writer.writeheader()
            writer.writerows(people)
        return {row["user_id"]: row["cost_center"] for row in people}


def truth(world: World, belongs: dict[str, str]) -> dict[str, Decimal]:
    """Reckon what each cost center pays from what was used, atom by atom."""
    after, before = CYCLES[1]
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for atom in world.atoms:
        if after <= atom.day < before:
            code = belongs.get(atom.principal_id or "", "CC-9999")
            amounts[code] += Decimal(repr(atom.acus)) * Decimal(PRICES[atom.product])
    return amounts


@pytest.mark.heavy
def test_sixty_unknown_people_get_right_invoices_by_twelve_commands(tmp_path):
    world = big_world(users=61, organizations=3, sessions=8, active_days=12)
    world = world._replace(cycles=CYCLES)
    folder = tmp_path / "my-config"
    new, where = Newcomer(folder), str(folder)
    with serving(world) as api:
        new.types("init", "--discover", where, "--base-url", api.base_url, "--cycle", DECEMBER)
        assert len(rows(folder / "people.csv")) == 60
        new.declares()
        new.prices()
        belongs = new.assigns()
        new.types("check", where, "--cycle", DECEMBER)
        new.types("run", where, "--cycle", DECEMBER)
        listed = new.types("people", where, "--cycle", DECEMBER, "--json")
        assert api.violations == []
    assert all(one["own_rule"] for one in json.loads(listed)["people"])
    assert new.commands <= 12
    statement = Job(folder).statement()
    expected = truth(world, belongs)
    paid = {one["code"]: Decimal(one["amount"]) for one in statement["cost_centers"]}
    assert paid.keys() == {*CODES, "CC-9999"}
    for code, amount in paid.items():
        assert abs(amount - expected[code]) <= Decimal("0.04"), code  # a cent a line
    assert abs(sum(paid.values()) - sum(expected.values())) <= Decimal("0.02")
    invoices = {path.name for path in (folder / "archive" / DECEMBER / "invoices").glob("*.pdf")}
    assert invoices == {f"CB-{DECEMBER}-{code}.pdf" for code in paid}
    assert "users:\n  #" in (folder / "mapping.yaml").read_text(encoding="utf-8")
