"""`doctor`, part by part: what no machine of ours lacks is taken away here."""

import errno
import shutil
import ssl
import tempfile
from time import monotonic
from types import SimpleNamespace

import pytest

from reportgen.commands.doctor import archive, looks, machine, way
from reportgen.commands.doctor.finding import fine
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.pdf import installed
from reportgen.sources.config.configuration import load
from tests.scenarios.job import small

PROBLEM = Problem(source="a.ttf", message="m", hint="h")


def findings(configuration=None) -> dict[str, tuple[str, str]]:
    return {one.part: (one.health, one.message) for one in machine.machine(configuration)}


def test_a_library_without_a_version_is_missing(monkeypatch):
    versions = installed.versions()
    unknown = dict.fromkeys(("fontconfig", "jinja2"), installed.UNKNOWN)
    monkeypatch.setattr(installed, "versions", lambda: versions | unknown)
    seen = findings()
    assert seen["fonts"] == (
        "not tried",
        "only fontconfig, which is missing, tells which there are",
    )
    assert seen["program"] == ("problem", "the Python packages jinja2 are not installed")


def test_fonts_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(installed, "missing_fonts", lambda: [PROBLEM])
    assert findings()["fonts"] == ("problem", "m")


def test_without_fontconfig_no_font_and_no_sign_can_be_told(monkeypatch):
    monkeypatch.setattr(installed, "_loaded", lambda _: None)
    assert installed.lacking(["東京"]) == frozenset()
    assert list(installed._patterns()) == []
    assert installed._package("no-such-package") == installed.UNKNOWN


def test_a_font_engine_that_does_not_begin_has_no_version():
    library = SimpleNamespace(FT_Init_FreeType=lambda _: 1)
    assert installed._freetype(library) == installed.UNKNOWN


def test_fonts_that_are_added_are_named_or_told(monkeypatch):
    configuration = SimpleNamespace(fonts=(SimpleNamespace(name="Mine.ttf"),))
    monkeypatch.setattr(machine, "ready_to_draw", lambda _: Ready())
    assert [(one.health, one.message) for one in machine._added(configuration)] == [
        ("ok", "Mine.ttf")
    ]
    monkeypatch.setattr(machine, "ready_to_draw", lambda _: Ready(Rejected([PROBLEM])))
    assert [(one.health, one.message) for one in machine._added(configuration)] == [
        ("problem", "m")
    ]


class Ready:
    """What is ready, or says that it is not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __enter__(self) -> None:
        if self.error:
            raise self.error

    def __exit__(self, *_: object) -> None:
        """Leave."""


def failing(error: OSError):
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_machine_without_room_for_a_while_is_told(monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", failing(FileNotFoundError(errno.ENOENT, "none")))
    assert "no folder for temporary files can be written" in machine._temporary().message


def test_a_machine_without_shared_memory_is_told(monkeypatch):
    broken = SimpleNamespace(Lock=failing(OSError(errno.ENOSYS, "Function not implemented")))
    monkeypatch.setattr(machine, "get_context", lambda _: broken)
    finding = machine._temporary()
    assert "shared memory, which processes lock by, is missing" in finding.message
    assert finding.hint == "mount a tmpfs at /dev/shm"


# The way to the API


def context_with(held: int):
    return lambda: SimpleNamespace(cert_store_stats=lambda: {"x509_ca": held})


def test_a_file_without_authorities_vouches_for_nobody(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("", encoding="utf-8")
    monkeypatch.setattr(ssl, "create_default_context", context_with(0))
    finding = way.authorities({"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
    assert finding.message.endswith("which holds no certificate of an authority")


def test_a_machine_may_trust_nobody(monkeypatch):
    paths = ssl.get_default_verify_paths()
    monkeypatch.setattr(ssl, "create_default_context", context_with(0))
    nowhere = paths._replace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    assert way.authorities({}).message == "this machine trusts no authority"


@pytest.mark.parametrize(
    ("proxy", "reason", "said"),
    [
        ("http://proxy:port", "", "the proxy that the environment names is no address"),
        ("http://ada:secret@proxy:3128", "", "http://proxy:3128 is used for https://api"),
        ("http://proxy:3128", "refused", "http://proxy:3128, which https://api is asked through"),
    ],
)
def test_a_proxy_is_named_without_its_password(monkeypatch, proxy, reason, said):
    if not proxy.endswith("port"):
        monkeypatch.setattr(way, "_unreached", lambda _: reason)
    assert way._through(proxy, "https://api").message.startswith(said)


# Looks side by side


def test_what_takes_too_long_is_left_and_said_so():
    def endless():
        yield fine("API", "reached")
        while monotonic() < until:
            pass
        yield fine("API", "at last")

    until = monotonic() + 0.2
    (first, late) = looks.side_by_side({"API": endless()}, [], 0.05)
    assert (first.message, late.message) == (
        "reached",
        "nothing more was heard within 0.05 seconds",
    )


def test_an_error_of_a_look_is_not_lost():
    def broken():
        yield from ()
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        looks.side_by_side({"API": broken()}, [], 5)


# The archive


def test_a_disk_that_is_full_or_fails_is_told(monkeypatch, tmp_path):
    configuration = load(small(tmp_path / "job").folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 << 20))
    assert archive._writing(configuration).message.startswith("only 3 MiB are free where")
    monkeypatch.setattr(archive, "try_to_write", failing(OSError(errno.EIO, "Input/output error")))
    assert "cannot be written: " in archive._writing(configuration).message
