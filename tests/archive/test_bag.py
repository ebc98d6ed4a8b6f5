"""A bag, unpacked and checked by what checks bags: `sha256sum`, and the package of that name."""

import hashlib
import re
import resource
import subprocess
import zipfile
from pathlib import Path

import bagit
import pytest

from reportgen.archive.bag import ascii_path, is_bag, write_bag
from reportgen.archive.disk import written_beside

PAYLOAD = {
    "README.txt": b"What this is\n",
    "invoices/CB-1.pdf": b"%PDF-1.7\n" * 300_000,
    "ledger.csv": b"day,product\n" * 100,
    "empty": b"",
    **{
        f"names/{name}": name.encode("utf-8", "surrogateescape")
        for name in (
            "a blank",
            " blanks at both ends ",
            "100%",
            "100%25",
            "a=b",
            "line\nbreak",
            "return\r",
            "back\\slash",
            "*star",
            "\u6771\u4eac-\u00fc.txt",
            "u\u0308",
            "no \udcff UTF-8",
        )
    },
}
WORDS = {"Source-Organization": "Acme: \u6771\u4eac\nCorporation", "External-Identifier": "0042"}


def packed(path, payload=PAYLOAD, words=WORDS):
    with path.open("wb") as file:
        write_bag(file, "bag", payload, words, lambda done, known: None)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return packed(tmp_path_factory.mktemp("packed") / "any.zip")


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder / "bag"


def test_sha256sum_checks_both_manifests(unpacked):
    command = ["sha256sum", "--strict", "-c", "manifest-sha256.txt", "tagmanifest-sha256.txt"]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(PAYLOAD) + 3


def test_the_bagit_package_validates_it(unpacked):
    bag = bagit.Bag(str(unpacked))
    bag.validate()
    assert (bag.version_info, bag.encoding, len(bag.entries)) == ((1, 0), "UTF-8", len(PAYLOAD) + 3)
    octets = sum(map(len, PAYLOAD.values()))
    assert bag.info == {
        "Source-Organization": "Acme: \u6771\u4eac\\nCorporation",
        "External-Identifier": "0042",
        "Payload-Oxum": f"{octets}.{len(PAYLOAD)}",
    }


def test_a_reader_that_follows_the_rfc_to_the_letter_finds_every_file(unpacked):
    """A %, CR or LF of a path is percent-encoded in a manifest (RFC 8493, 2.1.3)."""
    listed = {}
    for line in (unpacked / "manifest-sha256.txt").read_text(encoding="utf-8").split("\n")[:-1]:
        digest, path = re.fullmatch(r"([0-9a-f]{64})[ \t]+(.+)", line).groups()
        meant = path.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        listed[meant] = digest
    there = {
        path.relative_to(unpacked).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (unpacked / "data").rglob("*")
        if path.is_file()
    }
    assert listed == there


def test_the_declaration_is_the_one_of_the_rfc(unpacked):
    declared = (unpacked / "bagit.txt").read_bytes()
    assert declared == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def test_a_file_that_was_changed_is_found_by_both(archive, tmp_path):
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
    with (tmp_path / "bag" / "data" / "ledger.csv").open("r+b") as file:
        file.write(b"D")
    command = ["sha256sum", "--quiet", "-c", "manifest-sha256.txt"]
    done = subprocess.run(
        command, cwd=tmp_path / "bag", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "data/ledger.csv: FAILED\n")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path / "bag")).validate()


def test_names_are_ascii_and_lead_back(archive):
    with zipfile.ZipFile(archive) as file:
        names = [entry.filename for entry in file.infolist()]
    assert all(name.isascii() and name.isprintable() for name in names)
    assert not any(sign in name for name in names for sign in '%\\*?:"<>|')
    folder = "bag/data/"
    read = {
        re.sub(rb"=(..)", lambda sign: bytes.fromhex(sign[1].decode()), name.encode())
        for name in (name.removeprefix(folder) for name in names if name.startswith(folder))
    }
    assert read == {name.encode("utf-8", "surrogateescape") for name in PAYLOAD}
    assert ascii_path("names/100%") == "names/100=25"


def test_the_same_files_give_the_same_bytes_in_any_order(archive, tmp_path):
    backwards = dict(reversed(PAYLOAD.items()))
    again = packed(tmp_path / "again.zip", backwards, dict(reversed(WORDS.items())))
    assert again.read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        entries = file.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_files_of_the_disk_are_packed_as_bytes_are(archive, tmp_path):
    for number, content in enumerate(PAYLOAD.values()):
        (tmp_path / f"{number}").write_bytes(content)
    files = {name: tmp_path / f"{number}" for number, name in enumerate(PAYLOAD)}
    assert packed(tmp_path / "files.zip", files).read_bytes() == archive.read_bytes()


def test_a_file_that_grows_meanwhile_is_named(tmp_path):
    """One of the system's has a size of nothing, and something in it."""
    with pytest.raises(Exception, match="/proc/self/status: was changed while it was copied"):
        packed(tmp_path / "grown.zip", {"status": Path("/proc/self/status")})


def test_a_bag_is_told_from_other_zips(archive, tmp_path):
    assert is_bag(archive)
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "")
    (tmp_path / "text").write_text("no zip", encoding="utf-8")
    assert not is_bag(tmp_path / "other.xlsx")
    assert not is_bag(tmp_path / "text")


# How it comes to the disk


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "exports" / "a.zip"
    with written_beside(path, 0o600) as file:
        file.write(b"one")
        assert not path.exists()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("a.zip", b"one")]


def interrupted(path):
    with written_beside(path, 0o640) as file:
        file.write(b"two")
        raise KeyboardInterrupt


def test_a_full_disk_leaves_nothing_and_is_told_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "a.zip"
    _, most = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        with pytest.raises(OSError) as caught, written_beside(path, 0o600) as file:
            file.write(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 300, "folder"])
def test_what_cannot_be_put_there_is_told_with_its_name(tmp_path, name):
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    with pytest.raises(OSError) as caught, written_beside(path, 0o600) as file:
        file.write(b"one")
    assert caught.value.filename == str(path)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_takes_no_file_is_told_with_the_name_of_the_file(tmp_path):
    with pytest.raises(OSError) as caught, written_beside(Path("/proc/a.zip"), 0o600) as file:
        file.write(b"one")
    assert caught.value.filename == "/proc/a.zip"


def test_a_name_as_long_as_any_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    with written_beside(path, 0o600) as file:
        file.write(b"one")
    assert path.read_bytes() == b"one"
