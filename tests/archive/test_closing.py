"""A close that is killed at any moment leaves an open draft or a complete close."""

import pytest

from reportgen.archive.closing import closing, recovered, refuse_closing
from reportgen.core.problem import Rejected
from tests.archive.killing import killed, steps_of
from tests.archive.test_manifest import close, faults

DRAFT = {"statement.json": b"draft", "invoices/CB-1.pdf": b"draft"}
CLOSED = {"statement.json": b"closed", "invoices/CB-1.pdf": b"closed", "inputs/close.json": b"{}"}


def drafted(archive):
    for name, content in DRAFT.items():
        path = archive / "2025-12-05" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def sealed(archive):
    """Close the cycle with the files of a closed one."""
    with closing(archive / "2025-12-05") as stage:
        for name, content in CLOSED.items():
            stage.write(name, content)
        stage.seal(manifest_of(archive, stage))


def manifest_of(archive, stage):
    """Make the manifest elsewhere, as whoever closes does, and hand over its bytes."""
    made = archive.parent / "made" / "2025-12-05"
    close(made, files=CLOSED)
    stage.write("SHA256SUMS", (made / "SHA256SUMS").read_bytes())
    return (made / "manifest.json").read_bytes()


def state(archive):
    """Tell what stands in the place of the cycle."""
    folder = archive / "2025-12-05"
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    if there == DRAFT:
        return "draft"
    assert {name: there[name] for name in CLOSED} == CLOSED
    assert set(there) == {*CLOSED, "SHA256SUMS", "manifest.json"}
    assert faults(folder) == []
    return "closed"


def test_a_closed_cycle_stands_in_the_place_of_the_draft_and_is_read_only(tmp_path):
    archive = tmp_path / "archive"
    drafted(archive)
    sealed(archive)
    assert state(archive) == "closed"
    assert [path.name for path in archive.iterdir()] == ["2025-12-05"]
    modes = {oct(path.stat().st_mode & 0o777) for path in archive.rglob("*") if path.is_file()}
    assert modes == {"0o400"}
    assert oct((archive / "2025-12-05").stat().st_mode & 0o777) == "0o500"


def test_a_cycle_without_a_draft_can_be_closed(tmp_path):
    sealed(tmp_path / "archive")
    assert state(tmp_path / "archive") == "closed"


def test_a_close_that_fails_leaves_the_draft_and_nothing_else(tmp_path):
    archive = tmp_path / "archive"
    drafted(archive)
    with pytest.raises(ZeroDivisionError):
        failing(archive / "2025-12-05")
    assert state(archive) == "draft"
    assert [path.name for path in archive.iterdir()] == ["2025-12-05"]


def failing(folder):
    with closing(folder) as stage:
        stage.write("statement.json", b"closed")
        raise ZeroDivisionError


def test_two_do_not_close_at_a_time(tmp_path):
    folder = tmp_path / "2025-12-05"
    with closing(folder):
        assert recovered(tmp_path) == []
        with pytest.raises(Rejected, match="another run is closing this billing cycle"):
            refuse_closing(folder)
    refuse_closing(folder)


@pytest.mark.quick(15)
@pytest.mark.parametrize("steps", range(60))
def test_a_close_killed_at_any_moment_is_a_draft_or_complete(tmp_path, steps):
    archive = tmp_path / "archive"
    drafted(archive)
    was_killed = killed(sealed, archive, after=steps)
    sentences = recovered(archive)
    found = state(archive)
    assert not [path for path in archive.iterdir() if path.name.startswith(".")]
    if not was_killed:
        assert (found, sentences) == ("closed", [])
    assert recovered(archive) == []
    if found == "draft":
        sealed(archive)
        assert state(archive) == "closed"


def test_every_moment_of_a_close_is_among_those_that_are_tried(tmp_path):
    archive = tmp_path / "archive"
    drafted(archive)
    assert 20 < steps_of(sealed, archive) < 60
    assert [path.name for path in archive.iterdir()] == ["2025-12-05"]
