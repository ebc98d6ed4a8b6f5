"""What commands say where something is odd, tried on values or on one call."""

import errno
import json
import ssl
import sys
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest

from reportgen.commands.diff.diff import _of_correction
from reportgen.core.problem import Rejected
from reportgen.delivery.server import MailFailure
from reportgen.documents.exports import layouts
from reportgen.documents.exports.focus.invoices import Periods
from reportgen.documents.templating.templates import _refuse_folder
from reportgen.operations import bug_report, connect, discovering, failure
from reportgen.operations.building import drafts, readiness
from reportgen.operations.context import Context
from reportgen.operations.failure import WrongUsage
from reportgen.operations.mail import letters, mail_server
from reportgen.operations.mail.courier import _Upcoming
from reportgen.operations.mail.letters import Letter
from reportgen.operations.sealed.pack import _corrected
from reportgen.sources.api import client
from reportgen.sources.config.schema import EmailSection
from reportgen.terminal import Terminal
from tests.documents import beech
from tests.documents.exports.materials import of_grove


def context() -> Context:
    return Context(
        now=lambda: datetime(2026, 1, 9, tzinfo=UTC), environment={}, terminal=Terminal(quiet=True)
    )


def test_whoever_closed_the_pipe_has_seen_enough(monkeypatch, tmp_path):
    def broken(_: Context) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert failure.told(broken, context()) == 0


def test_a_checkout_that_was_never_installed_names_no_libraries(monkeypatch):
    def fail(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(bug_report, "requires", fail)
    assert list(bug_report._libraries()) == []


def test_a_folder_of_templates_that_is_not_listed_is_refused():
    error = OSError(errno.EACCES, "Permission denied", "templates")
    with pytest.raises(Rejected, match="templates: cannot be read: permission denied; allow it"):
        _refuse_folder(error)


def test_versions_of_something_else_are_none():
    assert readiness.versions_in(b"{") == {}


def test_signs_that_no_font_has_are_told_before_anything_is_drawn(monkeypatch):
    monkeypatch.setattr(readiness.installed, "lacking", lambda _: frozenset("\U0001f600"))
    configuration = SimpleNamespace(fonts=())
    (warning,) = readiness.undrawable([beech.task("R-1.pdf")], configuration)
    assert warning.warning


def test_what_no_draft_has_written_is_named_and_left(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(drafts, "foreign", lambda _: [f"mine-{n}.txt" for n in range(9)])
    drafts._tell_foreign(tmp_path, context())
    said = capsys.readouterr().err
    assert "leaves it alone: " in said
    assert f" and {9 - drafts.MOST_NAMED} more" in said


def test_a_token_in_clear_text_is_warned_of():
    problem = connect._plain(SimpleNamespace(base_url_source="chargeback.yaml:4"))
    assert problem.warning
    assert problem.source == "chargeback.yaml:4"


def test_a_proxy_that_is_no_address_is_not_elsewhere():
    assert connect._is_elsewhere("http://a:b:c") is False


def test_a_text_of_ours_is_there_once():
    assert discovering._replaced("a: 1\n", r"a: \d", "a: 2") == "a: 2\n"
    with pytest.raises(ValueError, match="b"):
        discovering._replaced("a: 1\n", "b", "c")


def test_what_is_no_correction_is_compared_with_nothing():
    with pytest.raises(WrongUsage, match="is no correction"):
        _of_correction(SimpleNamespace(correcting=None), Path("2025-12-05"), context())


def test_a_pack_says_how_corrections_are_checked():
    link = SimpleNamespace(folder=Path("2025-12-05.c1"), seal="0" * 64)
    assert f"  2025-12-05.c1  {'0' * 64}" in _corrected([link])


def test_a_message_that_cannot_be_put_together_is_told_in_its_turn():
    def fail() -> bytes:
        raise ValueError("planted")

    upcoming = _Upcoming(iter([SimpleNamespace(content=fail)]))
    upcoming.prepare()
    with pytest.raises(ValueError, match="planted"):
        upcoming.take()


def test_a_file_that_was_changed_is_not_mailed(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"changed")
    letter = SimpleNamespace(folder=tmp_path, files={"a.pdf": "0" * 64})
    with pytest.raises(Rejected, match=r"a\.pdf: was changed since it was to be sent"):
        Letter.content(letter, "a.pdf")


def test_a_layout_whose_process_was_ended_is_named(monkeypatch):
    class Ended:
        def __init__(self, *_: object, **__: object) -> None:
            raise BrokenExecutor

    monkeypatch.setattr(layouts, "ProcessPoolExecutor", Ended)
    name = f"{layouts.FOLDER}mine{layouts.SUFFIX}"
    with pytest.raises(Rejected, match="was ended by the system"):
        layouts.filled_apart(None, "mine", {name: "{{ 1 }}"})


def test_a_token_of_the_environment_is_looked_at_before_it_is_said():
    def fetched(token: str) -> str:
        named = EmailSection.model_construct(token_env="MAIL_TOKEN")
        configured = SimpleNamespace(email_sources={"token_env": "chargeback.yaml:9"})
        here = replace(context(), environment={"MAIL_TOKEN": token})
        return mail_server._fetch(named, configured, here, 1.0)()

    assert fetched("ey.J0") == "ey.J0"
    with pytest.raises(MailFailure) as caught:
        fetched("two words")
    told = str(caught.value.problem)
    assert told.startswith("chargeback.yaml:9: the environment variable MAIL_TOKEN holds what is")
    assert "two words" not in told


def test_an_email_says_no_other_figure_than_was_sealed(small_build, tmp_path):
    sealed = (small_build.folder / "statement.json").read_bytes()
    (tmp_path / "statement.json").write_bytes(sealed)
    letters._refuse_other_words(tmp_path, sealed)
    values = json.loads(sealed)
    values["cost_centers"][0]["amount"] = "0.01"
    with pytest.raises(Rejected) as caught:
        letters._refuse_other_words(tmp_path, json.dumps(values).encode())
    assert "this version would say another figure than was sealed" in str(caught.value.problems[0])


def test_a_period_that_is_met_twice_is_closed_where_one_says_so():
    periods = Periods()
    for closed in (True, False):
        periods.meet(of_grove(closed=closed))
    (row,) = periods.rows()
    assert "Closed" in row
    assert "Open" not in row


def test_a_proxy_that_cannot_be_used_is_told():
    connection = client.Connection(
        base_url="https://api.example",
        tokens={},
        append=lambda _: None,
        now=lambda: datetime(2026, 1, 9, tzinfo=UTC),
        progress=lambda *_: None,
        proxy="gopher://proxy.example",
    )
    with pytest.raises(client.ApiFailure) as caught:
        client._client(connection, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert "the proxy that the environment names cannot be used" in str(caught.value.problem)
