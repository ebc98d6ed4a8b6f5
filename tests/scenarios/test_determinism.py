"""Same inputs, same bytes: whatever the workers, the order of inputs and the machine's fonts."""

import csv
import json
import random
from pathlib import Path

import pytest
import yaml

from tests.scenarios.job import EXAMPLE, RECORDING, Job, contents, documents, example, plain

SEED = 20251205
OF_THE_RULES = {"rule", "rate"}
"""Columns of the ledger that name lines of files, which move when those are shuffled."""


def test_no_byte_depends_on_workers_network_fonts_zone_language_or_seed(
    small_build, small_elsewhere
):
    """The surroundings of the second build are in conftest.py."""
    assert (small_build.code, small_elsewhere.code) == (0, 0)
    here, there = contents(small_build.folder), contents(small_elsewhere.folder)
    assert len(documents(small_build.folder)) == 2 * 4 + 2
    assert list(here) == list(there)
    differing = {name for name in here if here[name] != there[name]}
    assert differing == {"inputs/config/chargeback.yaml", "inputs/draft.json"}


@pytest.mark.heavy
def test_the_sample_has_the_same_bytes_with_one_worker(sample, tmp_path):
    job = example(tmp_path / "sample")
    assert job.run("run", "--workers", "1").returncode == 0
    assert len(documents(sample.folder)) == 2 * 13 + 2
    assert_same(contents(sample.folder), contents(job.cycle()))


def assert_same(actual: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert list(actual) == list(expected)
    assert [name for name in actual if actual[name] != expected[name]] == []


# The order of the inputs


@pytest.fixture
def shuffled(tmp_path: Path) -> Job:
    order = random.Random(SEED)  # noqa: S311 - an order, not a secret
    job = example(tmp_path / "shuffled")
    shuffle_mapping(job.folder / "mapping.yaml", order)
    shuffle_people(job.folder / "hr.csv", order)
    job.record(lambda lines: shuffled_lines(lines, order))
    return job


def test_the_order_of_rules_people_and_responses_changes_nothing(sample, shuffled):
    """Figures and workbooks; pages take ten times as long."""
    result = plain(shuffled, "statement.xlsx.j2", "invoice.xlsx.j2").here("run", "--quiet")
    assert (result.returncode, result.stderr) == (0, sample.stderr.partition("Asking")[0])
    same = ".xlsx", "statement.json", "tie_out.csv", "directory.json"
    assert len(contents(shuffled.cycle(), ".xlsx")) == 13
    assert_same(contents(shuffled.cycle(), *same), contents(sample.folder, *same))
    assert ledger(shuffled.cycle()) == ledger(sample.folder)


@pytest.mark.heavy
def test_the_order_of_rules_people_and_responses_changes_no_page(sample, shuffled):
    assert shuffled.run("run").returncode == 0
    assert_same(documents(shuffled.cycle()), documents(sample.folder))


def shuffle_mapping(path: Path, order: random.Random) -> None:
    """Shuffle the rules and the cost centers; dates stay in order, as they must."""
    mapping = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    for section in ("cost_centers", "users", "service_users", "orgs"):
        mapping[section] = reordered(mapping[section], order)
    for key, shares in mapping["users"].items():
        if isinstance(shares, dict) and all(code.startswith("CC-") for code in shares):
            mapping["users"][key] = reordered(shares, order)
    text = yaml.safe_dump(reordered(mapping, order), sort_keys=False, allow_unicode=True)
    assert text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def reordered(values: dict, order: random.Random) -> dict:
    keys = list(values)
    order.shuffle(keys)
    return {key: values[key] for key in keys}


def shuffle_people(path: Path, order: random.Random) -> None:
    """Shuffle the rows; those of one person stay in the order of their dates."""
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    people = {row.partition(",")[0]: order.random() for row in sorted(rows)}
    path.write_text(
        header + "".join(sorted(rows, key=lambda row: people[row.partition(",")[0]])),
        encoding="utf-8",
    )


def shuffled_lines(lines: list[dict], order: random.Random) -> list[dict]:
    """Shuffle the responses, and who stands in the lists of users, sessions and organizations."""
    order.shuffle(lines)
    for line in lines:
        body = json.loads(line["body"])
        if "items" in body:
            order.shuffle(body["items"])
            line["body"] = json.dumps(body, ensure_ascii=False)
    return lines


def ledger(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "ledger.csv").open(encoding="utf-8", newline="") as file:
        return [
            tuple(row[name] for name in row if name not in OF_THE_RULES)
            for row in csv.DictReader(file)
        ]


def test_the_shuffle_shuffles():
    order = random.Random(SEED)  # noqa: S311
    lines = [json.loads(line) for line in RECORDING.read_text(encoding="utf-8").splitlines()]
    before = [line["request"] for line in lines]
    assert [line["request"] for line in shuffled_lines(lines, order)] != before
    assert list(reordered(dict.fromkeys("abcdefgh"), order)) != list("abcdefgh")
    assert (EXAMPLE / "hr.csv").read_text(encoding="utf-8").count("diego.salazar") == 2
