"""What an archive holds and nobody can read is named with its file and what to do."""

import errno
import fcntl
import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from reportgen.archive import (
    closing,
    corrections,
    cycle_file,
    draft,
    inspection,
    manifest,
    refetch,
    standing,
    untrusted,
)
from reportgen.archive.folder import ACCEPTED, CORRECTION, EVIDENCE, ISSUED, MANIFEST, STANDING
from reportgen.core.problem import Rejected
from reportgen.operations.collecting.refusals import read_accepted
from reportgen.operations.context import Context
from reportgen.operations.sealed import verification
from reportgen.operations.sealed.sealing import sealing
from reportgen.terminal import Terminal

AGAIN = "restore the folder from a copy"


def refusal(read, folder) -> str:
    with pytest.raises(Rejected) as caught:
        read(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (ISSUED, corrections.decode),
        (STANDING, standing.decode),
        (CORRECTION, lambda folder: corrections._issued(SimpleNamespace(folder=folder))),
    ],
)
@pytest.mark.parametrize("content", [b"{", b"\xff", None])
def test_what_is_torn_or_a_folder_is_named(tmp_path, name, read, content):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)
    said = refusal(read, tmp_path)
    assert said.startswith(f"{path}: cannot be read: ")
    assert said.endswith(AGAIN)


@pytest.mark.parametrize(
    ("content", "words"), [(b"[]", "is not what was written there"), (None, "cannot be read: ")]
)
def test_what_was_accepted_is_read_or_named(tmp_path, content, words):
    path = tmp_path / ACCEPTED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)
    said = refusal(read_accepted, tmp_path)
    assert said.startswith(f"{path}: {words}")
    assert said.endswith("remove the file, then collect the cycle again")


def test_a_draft_that_was_half_replaced_is_refused(tmp_path):
    (tmp_path / draft.REPLACING).write_bytes(b"")
    said = refusal(draft.refuse_torn, tmp_path)
    assert "half of it may be of the one before; run `reportgen build` again" in said


@pytest.mark.parametrize(("at", "kind"), [("statement.pdf", "a folder"), ("invoices", "a file")])
def test_what_stands_in_the_way_is_named_as_what_it_is(tmp_path, at, kind):
    place = tmp_path / at
    place.mkdir() if kind == "a folder" else place.write_bytes(b"")
    meant = place if kind == "a folder" else place / "CB-1.pdf"
    said = refusal(draft._refuse_folder_in_the_way, meant)
    assert said == (
        f"{place}: {kind} stands where a document of the cycle belongs; "
        "move it away, then try again"
    )


def test_a_folder_that_somebody_put_in_place_of_a_file_is_left(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path in tuple(tmp_path.iterdir()):
        draft._remove(path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_draft_set_aside_stands_again_unless_its_cycle_is_closed(tmp_path):
    folder, aside = tmp_path / "2025-12-05", tmp_path / ".aside"
    aside.mkdir()
    assert "stands in its place again" in closing._put_back(folder, aside)
    assert (folder.is_dir(), aside.exists()) == (True, False)
    aside.mkdir()
    assert closing._put_back(folder, aside) == ""
    assert aside.is_dir()
    (folder / MANIFEST).write_bytes(b"{}")
    assert closing._put_back(folder, aside) == ""
    assert not aside.exists()


def test_a_close_that_is_broken_off_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="broken off"), closing.closing(tmp_path / "2025-12-05"):
        raise ValueError("broken off")
    assert list(tmp_path.iterdir()) == []


def test_one_closes_at_a_time(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(Rejected, match="another run is closing"), sealing(tmp_path):
            raise AssertionError
    finally:
        os.close(descriptor)


def test_nothing_is_closed_upon_a_broken_chain(tmp_path, monkeypatch):
    fault = SimpleNamespace(place=f"2025-11-05/{MANIFEST}", message="it is missing")
    monkeypatch.setattr(manifest, "faults_of_chain", lambda _: [fault])
    with pytest.raises(Rejected, match="nothing is closed upon a broken chain"), sealing(tmp_path):
        raise AssertionError


def test_a_font_that_is_no_file_is_a_fault(tmp_path):
    (tmp_path / "fonts" / "folder").mkdir(parents=True)
    (fault,) = inspection.stray_fonts(tmp_path)
    assert (fault.place, fault.message) == ("fonts/folder", "it is no file")


@pytest.mark.parametrize("content", [b"{", None])
def test_a_draft_that_does_not_say_what_it_is_of_is_named(tmp_path, content):
    path = tmp_path / cycle_file.CYCLE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)
    assert refusal(cycle_file.decode, tmp_path).startswith(f"{path}: cannot be read: ")


def test_what_is_no_json_and_no_table_is_nothing():
    assert untrusted.statement_of(b"{") is None
    assert untrusted.statement_of(b"[1]") == [1]
    assert untrusted.rows_of(b'a,"b') == []
    assert untrusted.rows_of(b"a,b\r\n") == [["a", "b"]]


def test_a_sealed_file_that_cannot_be_read_is_a_fault(tmp_path):
    (fault,) = manifest._compared(tmp_path, "statement.json", "0" * 64)
    assert (fault.kind, fault.message) == (
        "unreadable",
        "it cannot be read: no such file or directory",
    )


# A correction's answers


NOW = datetime(2026, 1, 9, tzinfo=UTC)


def apart(folder, *, keep=True, now=NOW):
    return refetch.apart(folder, now, group=False, keep=keep)


def answered(path, end: BaseException) -> None:
    """Collect an answer, and come to an end."""
    (path / EVIDENCE).parent.mkdir()
    (path / EVIDENCE).write_bytes(b"{}\n")
    raise end


def interrupted(folder) -> None:
    with pytest.raises(KeyboardInterrupt), apart(folder) as path:
        answered(path, KeyboardInterrupt())


def test_answers_of_a_correction_are_gone_on_with_for_an_hour(tmp_path):
    folder = tmp_path / "2025-12-05"
    interrupted(folder)
    begun = (tmp_path / ".2025-12-05.fetching" / EVIDENCE).stat().st_mtime
    with apart(folder, now=datetime.fromtimestamp(begun + 60, UTC)) as path:
        assert (path / EVIDENCE).is_file()
    assert list(tmp_path.iterdir()) == []
    interrupted(folder)
    with apart(folder, now=datetime.fromtimestamp(begun + 9000, UTC)) as path:
        assert not (path / EVIDENCE).exists()


def test_two_runs_never_correct_one_cycle_at_once(tmp_path):
    folder = tmp_path / "2025-12-05"
    with apart(folder), pytest.raises(Rejected, match="another run is correcting"), apart(folder):
        raise AssertionError


def test_what_is_refused_leaves_no_answers(tmp_path):
    with pytest.raises(Rejected), apart(tmp_path / "2025-12-05") as path:
        answered(path, Rejected([]))
    assert list(tmp_path.iterdir()) == []


# What is verified


def inspected(folder, link=None, faults=()) -> inspection.Inspected:
    return inspection.Inspected(folder=folder, link=link, faults=faults)


def test_without_its_link_nothing_is_derived_again(tmp_path):
    one = inspected(tmp_path)
    assert verification.verified(one, None, 1, CONTEXT).seal is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error", "a.json"), "a.json: input/output error"),
        (ZeroDivisionError("planted"), "ZeroDivisionError planted"),
    ],
)
def test_what_is_damaged_and_makes_nothing_any_more_is_said(tmp_path, monkeypatch, error, said):
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(verification, "rederived", fail)
    sealed = SimpleNamespace(seal="0" * 64, manifest=MANIFEST_OF_ANOTHER)
    fault = inspection.Fault(place="statement.json", kind="changed", message="m")
    found = verification.verified(inspected(tmp_path, sealed, (fault,)), None, 1, CONTEXT)
    assert [one.message for one in found.faults] == ["m", f"cannot be derived again: {said}"]
    if not isinstance(error, OSError):
        with pytest.raises(ZeroDivisionError):
            verification.verified(inspected(tmp_path, sealed), None, 1, CONTEXT)


def test_another_version_is_named_with_both():
    (rules, *_) = verification._other_versions(MANIFEST_OF_ANOTHER)
    assert str(rules).endswith(f"99 then, {verification.RULES_VERSION} now")


CONTEXT = Context(now=lambda: NOW, environment={}, terminal=Terminal(quiet=True))
MANIFEST_OF_ANOTHER = SimpleNamespace(rules_version=99, versions={}, fonts={})
