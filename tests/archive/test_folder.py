"""The folder of a cycle: all of a draft or nothing of it, and a closed cycle is never touched."""

import os
from contextlib import suppress
from datetime import date

import pytest

from reportgen.archive.draft import redrafted, staged
from reportgen.archive.folder import (
    EVIDENCE,
    MANIFEST,
    collected,
    cycle_folder,
    locked,
    refuse_sealed,
    refuse_unwritable,
)
from reportgen.core.problem import Rejected


class Interruption(Exception):  # noqa: N818 - whatever may come in between
    pass


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "draft.json"
    }


def write(folder, **files):
    with redrafted(folder) as stage:
        for name, text in files.items():
            stage.write(name, text.encode())


def interrupted(folder, **files):
    with suppress(Interruption), staged(folder) as stage:
        for name, text in files.items():
            stage.write(name, text.encode())
        raise Interruption


def test_a_draft_appears_whole(tmp_path):
    folder = cycle_folder(tmp_path / "archive", date(2025, 12, 5))
    with staged(folder) as stage:
        stage.write("statement.json", b"1")
        stage.write("inputs/config/mapping.yaml", b"2")
        assert not folder.exists()
    assert tree(tmp_path) == {
        "archive/2025-12-05/statement.json": "1",
        "archive/2025-12-05/inputs/config/mapping.yaml": "2",
    }


def test_an_exception_leaves_the_draft_before_as_it_was(tmp_path):
    folder = tmp_path / "2025-12-05"
    files = {"statement.json": "old", "invoices/A.pdf": "old", "inputs/responses.jsonl": "old"}
    write(folder, **files)
    interrupted(folder, **{"statement.json": "new", "invoices/B.pdf": "new"})
    assert tree(folder) == files
    assert [path.name for path in tmp_path.iterdir()] == ["2025-12-05"]


def test_an_exception_before_there_was_anything_leaves_nothing(tmp_path):
    interrupted(tmp_path / "a" / "b" / "2025-12-05", **{"statement.json": "new"})
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_an_empty_archive_that_was_there(tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    interrupted(archive / "2025-12-05")
    assert list(archive.iterdir()) == []


def test_what_only_the_draft_before_had_goes_but_evidence_stays(tmp_path):
    folder = tmp_path / "2025-12-05"
    before = {
        "invoices/A.pdf": "1",
        "invoices/B.pdf": "1",
        "inputs/config/hr.csv": "1",
        "inputs/config/deep/x.csv": "1",
    }
    write(folder, **before, **{EVIDENCE: "evidence", "statement.json": "1", "ledger.csv": "1"})
    write(
        folder, **{"invoices/B.pdf": "2", "statement.json": "2", "inputs/config/mapping.yaml": "2"}
    )
    assert tree(folder) == {
        "invoices/B.pdf": "2",
        "statement.json": "2",
        EVIDENCE: "evidence",
        "inputs/config/mapping.yaml": "2",
    }


def test_a_closed_cycle_is_refused(tmp_path):
    folder = tmp_path / "2025-12-05"
    refuse_sealed(folder)
    write(folder, **{MANIFEST: "{}"})
    with pytest.raises(
        Rejected, match=r"2025-12-05: this billing cycle is closed; it is never rewritten: "
    ):
        refuse_sealed(folder)


def test_evidence_is_listed_cycle_by_cycle(tmp_path):
    for name in ("2025-12-05", "2025-11-05", "deliveries", "2025-12-05.c1", ".2025-12-05.x"):
        write(tmp_path / name, **{EVIDENCE: "x"})
    write(tmp_path / "2026-01-05", **{"statement.json": "x"})
    assert [path.parts[-3] for path in collected(tmp_path)] == ["2025-11-05", "2025-12-05"]
    assert collected(tmp_path / "nowhere") == []


def test_an_archive_that_can_be_made_is_not_made_yet(tmp_path):
    refuse_unwritable(tmp_path / "a" / "b", "chargeback.yaml:9")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_below_a_file_is_refused_where_it_is_configured(tmp_path):
    (tmp_path / "file").write_text("")
    for archive in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(
            Rejected, match=r"^chargeback\.yaml:9: the archive folder .* is not a folder; "
        ):
            refuse_unwritable(archive, "chargeback.yaml:9")


def test_a_broken_link_is_no_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(Rejected, match="link is not a folder; "):
        refuse_unwritable(tmp_path / "link" / "archive", "chargeback.yaml:9")


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may write everywhere; the error corpus has the case as nobody"
)
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(Rejected, match="cannot be written; name a folder that you may write to"):
        refuse_unwritable(tmp_path / "archive", "chargeback.yaml:9")


def test_a_lock_leaves_no_empty_folder_behind_but_what_was_there(tmp_path):
    cycle = tmp_path / "archive" / "2025-12-05"
    with locked(cycle):
        assert cycle.is_dir()
    assert not (tmp_path / "archive").exists()
    (tmp_path / "archive").mkdir()
    with locked(cycle):
        pass
    assert list((tmp_path / "archive").iterdir()) == []
    with locked(cycle):
        (cycle / "statement.json").write_bytes(b"{}")
    assert (cycle / "statement.json").exists()


def test_only_a_lock_is_told_as_another_run(tmp_path):
    """The system says the same of a process that it does not let be started."""
    with pytest.raises(BlockingIOError), locked(tmp_path / "2025-12-05"):
        raise BlockingIOError
