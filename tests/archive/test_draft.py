"""A draft takes away nothing but its own, is for its owner's eyes, and never half of another."""

import json
import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reportgen.archive.draft import Stage, foreign, redrafted, staged, torn
from reportgen.archive.folder import EVIDENCE, locked
from reportgen.core.problem import Rejected
from tests.archive.killing import killed, steps_of

MEMORY = Path("/dev/shm")  # noqa: S108 - another file system than that of tests
OLD = {"statement.json": b"old", "invoices/A.pdf": b"old", "invoices/B.pdf": b"old"}
NEW = {"statement.json": b"new", "invoices/B.pdf": b"new", "invoices/C.pdf": b"new"}


def build(folder, files):
    with redrafted(folder) as stage:
        for name, content in files.items():
            stage.write(name, content)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "draft.json"
    }


@pytest.mark.parametrize("adding", [redrafted, staged])
def test_nothing_gets_into_a_cycle_that_was_closed_meanwhile(tmp_path, adding):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    with pytest.raises(Rejected, match="this billing cycle is closed"):
        close_meanwhile(folder, adding)
    assert contents(folder) == OLD | {"manifest.json": b"{}"}


def close_meanwhile(folder, adding):
    with adding(folder) as stage:
        stage.write("statement.json", b"new")
        (folder / "manifest.json").write_bytes(b"{}")


def test_what_no_draft_has_written_is_left_alone_and_named(tmp_path):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    (folder / "invoices" / "A signed.pdf").write_bytes(b"theirs")
    (folder / "notes").mkdir()
    (folder / "notes" / "approval.txt").write_bytes(b"theirs")
    build(folder, NEW)
    theirs = {"invoices/A signed.pdf": b"theirs", "notes/approval.txt": b"theirs"}
    assert contents(folder) == NEW | theirs
    assert foreign(folder) == sorted(theirs)


def test_evidence_stays_whoever_listed_it(tmp_path):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD | {EVIDENCE: b"evidence"})
    build(folder, NEW)
    assert contents(folder) == NEW | {EVIDENCE: b"evidence"}
    assert foreign(folder) == []


@pytest.mark.parametrize("link", ["invoices", "inputs", "."])
def test_nothing_is_written_or_removed_behind_a_link(tmp_path, link):
    folder, share = tmp_path / "2025-12-05", tmp_path / "share"
    share.mkdir()
    (share / "A.pdf").write_bytes(b"theirs")
    build(folder, {"statement.json": b"old"}) if link != "." else None
    if (folder / link).exists():
        (folder / link / "draft.json").unlink()
        (folder / link).rmdir()
    (folder / link if link != "." else folder).symlink_to(share)
    with pytest.raises(Rejected, match="a link stands where a folder of the cycle belongs"):
        build(folder, NEW | {"inputs/close.json": b"{}"})
    assert contents(share) == {"A.pdf": b"theirs"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_link_in_the_place_of_a_folder_that_only_the_draft_before_had_is_refused(tmp_path):
    folder, share = tmp_path / "2025-12-05", tmp_path / "share"
    share.mkdir()
    (share / "A.pdf").write_bytes(b"theirs")
    build(folder, OLD | {"summaries/A.pdf": b"old"})
    (folder / "summaries" / "A.pdf").unlink()
    (folder / "summaries").rmdir()
    (folder / "summaries").symlink_to(share)
    with pytest.raises(Rejected, match="a link stands where a folder of the cycle belongs"):
        build(folder, NEW)
    assert contents(share) == {"A.pdf": b"theirs"}


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/outside.txt", "", "invoices/../../outside.txt"]
)
def test_a_list_that_was_edited_leads_nowhere_else(tmp_path, name):
    folder = tmp_path / "2025-12-05"
    (tmp_path / "outside.txt").write_bytes(b"theirs")
    build(folder, OLD)
    (folder / "inputs" / "draft.json").write_text(json.dumps({"files": [name]}), encoding="utf-8")
    build(folder, NEW)
    assert (tmp_path / "outside.txt").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"files": 1}', b"\xff", b'{"a": ' + b"[" * 9_000]
)
def test_a_list_that_cannot_be_read_removes_nothing(tmp_path, content):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    (folder / "inputs" / "draft.json").write_bytes(content)
    build(folder, NEW)
    assert contents(folder) == OLD | NEW
    assert foreign(folder) == ["invoices/A.pdf"]


@pytest.mark.parametrize("closed", [".", "invoices", "inputs", "summaries"])
def test_a_folder_that_takes_no_file_is_refused_before_the_first_is_renamed(
    tmp_path, monkeypatch, closed
):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD | {"summaries/A.pdf": b"old"})
    before = contents(folder)
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != folder / closed and may(path, mode)
    )
    with pytest.raises(Rejected, match="this folder cannot be written"):
        build(folder, NEW)
    assert contents(folder) == before
    assert not torn(folder)


@pytest.mark.skipif(not MEMORY.is_dir(), reason="needs a second file system")
def test_a_stage_in_another_file_system_is_refused_before_the_first_is_renamed(tmp_path):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    with TemporaryDirectory(dir=MEMORY) as elsewhere:
        stage = Stage(Path(elsewhere), folder)
        stage.write("statement.json", b"new")
        with pytest.raises(Rejected, match="in another file system than the archive"):
            stage.replace_draft(folder)
    assert contents(folder) == OLD


def test_what_is_named_like_a_stage_and_is_none_is_left_alone(tmp_path):
    (tmp_path / "theirs").mkdir()
    os.mkfifo(tmp_path / ".2025-12-05.draft-pipe")
    (tmp_path / ".2025-12-05.draft-link").symlink_to(tmp_path / "theirs")
    build(tmp_path / "2025-12-05", OLD)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("theirs", "2025-12-05", ".2025-12-05.draft-pipe", ".2025-12-05.draft-link")
    }


@pytest.mark.parametrize("in_the_way", ["pipe", "link"])
def test_nothing_in_the_place_of_the_mark_is_written_to(tmp_path, in_the_way):
    folder, mark = tmp_path / "2025-12-05", tmp_path / "2025-12-05" / ".replacing"
    build(folder, OLD)
    (tmp_path / "theirs.txt").write_bytes(b"theirs")
    os.mkfifo(mark) if in_the_way == "pipe" else mark.symlink_to(tmp_path / "theirs.txt")
    build(folder, NEW)
    assert contents(folder) == NEW
    assert (tmp_path / "theirs.txt").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    ("group", "file", "directory"), [(False, 0o600, 0o700), (True, 0o640, 0o750)]
)
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_draft_is_for_its_owners_eyes_whatever_the_umask(tmp_path, group, file, directory, umask):
    folder = tmp_path / "archive" / "2025-12-05"
    before = os.umask(umask)
    try:
        with locked(folder, group=group), redrafted(folder, group=group) as stage:
            stage.write("invoices/A.pdf", b"1")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    paths = [folder.parent, *folder.parent.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {file}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {directory}


def build_anew(folder):
    build(folder, NEW)


@pytest.mark.quick(12)
@pytest.mark.parametrize("steps", range(40))
def test_a_draft_torn_by_a_kill_is_told_and_the_next_build_makes_it_whole(tmp_path, steps):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    was_killed = killed(build_anew, folder, after=steps)
    found = contents(folder)
    assert torn(folder) or found in ((OLD, NEW) if was_killed else (NEW,))
    build_anew(folder)
    assert contents(folder) == NEW
    assert not torn(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["2025-12-05"]


def test_every_moment_of_a_build_is_among_those_that_are_tried(tmp_path):
    folder = tmp_path / "2025-12-05"
    build(folder, OLD)
    assert 15 < steps_of(build_anew, folder) < 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", [staged, redrafted])
def test_a_signal_while_files_are_renamed_in_is_heard_when_all_are(
    tmp_path, monkeypatch, stage, number
):
    folder = tmp_path / "2025-12-05"
    build(folder, NEW)
    heard = []
    monkeypatch.setattr(Path, "replace", signalled(Path.replace, number))
    before = signal.signal(number, lambda *_: heard.append(contents(folder)))
    try:
        with stage(folder) as files:
            for name in NEW:
                files.write(name, b"newer")
    finally:
        signal.signal(number, before)
    assert heard == [dict.fromkeys(NEW, b"newer")]
    assert not torn(folder)


def signalled(replace, number):
    """Let the process have a signal before each file that is renamed in."""

    def rename(path, target):
        signal.raise_signal(number)
        return replace(path, target)

    return rename


@pytest.mark.parametrize("flag", ["i", "a"])
def test_a_protected_file_is_told_before_the_first_is_renamed(tmp_path, flag):
    folder = tmp_path / "2025-12-05"
    build(folder, {"a.csv": b"1", "b.csv": b"1", "gone.csv": b"1"})
    before = contents(folder)
    for name in ("b.csv", "gone.csv"):
        path = folder / name
        if subprocess.run(
            ["chattr", f"+{flag}", path], capture_output=True, check=False
        ).returncode:
            pytest.skip("files cannot be protected here")
        try:
            with pytest.raises(Rejected) as caught:
                build(folder, {"a.csv": b"2", "b.csv": b"2"})
        finally:
            subprocess.run(["chattr", f"-{flag}", path], check=True)
        assert str(caught.value).startswith(f"{path}: this file is protected")
        assert contents(folder) == before
