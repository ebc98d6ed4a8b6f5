"""`verify`: an archive elsewhere, without its configuration; changed in every way, it is named."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportgen.cli import main
from tests.scenarios.closed import decided, forged, manifest_of, reseal, seal_of
from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Json, contents

RECKON = ROOT / "templates" / "audit" / "reckon.py"
EVIDENCE = "inputs/responses.jsonl.gz"


def verify(path: Path, *options: str) -> tuple[int, Json]:
    """Verify with one worker; give exit code and result."""
    done = CliRunner().invoke(
        main, ["verify", str(path), "--json", "--workers", "1", *options], catch_exceptions=False
    )
    assert "Traceback" not in done.stderr
    return done.exit_code, json.loads(done.stdout)


def said(path: Path, *options: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["verify", str(path), *options], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def named(result: Json) -> set[str]:
    """Give the files that are named as changed, missing or added."""
    faults = [*result["faults"], *(one for cycle in result["cycles"] for one in cycle["faults"])]
    return {fault["file"] for fault in faults}


@pytest.fixture
def elsewhere(closed_once, tmp_path) -> Path:
    """Give the archive alone, on another machine."""
    return Path(shutil.copytree(closed_once.archive, tmp_path / "elsewhere" / "the archive"))


@pytest.fixture
def drawn_elsewhere(closed_drawn, tmp_path) -> Path:
    """Give the archive alone, with invoices as they come with the program."""
    return Path(shutil.copytree(closed_drawn.archive, tmp_path / "elsewhere" / "the archive"))


@pytest.fixture
def november(elsewhere) -> Path:
    """Give a cycle whose documents take no time to be made again."""
    return elsewhere / NOVEMBER


# Nothing was changed


def test_a_cycle_is_made_again_byte_for_byte_from_itself_alone(november):
    before = contents(november)
    code, result = verify(november)
    assert (code, result["verdict"]) == (0, "intact")
    assert result["cycles"][0]["seal"] == seal_of(november)
    assert contents(november) == before


@pytest.mark.heavy
def test_an_archive_is_made_again_byte_for_byte_from_itself_alone(drawn_elsewhere):
    before = contents(drawn_elsewhere)
    code, result = verify(drawn_elsewhere)
    assert (code, result["verdict"]) == (0, "intact")
    for cycle, start in zip(result["cycles"], (NOVEMBER, DECEMBER), strict=True):
        assert (cycle["cycle"], cycle["verdict"]) == (start, "intact")
        assert cycle["seal"] == seal_of(drawn_elsewhere / start)
        made = [
            name for name in contents(drawn_elsewhere / start) if not name.startswith("inputs/")
        ]
        assert cycle["files_made_again"] == len(made) - 2 + 2  # the seals; two of the inputs
    assert contents(drawn_elsewhere) == before


@pytest.mark.heavy
def test_the_quick_check_loads_neither_weasyprint_nor_pango(elsewhere):
    code = (
        "import sys\n"
        "from reportgen.cli import main\n"
        f"main(['verify', {str(elsewhere)!r}, '--quick'], standalone_mode=False)\n"
    )
    tell = "import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    done = subprocess.run(
        [sys.executable, "-c", tell + code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.endswith("intact\n")
    loaded = set(done.stderr.split())
    assert "reportgen.commands.verify" in loaded
    assert not loaded & {"weasyprint", "pydyf", "cffi", "openpyxl", "fontTools"}


def test_a_cycle_is_verified_from_inside_its_folder(elsewhere, monkeypatch):
    monkeypatch.chdir(elsewhere / DECEMBER)
    code, result = verify(Path(), "--quick")
    assert (code, result["checked"]) == (0, "hashes and chain")
    assert [cycle["cycle"] for cycle in result["cycles"]] == [DECEMBER]


@pytest.mark.heavy
def test_a_sample_is_chosen_by_a_seed_that_is_printed(november):
    first, again = (verify(november, "--sample", "2", "--seed", "7") for _ in range(2))
    assert first == again
    assert first[1]["seed"] == 7
    names = [name for name in contents(november) if not name.startswith("inputs/")]
    tables = [name for name in names if name.endswith((".csv", "statement.json"))]
    others = ["README.txt", *("inputs/resolved.json", "inputs/history.json")]
    assert first[1]["cycles"][0]["files_made_again"] == len(tables) + len(others) + 2  # the sample
    code, _, err = said(november, "--sample", "1", "--workers", "1")
    assert code == 0
    assert "Sample of 1 documents, --seed " in err


@pytest.mark.heavy
def test_nothing_is_asked_and_nobody_is_met(november, monkeypatch):
    def met(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr("socket.socket.connect", met)
    monkeypatch.delenv("DEVIN_API_TOKEN", raising=False)
    assert verify(november)[0] == 0


# Something was changed


def every_kind(archive: Path) -> list[str]:
    """Give one file of each kind: what lies in one folder and ends alike."""
    files: dict[tuple[Path, str], str] = {}
    for name in contents(archive):
        path = Path(name)
        kind = path.suffix if path.parts[0] != "fonts" else ""
        alone = path.name if path.parent.name in {"inputs", DECEMBER, NOVEMBER} else ""
        if path.parts[0] != NOVEMBER:
            files.setdefault((path.parent, alone or kind), name)
    return sorted(files.values())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def delete(path: Path) -> None:
    path.unlink()


def rename(path: Path) -> None:
    path.rename(path.with_name(f"other-{path.name}"))


def add(path: Path) -> None:
    path.with_name(f"other-{path.name}").write_bytes(path.read_bytes())


def link(path: Path) -> None:
    path.rename(path.with_name(f".{path.name}"))
    path.symlink_to(f".{path.name}")


OPERATIONS: dict[str, Callable[[Path], None]] = {
    one.__name__: one for one in (flip, truncate, delete, rename, add, link)
}


def check_named(archive: Path, name: str, operation: Callable[[Path], None]) -> None:
    """Do something to a file, and see that it is named; then undo it."""
    folder, before = (archive / name).parent, {}
    for path in folder.iterdir():
        if path.is_file():
            before[path] = path.read_bytes()
            path.chmod(0o600)
    folder.chmod(0o700)
    operation(archive / name)
    code, result = verify(archive, "--quick")
    told = {name, (Path(name).parent / f"other-{Path(name).name}").as_posix()}
    assert (code, result["verdict"]) == (3, "tampered"), (operation.__name__, name)
    assert named(result) & told, (operation.__name__, name, named(result))
    for path in folder.iterdir():
        if path.is_symlink() or path.is_file():
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


@pytest.mark.quick(1)
@pytest.mark.parametrize("operation", ["flip", "delete", "add"])
def test_what_is_done_to_any_kind_of_file_is_named(elsewhere, operation):
    for name in every_kind(elsewhere):
        check_named(elsewhere, name, OPERATIONS[operation])
    assert verify(elsewhere, "--quick")[0] == 0


@pytest.mark.heavy
@pytest.mark.parametrize("operation", ["truncate", "rename", "link"])
def test_whatever_else_is_done_to_any_kind_of_file_is_named(elsewhere, operation):
    for name in every_kind(elsewhere):
        check_named(elsewhere, name, OPERATIONS[operation])


def test_two_files_that_changed_places_are_both_named(elsewhere):
    folder = elsewhere / DECEMBER / "invoices"
    folder.chmod(0o700)
    first, second, *_ = sorted(folder.glob("*.pdf"))
    first.rename(folder / "aside")
    second.rename(first)
    (folder / "aside").rename(second)
    code, result = verify(elsewhere, "--quick")
    assert code == 3
    assert named(result) == {f"{DECEMBER}/invoices/{one.name}" for one in (first, second)}


def test_two_cycles_that_changed_places_are_both_named(elsewhere):
    first, second = (elsewhere / start for start in (NOVEMBER, DECEMBER))
    first.rename(elsewhere / "aside")
    second.rename(first)
    (elsewhere / "aside").rename(second)
    code, result = verify(elsewhere, "--quick")
    assert code == 3
    assert {f"{start}/manifest.json" for start in (NOVEMBER, DECEMBER)} <= named(result)


@pytest.mark.parametrize("name", ["2025-12-06", "old"])
def test_a_cycle_under_another_name_is_named(elsewhere, name):
    (elsewhere / DECEMBER).rename(elsewhere / name)
    code, result = verify(elsewhere, "--quick")
    assert code == 3
    assert any(one.startswith(name) for one in named(result))


def test_a_close_that_was_taken_away_is_missed_by_the_next(elsewhere):
    for path in [elsewhere / NOVEMBER, *(elsewhere / NOVEMBER).rglob("*")]:
        path.chmod(0o700)
    shutil.rmtree(elsewhere / NOVEMBER)
    code, result = verify(elsewhere, "--quick")
    assert code == 3
    assert named(result) == {f"{DECEMBER}/manifest.json"}


# Somebody knew how it is sealed


def raised(content: bytes, user: str) -> tuple[bytes, str]:
    """Give evidence in which somebody used one ACU more on a day, and of which product."""
    lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    for line in lines:
        if f"/enterprise/consumption/daily/users/{user}?" in line["request"]:
            body = json.loads(line["body"])
            day = next(one for one in body["consumption_by_date"] if one["acus_by_product"])
            product = next(name for name, acus in day["acus_by_product"].items() if acus)
            day["acus"] += 1
            day["acus_by_product"][product] += 1
            line["body"] = json.dumps(body)
            break
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return gzip.compress(text.encode(), mtime=0), product


def user_of(folder: Path, address: str) -> str:
    people = json.loads((folder / "inputs" / "directory.json").read_text(encoding="utf-8"))
    (found,) = [one["id"] for one in people["principals"] if one["email"] == address]
    return str(found).replace("|", "%7C")


def test_one_digit_in_the_evidence_is_named_down_to_the_line(november):
    seal = seal_of(november)
    content, product = raised(
        (november / EVIDENCE).read_bytes(), user_of(november, "ada@acme.example")
    )
    forged(november, {EVIDENCE: content})
    assert verify(november, "--quick")[1]["cycles"][0]["verdict"] == "intact"
    code, result = verify(november)
    assert (code, result["verdict"]) == (3, "tampered")
    lines = {
        (one["invoice"], one["line"], one["name"]): one
        for one in result["cycles"][0]["differences"]
        if one["file"] == "statement.json"
    }
    changed = lines["CB-2025-11-05-A-1", f"usage {product}", "acus"]
    assert Decimal(changed["now"]) - Decimal(changed["then"]) == 1
    written = json.loads((november / "statement.json").read_text(encoding="utf-8"))
    (center,) = [one for one in written["cost_centers"] if one["code"] == "A-1"]
    (line,) = [one for one in center["lines"] if one["product"] == product]
    assert lines["CB-2025-11-05-A-1", f"usage {product}", "amount"]["then"] == line["amount"]
    code, result = verify(november, "--quick", "--seal", seal)
    assert (code, result["faults"][0]["kind"]) == (3, "seal")
    reckoned = subprocess.run(
        [sys.executable, "-I", str(RECKON), str(november)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert reckoned.returncode == 3
    assert "CB-2025-11-05-A-1" in reckoned.stdout


@pytest.mark.heavy
def test_documents_that_were_exchanged_with_all_hashes_are_named(november):
    (document, *_) = sorted((november / "invoices").glob("*.pdf"))
    name = f"invoices/{document.name}"
    content = document.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6")
    forged(november, {name: content, "invoices/EXTRA.pdf": content, "unallocated.csv": None})
    code, result = verify(november)
    (cycle,) = result["cycles"]
    assert (code, cycle["verdict"], cycle["other_bytes"]) == (3, "tampered", [name])
    assert [(one["file"], one["kind"]) for one in cycle["faults"]] == [
        (f"{NOVEMBER}/unallocated.csv", "missing"),
        (f"{NOVEMBER}/invoices/EXTRA.pdf", "added"),
    ]


@pytest.mark.heavy
def test_other_bytes_are_no_lie_where_a_library_is_another(november):
    (document, *_) = sorted((november / "invoices").glob("*.pdf"))
    name = f"invoices/{document.name}"
    versions = manifest_of(november)["versions"] | {"pydyf": "0.0.1"}
    content = document.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6")
    forged(november, {name: content, **decided(november, versions=versions)})
    reseal(november, versions=versions)
    code, result = verify(november)
    (cycle,) = result["cycles"]
    assert (code, cycle["verdict"], cycle["other_bytes"]) == (0, "differs by version", [name])
    (version,) = cycle["other_versions"]
    assert (version["name"], version["then"]) == ("pydyf", "0.0.1")
    code, out, err = said(november, "--strict", "--workers", "1")
    assert (code, "differs by version" in out) == (5, True)
    assert "amounts are proved" in err


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("library", "version", "kind"), [("pydyf", "0.11.0", ".pdf"), ("openpyxl", "3.1.4", ".xlsx")]
)
def test_an_older_library_proves_the_amounts(drawn_elsewhere, tmp_path, library, version, kind):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    installed = subprocess.run(
        [*install, str(tmp_path / "older"), f"{library}=={version}"], check=False
    )
    if installed.returncode:
        pytest.skip(f"no {library} {version} can be installed here")
    command = ["verify", str(drawn_elsewhere / DECEMBER), "--json", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "reportgen", *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "older")},
        capture_output=True,
        text=True,
        check=False,
    )
    (cycle,) = json.loads(done.stdout)["cycles"]
    assert (done.returncode, cycle["verdict"]) == (0, "differs by version")
    assert cycle["differences"] == []
    assert {Path(name).suffix for name in cycle["other_bytes"]} == {kind}
    (other,) = cycle["other_versions"]
    assert (other["name"], other["now"]) == (library, version)


def test_who_rewrites_the_whole_archive_is_caught_by_any_paper(elsewhere):
    printed = seal_of(elsewhere / NOVEMBER)
    forged(elsewhere / NOVEMBER, {"inputs/config/chargeback.yaml": b"enterprise: Another\n"})
    forged(
        elsewhere / DECEMBER,
        decided(elsewhere / DECEMBER, previous_seal=seal_of(elsewhere / NOVEMBER)),
    )
    reseal(elsewhere / DECEMBER, previous=seal_of(elsewhere / NOVEMBER))
    assert verify(elsewhere, "--quick")[0] == 0
    for cycle in (NOVEMBER, DECEMBER):
        code, result = verify(elsewhere, "--quick", "--seal", printed, "--cycle", cycle)
        assert (code, named(result)) == (3, {f"{cycle}/manifest.json"})


def test_a_paper_may_name_a_cycle_or_the_one_before(elsewhere):
    printed = seal_of(elsewhere / NOVEMBER)
    for seal in (printed, printed.upper()[:16], f"{printed[:8]} {printed[8:]}"):
        for cycle in (NOVEMBER, DECEMBER, "2025-12"):
            assert verify(elsewhere, "--quick", "--seal", seal, "--cycle", cycle)[0] == 0


@pytest.mark.quick(6)
@pytest.mark.parametrize(
    "broken", [b"", b"{}", b"\x1f\x8b\x08\x00", b"[[[[" * 5000, "é".encode("latin-1")]
)
@pytest.mark.parametrize(
    "name", [EVIDENCE, "inputs/close.json", "inputs/history.json", "inputs/config/chargeback.yaml"]
)
def test_inputs_that_make_nothing_any_more_are_named_and_no_error(november, name, broken):
    forged(november, {name: broken})
    code, result = verify(november)
    assert (code, result["verdict"]) == (3, "tampered")
    assert name in json.dumps(result)


# What is said


def test_a_read_only_archive_is_verified(elsewhere):
    for path in [*elsewhere.rglob("*"), elsewhere]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    code, out, _ = said(elsewhere / DECEMBER, "--quick")
    assert (code, out.splitlines()[-1]) == (0, f"{elsewhere / DECEMBER}: intact")


def test_faults_are_lines_with_file_and_what_to_do(elsewhere):
    path = elsewhere / DECEMBER / "ledger.csv"
    path.chmod(0o600)
    truncate(path)
    code, out, err = said(elsewhere, "--quick", "--quiet")
    assert code == 3
    assert out.splitlines()[-1] == f"{elsewhere}: tampered"
    (line,) = err.splitlines()
    assert line.startswith(f"{path}: its hash is ")
    assert line.endswith("; restore it from a copy, and find out who changed it")
