"""Exports in a folder: whole or not at all, each in the place of the one before of its family."""

import json
from multiprocessing import get_context
from pathlib import Path

import pytest

from reportgen.archive.exported import export_into, listed
from reportgen.core.problem import Rejected
from tests.archive.full_disk import files_no_larger_than
from tests.archive.killing import killed, steps_of
from tests.weight import heavy_but


def put(folder, family: str, **files: str):
    """Export files whose pieces come side by side."""
    longest = max(map(len, files.values()))
    pieces = [
        (f"{name}.csv", text[place : place + 1].encode())
        for place in range(longest)
        for name, text in files.items()
        if text[place : place + 1]
    ]
    return export_into(folder, family, pieces, group=False)


def contents(folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix == ".csv"}


def test_pieces_that_come_side_by_side_make_whole_files(tmp_path):
    made = put(tmp_path / "a" / "b", "focus", one="abc", two="xy")
    assert contents(tmp_path / "a" / "b") == {"one.csv": "abc", "two.csv": "xy"}
    assert [(one.name, one.bytes) for one in made] == [("one.csv", 3), ("two.csv", 2)]


def test_no_part_of_an_older_export_stays_beside_a_newer_one(tmp_path):
    put(tmp_path, "journal-sap", part1="a", part2="b", part3="c")
    put(tmp_path, "journal-netsuite", whole="n")
    put(tmp_path, "journal-sap", part1="d", part2="e")
    assert contents(tmp_path) == {"part1.csv": "d", "part2.csv": "e", "whole.csv": "n"}
    told = json.loads((tmp_path / "exports.json").read_text())
    assert [(one["name"], one["family"]) for one in told["files"]] == [
        ("part1.csv", "journal-sap"),
        ("part2.csv", "journal-sap"),
        ("whole.csv", "journal-netsuite"),
    ]
    assert listed(tmp_path) == ["part1.csv", "part2.csv", "whole.csv", "exports.json"]


def test_what_breaks_off_leaves_everything_as_it_was(tmp_path):
    put(tmp_path / "out", "csv", ledger="before")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def broken():
        yield "ledger.csv", b"after"
        raise Rejected([])

    for folder in ("out", "new/place"):
        with pytest.raises(Rejected):
            export_into(tmp_path / folder, "csv", broken(), group=False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    left = tmp_path / ".export-killed"
    left.mkdir()
    (left / "ledger.csv").write_text("half")
    put(tmp_path, "csv", ledger="whole")
    assert contents(tmp_path) == {"ledger.csv": "whole"}
    assert not left.exists()


def again(folder: Path) -> None:
    put(folder, "csv", ledger="new", other="new")


@pytest.mark.parametrize("begun", heavy_but(1, [False, True]))
def test_an_export_that_is_killed_at_any_moment_is_ended_by_the_next(tmp_path, begun):
    def started(name: str) -> Path:
        folder = tmp_path / name
        if begun:
            put(folder, "csv", ledger="old", lines="old")
            put(folder, "focus", whole="theirs")
        return folder

    beside = {"whole.csv": "theirs"} if begun else {}
    for after in range(steps_of(again, started("whole"))):
        folder = started(f"killed-{after}")
        assert killed(again, folder, after)
        left = contents(folder) if folder.is_dir() else {}
        assert set(left.values()) <= {"old", "new", "theirs"}
        again(folder)
        assert contents(folder) == beside | {"ledger.csv": "new", "other.csv": "new"}, after
        assert listed(folder) == [*sorted(contents(folder)), "exports.json"]
        assert list(folder.glob(".*")) == []


def test_exports_at_once_into_one_folder_leave_one_of_them_whole(tmp_path):
    """Each says of its files what it is, so that a mixture would show."""
    fork = get_context("fork")
    both = [
        fork.Process(target=put, args=(tmp_path, "csv"), kwargs={"ledger": word, word: word})
        for word in ("one", "two") * 6
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert {process.exitcode for process in both} == {0}
    whole = contents(tmp_path)
    (word,) = set(whole.values())
    assert whole == {"ledger.csv": word, f"{word}.csv": word}
    assert listed(tmp_path) == [*sorted(whole), "exports.json"]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("size", [3, 30])
def test_a_full_disk_is_named_by_the_file_in_its_place_and_nothing_is_left(tmp_path, size):
    put(tmp_path / "out", "csv", ledger="old", lines="old")
    before = contents(tmp_path / "out")
    for folder in (tmp_path / "out", tmp_path / "new"):
        with files_no_larger_than(size), pytest.raises(OSError, match="too large") as caught:
            put(folder, "csv", ledger="of twenty letters +", other="new")
        assert Path(caught.value.filename).parent == folder
    assert contents(tmp_path / "out") == before
    assert listed(tmp_path / "out") == ["ledger.csv", "lines.csv", "exports.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["../outside", "/etc/x", "a/b", "", ".."])
def test_a_listing_that_was_edited_reaches_nothing_outside(tmp_path, name):
    folder = tmp_path / "out"
    put(folder, "csv", ledger="a", more="b")
    told = json.loads((folder / "exports.json").read_text())
    told["files"][1]["name"] = name
    (folder / "exports.json").write_text(json.dumps(told))
    (tmp_path / "outside").write_text("mine")
    put(folder, "csv", ledger="c")
    assert (tmp_path / "outside").read_text() == "mine"
    assert contents(folder)["ledger.csv"] == "c"
