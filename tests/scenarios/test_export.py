"""The auditor's pack: a zip that holds a closed cycle, and is checked with tools of an auditor."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import bagit
import pytest
from click.testing import CliRunner

from reportgen.archive import manifest
from reportgen.cli import main
from reportgen.operations.sealed.pack import write_pack
from tests.scenarios.closed import manifest_of, seal_of
from tests.scenarios.job import DECEMBER, NOVEMBER, Job, contents

PACK = f"audit-{DECEMBER}"
AGREED = "0 differences\n"


def export(job: Job, *arguments: str | Path, cycle: str = DECEMBER):
    return job.here("export", "--format", "audit", *map(str, arguments), cycle=cycle)


def sha256sum(folder: Path, *names: str):
    command = ["sha256sum", "--strict", "--quiet", "-c", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def reckon(data: Path, *arguments: str):
    """Run the program that lies in a pack, by an interpreter that finds nothing of ours."""
    command = [sys.executable, "-I", "-S", "reckon.py", *arguments]
    return subprocess.run(command, cwd=data, capture_output=True, text=True, check=False)


def shell(command: str, folder: Path):
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )


def extracted(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def archive(closed_once, tmp_path_factory):
    """Export December; the archive, which other tests share, stays as it is."""
    path = tmp_path_factory.mktemp("handed-out") / "december.zip"
    done = export(closed_once, "--output", path)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(path.read_bytes()).hexdigest() in done.stdout
    return path


@pytest.fixture(scope="module")
def bag(archive, tmp_path_factory):
    return extracted(archive, tmp_path_factory.mktemp("unpacked")) / PACK


@pytest.fixture
def data(bag, tmp_path):
    """Give the payload, to be changed."""
    return shutil.copytree(bag / "data", tmp_path / "data")


# What is in it, and what checks it


@pytest.mark.heavy
def test_tools_that_auditors_have_check_it(bag):
    assert sha256sum(bag, "manifest-sha256.txt", "tagmanifest-sha256.txt").returncode == 0
    read = bagit.Bag(str(bag))
    read.validate()
    assert read.info["Source-Organization"] == "Acme Corporation"
    assert read.info["External-Identifier"] == seal_of(bag / "data" / DECEMBER)


@pytest.mark.heavy
def test_it_holds_the_closed_cycle_as_it_lies(bag, closed_once):
    assert contents(bag / "data" / DECEMBER) == contents(closed_once.cycle())
    assert sha256sum(bag / "data" / DECEMBER, "SHA256SUMS").returncode == 0
    assert (bag / "data" / DECEMBER / "inputs" / "resolved.json").is_file()


@pytest.mark.heavy
def test_beside_it_lie_fonts_the_chain_and_what_reckons(bag):
    beside = {
        name: content
        for name, content in contents(bag / "data").items()
        if not name.startswith(f"{DECEMBER}/")
    }
    fonts = manifest_of(bag / "data" / DECEMBER)["fonts"].values()
    assert beside.keys() == {
        "README.txt",
        "reckon.py",
        f"{NOVEMBER}/manifest.json",
        *(f"fonts/{digest}" for digest in fonts),
    }
    assert all(hashlib.sha256(beside[f"fonts/{one}"]).hexdigest() == one for one in fonts)
    assert manifest_of(bag / "data" / DECEMBER)["previous"] == seal_of(bag / "data" / NOVEMBER)


@pytest.mark.heavy
def test_it_can_be_verified_as_an_archive_can(bag):
    done = CliRunner().invoke(main, ["verify", "--quick", str(bag / "data" / DECEMBER)])
    assert (done.exit_code, done.stdout.splitlines()[-1].rpartition(": ")[2]) == (0, "intact")


@pytest.mark.heavy
def test_the_same_cycle_gives_the_same_bytes(archive, closed_once, tmp_path):
    assert export(closed_once, "--output", tmp_path / "again.zip").returncode == 0
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


@pytest.mark.heavy
def test_the_page_to_read_first_fits_a_page_and_says_what_can_be_done(bag):
    text = (bag / "data" / "README.txt").read_text(encoding="ascii")
    assert len(text.splitlines()) <= 75
    assert max(map(len, text.splitlines())) <= 80
    assert "$" not in text
    assert seal_of(bag / "data" / DECEMBER) in text
    assert "Close 2 of 2" in text
    assert "\nNames\n" not in text


@pytest.mark.heavy
def test_every_command_of_that_page_does_what_it_says(bag):
    """Those that lie under a sentence that ends with where they are run."""
    text = (bag / "data" / "README.txt").read_text(encoding="ascii")
    ran = []
    for where, block in re.findall(r"([^\n]*),\n\n((?:  \S.*\n)+)\n", text):
        (place,) = re.findall(r"bagit\.txt|\bdata\S*\b", where)
        folder = bag if place == "bagit.txt" else bag / place
        for command in map(str.strip, block.splitlines()):
            if command.startswith("reportgen "):
                continue  # tests of that command
            done = shell(command, folder)
            ran.append(done.stdout)
            assert (done.returncode, done.stderr) == (0, ""), command
    sums = manifest_of(bag / "data" / DECEMBER)["sums"]
    seals = (
        f"{seal_of(bag / 'data' / one)}  {one}/manifest.json\n" for one in (NOVEMBER, DECEMBER)
    )
    assert ran == ["", "", f"{sums}  SHA256SUMS\n", "".join(seals), AGREED]


# The second reckoning, where it lies in a pack


@pytest.mark.heavy
def test_it_is_reckoned_again_where_nothing_is_installed(bag):
    done = reckon(bag / "data")
    assert (done.stdout, done.stderr, done.returncode) == (AGREED, "", 0)


@pytest.mark.heavy
def test_a_digit_of_the_statement_and_one_of_the_ledger_are_named(data):
    path = data / DECEMBER / "statement.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    line = values["cost_centers"][0]["lines"][0]
    line["amount"] = f"1{line['amount']}"
    path.write_text(json.dumps(values), encoding="utf-8")
    number, price = values["cost_centers"][0]["invoice"], line["unit_price"].rstrip("0").rstrip(".")
    place = re.escape(f"{number}, usage {line['product']} {price}, amount: {line['amount']}")

    path = data / DECEMBER / "ledger.csv"
    header, row, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    cells["quantity"] = f"1{cells['quantity']}"
    path.write_text("".join([header, ",".join(cells.values()), *rows]), encoding="utf-8")
    row = f"ledger.csv, {cells['day']}, {cells['product']}, .*, quantity: {cells['quantity']}"

    done = reckon(data)
    change = r" is written, \S+ follows"
    named = f"{place}{change}\n{row}{change}\n2 differences\n"
    assert re.fullmatch(named, done.stdout), done.stdout
    assert done.returncode == 3


@pytest.mark.heavy
def test_a_digit_of_the_evidence_is_named_down_to_the_line(data):
    path = data / DECEMBER / "inputs" / "responses.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    number, line = next(
        (number, line)
        for number, line in enumerate(lines)
        if "/consumption/daily/users/" in line and re.search(r'cascade\\":[1-9]', line)
    )
    lines[number] = re.sub(r'(cascade\\":)', r"\g<1>7", line, count=1)
    path.write_bytes(gzip.compress("".join(lines).encode()))
    done = reckon(data)
    assert done.returncode == 3
    found = r"^CB-2025-12-05-\S+, usage cascade \S+, amount: \S+ is written, \S+ follows$"
    assert re.search(found, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.heavy
@pytest.mark.parametrize("cut", [slice(-20), slice(0)])
def test_evidence_that_is_torn_is_no_agreement(data, cut):
    path = data / DECEMBER / "inputs" / "responses.jsonl.gz"
    path.write_bytes(path.read_bytes()[cut])
    done = reckon(data)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cannot be reckoned")


@pytest.mark.heavy
def test_two_cycles_beside_it_have_to_be_told_apart(data):
    shutil.copytree(data / DECEMBER, data / "2026-01-05")
    assert reckon(data).returncode == 2


# Where it comes to


def test_it_comes_into_the_archive_for_its_owner_alone(closed):
    done = export(closed, "--json")
    said = json.loads(done.stdout)
    path = closed.archive / "exports" / DECEMBER / f"{PACK}.zip"
    assert said["file"] == str(path)
    assert (said["cycle"], said["seal"]) == (DECEMBER, seal_of(closed.cycle()))
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    modes = [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


@pytest.mark.heavy
def test_it_comes_into_the_place_of_the_one_before(closed):
    for _ in range(2):
        assert export(closed, cycle=NOVEMBER).returncode == 0


@pytest.mark.heavy
def test_an_archive_of_a_team_lets_the_team_read_it(closed):
    with (closed.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("archive_mode: group\n")
    assert export(closed, cycle=NOVEMBER).returncode == 0
    path = closed.archive / "exports" / NOVEMBER / f"audit-{NOVEMBER}.zip"
    assert [one.stat().st_mode & 0o777 for one in (path, path.parent)] == [0o640, 0o750]


def test_what_is_there_and_no_pack_is_not_replaced(closed, tmp_path):
    workbook = closed.cycle() / "statement.xlsx"
    other = Path(shutil.copy(workbook, tmp_path / "statement.xlsx"))
    for path in (other, tmp_path, Path("/dev/null")):
        done = export(closed, "--output", path)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(f"{path}: is there already, and is no such")
    assert other.read_bytes() == workbook.read_bytes()


def test_what_was_changed_since_the_close_is_not_handed_out(closed):
    path = closed.cycle() / "ledger.csv"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    (font, *_) = sorted((closed.archive / "fonts").iterdir())
    font.unlink()
    done = export(closed)
    assert done.returncode == 3
    assert f"{path}: its hash is " in done.stderr
    assert f"{font}: the font " in done.stderr
    assert not (closed.archive / "exports").exists()
    said = json.loads(export(closed, "--json").stdout)
    assert (said["file"], len(said["problems"])) == (None, 2)


def test_a_broken_chain_is_not_handed_out(closed):
    shutil.rmtree(closed.cycle(NOVEMBER), ignore_errors=True)
    for path in [closed.cycle(NOVEMBER), *closed.cycle(NOVEMBER).rglob("*")]:
        if path.exists():
            path.chmod(0o700)
    shutil.rmtree(closed.cycle(NOVEMBER), ignore_errors=True)
    done = export(closed)
    assert done.returncode == 3
    assert "the closes before it are missing" in done.stderr


# Names of every kind


def test_names_that_are_written_otherwise_are_given_back_by_the_command_of_the_page(tmp_path):
    names = ["statement.json", "invoices/CB-\u6771\u4eac.pdf", "inputs/config/100% =.csv"]
    folder = tmp_path / "archive" / DECEMBER
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "SHA256SUMS").write_text(manifest.sums_of(folder), encoding="utf-8")
    link = sealed(folder)
    with (tmp_path / "pack.zip").open("wb") as file:
        write_pack(file, link, [link], lambda done, known: None)
    bag = extracted(tmp_path / "pack.zip", tmp_path) / PACK
    assert sha256sum(bag, "manifest-sha256.txt").returncode == 0
    assert sha256sum(bag / "data" / DECEMBER, "SHA256SUMS").returncode == 1
    text = (bag / "data" / "README.txt").read_text(encoding="ascii")
    command = text.partition("\nNames\n")[2].split("\n\n")[1]
    assert shell(command, bag / "data").returncode == 0
    assert contents(bag / "data" / DECEMBER) == contents(folder)
    assert sha256sum(bag / "data" / DECEMBER, "SHA256SUMS").returncode == 0


def sealed(folder: Path) -> manifest.Sealed:
    """Write the manifest of a folder that is made by hand."""
    written = manifest.written(
        manifest.Manifest(
            folder=folder.name,
            enterprise="Acme",
            cycle=manifest.SealedDays(start=DECEMBER, end="2026-01-05"),
            sequence=1,
            previous=None,
            sums=hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest(),
            issued="2026-01-09",
            sealed_at="2026-01-09T10:00:00Z",
            rules_version=1,
            versions={},
            fonts={},
        )
    )
    (folder / "manifest.json").write_bytes(written)
    return manifest.read(folder)
