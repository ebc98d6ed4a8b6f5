"""What a closed folder holds, checked with sha256sum, changed in every way, and chained."""

import hashlib
import os
import subprocess
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.archive import manifest
from reportgen.archive.manifest import Manifest, Sealed, SealedDays
from reportgen.core.problem import Rejected

FILES = {
    "statement.json": b"{}\n",
    "invoices/CB-1.pdf": b"%PDF",
    "inputs/config/mapping.yaml": b"users: {}\n",
    "inputs/a name \\ with a backslash": b"1",
    "inputs/a line\nbreak": b"2",
    "inputs/\u6771\u4eac.txt": b"3",
}


def close(folder, *, sequence=1, previous=None, files=None):
    """Write a closed folder; its seal is hashed here, not by what is tested."""
    for name, content in (files or FILES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "SHA256SUMS").write_text(manifest.sums_of(folder), encoding="utf-8")
    content = manifest.written(
        Manifest(
            folder=folder.name,
            enterprise="Acme",
            cycle=SealedDays(start=folder.name[:10], end="2026-01-05"),
            sequence=sequence,
            previous=previous,
            sums=hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest(),
            issued="2026-01-09",
            sealed_at="2026-01-09T10:00:00Z",
            rules_version=1,
            versions={"reportgen": "0.2.0"},
            fonts={},
        )
    )
    (folder / "manifest.json").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "2025-12-05"
    close(path)
    return path


def faults(folder):
    return [(fault.place, fault.kind) for fault in manifest.faults_of_files(manifest.read(folder))]


def test_sha256sum_checks_it(folder):
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == len(FILES)


def test_the_sums_are_sorted_and_leave_out_themselves_and_the_manifest(folder):
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    names = [line.lstrip("\\").split("  ", 1)[1] for line in lines]
    assert len(lines) == len(FILES)
    assert names == sorted(names)
    digest = hashlib.sha256(FILES["statement.json"]).hexdigest()
    assert f"{digest}  statement.json" in lines


def test_what_was_sealed_is_intact(folder):
    assert faults(folder) == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_changed_cut_or_missing_is_named(folder, name):
    path = folder / name
    for content in (FILES[name] + b" ", FILES[name][:-1], b""):
        path.write_bytes(content)
        assert faults(folder) == [(f"2025-12-05/{name}", "changed")]
    path.unlink()
    assert (f"2025-12-05/{name}", "missing") in faults(folder)


def test_files_that_changed_places_are_both_named(folder):
    one, two = folder / "statement.json", folder / "invoices/CB-1.pdf"
    one.rename(folder / "aside")
    two.rename(one)
    (folder / "aside").rename(two)
    assert {place for place, _ in faults(folder)} == {
        "2025-12-05/statement.json",
        "2025-12-05/invoices/CB-1.pdf",
    }


def test_a_file_that_was_renamed_is_missing_and_added(folder):
    (folder / "statement.json").rename(folder / "Statement.json")
    assert faults(folder) == [
        ("2025-12-05/statement.json", "missing"),
        ("2025-12-05/Statement.json", "added"),
    ]


def test_whatever_is_added_is_named(folder, tmp_path):
    (folder / "note.txt").write_text("x", encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "invoices" / "link.pdf").symlink_to(folder / "invoices/CB-1.pdf")
    os.mkfifo(folder / "pipe")
    assert faults(folder) == [
        ("2025-12-05/note.txt", "added"),
        *((f"2025-12-05/{name}", "not a file") for name in ("empty", "invoices/link.pdf")),
        *((f"2025-12-05/{name}", "not a file") for name in ("link", "pipe")),
    ]


def test_a_file_in_whose_place_a_link_stands_is_missing(folder, tmp_path):
    path = folder / "statement.json"
    path.rename(tmp_path / "aside")
    path.symlink_to(tmp_path / "aside")
    assert ("2025-12-05/statement.json", "missing") in faults(folder)


def test_sums_that_were_written_anew_do_not_help(folder):
    (folder / "statement.json").write_bytes(b'{"amount": "1.00"}')
    (folder / "SHA256SUMS").write_text(manifest.sums_of(folder), encoding="utf-8")
    assert faults(folder) == [("2025-12-05/SHA256SUMS", "changed")]
    (folder / "SHA256SUMS").unlink()
    assert faults(folder) == [("2025-12-05/SHA256SUMS", "missing")]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"schema": "reportgen.manifest/2"}', b"[" * 100_000]
)
def test_what_is_no_manifest_is_told(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(Rejected, match=r"manifest\.json: is no manifest"):
        manifest.read(folder)


def links(tmp_path, count):
    """Close some cycles one after the other."""
    previous = None
    for number in range(1, count + 1):
        folder = tmp_path / f"2025-{number:02}-05"
        previous = close(folder, sequence=number, previous=previous)
    return manifest.chain(tmp_path)


def broken(links):
    return [fault.place.split("/")[0] for fault in manifest.faults_of_chain(links)]


def test_a_chain_is_in_the_order_of_sealing(tmp_path):
    found = links(tmp_path, 4)
    assert [link.manifest.sequence for link in found] == [1, 2, 3, 4]
    assert [link.manifest.previous for link in found[1:]] == [link.seal for link in found[:-1]]
    assert broken(found) == []
    assert [path.name for path in manifest.sealed_folders(tmp_path)] == [
        "2025-01-05",
        "2025-02-05",
        "2025-03-05",
        "2025-04-05",
    ]


@given(st.data())
def test_every_change_of_a_chain_is_seen_but_that_of_its_end(data):
    found = [link(number) for number in range(1, 6)]
    found = list(chained(found))
    assert broken(found) == []
    at = data.draw(st.integers(0, 3))
    way = data.draw(st.sampled_from(["drop", "rewrite", "twice", "swap"]))
    if way == "drop":
        del found[at]
    elif way == "rewrite":
        found[at] = replace(found[at], seal="0" * 64)
    elif way == "twice":
        found.insert(at, found[at])
    else:
        found[at], found[at + 1] = found[at + 1], found[at]
    assert broken(found)


def link(number):
    return Manifest(
        folder=f"2025-{number:02}-05",
        enterprise="Acme",
        cycle=SealedDays(start=f"2025-{number:02}-05", end="2026-01-05"),
        sequence=number,
        previous=None,
        sums="0" * 64,
        issued="2026-01-09",
        sealed_at="2026-01-09T10:00:00Z",
        rules_version=1,
        versions={},
        fonts={},
    )


def chained(manifests):
    previous = None
    for one in manifests:
        whole = msgspec.structs.replace(one, previous=previous)
        previous = hashlib.sha256(manifest.written(whole)).hexdigest()
        yield Sealed(folder=PathLike(one.folder), manifest=whole, seal=previous)


class PathLike:
    """A folder that is only named."""

    def __init__(self, name):
        self.name = name


def test_fonts_are_kept_by_their_hash(tmp_path):
    digest = hashlib.sha256(b"font").hexdigest()
    fonts = {"LiberationSans-Regular.ttf": digest}
    assert [fault.kind for fault in manifest.faults_of_fonts(tmp_path, fonts)] == ["missing"]
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / digest).write_bytes(b"font")
    assert list(manifest.faults_of_fonts(tmp_path, fonts)) == []
    (tmp_path / "fonts" / digest).write_bytes(b"Font")
    assert [fault.kind for fault in manifest.faults_of_fonts(tmp_path, fonts)] == ["changed"]
