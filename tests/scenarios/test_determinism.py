"""Same inputs, same bytes: whatever the workers, the order of inputs and the machine's fonts."""

import csv
import json
import os
import random
import re
import shutil
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import yaml
from fontTools.ttLib import TTFont

from tests.poppler import text_of
from tests.scenarios.job import EXAMPLE, RECORDING, contents, documents, example, small

pytestmark = pytest.mark.heavy

SEED = 20251205
OF_THE_RULES = {"rule", "rate"}
"""Columns of the ledger that name lines of files, which move when those are shuffled."""
STATEMENTS = ("statement.json", "statement.pdf", "statement.xlsx")
"""They name the lines of rules as well: by which somebody is charged by an organization."""


def test_one_worker_or_two_and_a_second_run_give_the_same_bytes(drawn_sample, drawn_again):
    assert (drawn_sample.code, drawn_again.code) == (0, 0)
    assert len(documents(drawn_sample.folder)) == 2 * 13 + 2
    assert_same(contents(drawn_sample.folder), contents(drawn_again.folder))


def assert_same(actual: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert list(actual) == list(expected)
    assert [name for name in actual if actual[name] != expected[name]] == []


# The order of the inputs


@pytest.mark.long
def test_the_order_of_rules_people_and_responses_changes_nothing(drawn_sample, tmp_path):
    order = random.Random(SEED)  # noqa: S311 - an order, not a secret
    job = example(tmp_path / "shuffled")
    shuffle_mapping(job.folder / "mapping.yaml", order)
    shuffle_people(job.folder / "hr.csv", order)
    job.record(lambda lines: shuffled_lines(lines, order))
    result = job.run("run", "--quiet")
    assert (result.returncode, result.stderr) == (0, drawn_sample.stderr.partition("Asking")[0])
    shuffled, expected = documents(job.cycle()), documents(drawn_sample.folder)
    for name in STATEMENTS:
        assert worded(name, shuffled.pop(name)) == worded(name, expected.pop(name))
    assert_same(shuffled, expected)
    assert ledger(job.cycle()) == ledger(drawn_sample.folder)


def worded(name: str, content: bytes) -> str:
    """Give the words of a statement, but for the lines that rules stand on and the mark of it."""
    if name.endswith(".pdf"):
        text = " ".join(text_of(content).split())
    elif name.endswith(".xlsx"):
        sheets = openpyxl.load_workbook(BytesIO(content)).worksheets
        text = "\n".join(str(row) for sheet in sheets for row in sheet.iter_rows(values_only=True))
    else:
        text = content.decode()
    return re.sub(r"(?<=mapping\.yaml:)\d+|(?<=hr\.csv:)\d+|(?<=draft )[0-9a-f]{8}", "", text)


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


# Fonts


@pytest.fixture
def home_with_fonts(tmp_path: Path) -> Path:
    """Give a home whose fonts would win: one calls itself Liberation Sans, one has its own name."""
    fonts = tmp_path / "home" / ".local" / "share" / "fonts"
    fonts.mkdir(parents=True)
    (serif,) = Path("/usr/share/fonts").rglob("LiberationSerif-Regular.ttf")
    shutil.copy(serif, fonts)
    font = TTFont(serif)
    for record in font["name"].names:
        record.string = (
            record.toUnicode()
            .replace("Liberation Serif", "Liberation Sans")
            .replace("Serif", "Sans")
        )
    for name in ("Impostor.ttf", "LiberationSans-Regular.ttf", "DejaVuSans.ttf"):
        font.save(fonts / name)
    return tmp_path / "home"


def test_fonts_of_the_machine_change_no_byte(small_build, home_with_fonts, tmp_path):
    job = small(tmp_path / "small")
    data = home_with_fonts / ".local" / "share"
    result = job.run("run", HOME=str(home_with_fonts), XDG_DATA_HOME=str(data))
    assert result.returncode == 0
    assert_same(documents(job.cycle()), documents(small_build.folder))


@pytest.mark.long
def test_zone_locale_and_hash_seed_change_no_byte(small_build, tmp_path):
    job = small(tmp_path / "small")
    surroundings = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    surroundings |= {"TMPDIR": os.fspath(tmp_path), "SOURCE_DATE_EPOCH": "0"}
    result = job.run("run", **surroundings)
    assert result.returncode == 0
    assert_same(documents(job.cycle()), documents(small_build.folder))
