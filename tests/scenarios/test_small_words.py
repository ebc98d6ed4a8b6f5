"""What is said where something is odd, on values alone."""

import errno
import os
import resource
import signal
import sys
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from smtplib import SMTPResponseException
from types import SimpleNamespace

import openpyxl
import pytest

import reportgen.__main__ as program
from reportgen.archive import access, history, inspection
from reportgen.archive.draft import REPLACING
from reportgen.commands.doctor.doctor import _configured
from reportgen.commands.explain.text import _corrected, _sentences
from reportgen.commands.explain.values import _price
from reportgen.commands.init import discover
from reportgen.commands.send.carry import _too_large
from reportgen.commands.verify import _of_bytes
from reportgen.core.allocating.directory import principal_of
from reportgen.core.cycle import cycle_between
from reportgen.core.problem import Rejected
from reportgen.core.written import privacy
from reportgen.delivery import answers
from reportgen.documents import limits
from reportgen.documents.exports import journal
from reportgen.documents.pdf import fetcher, glyphs, installed
from reportgen.documents.templating.rows import RowError, padded
from reportgen.documents.templating.sandbox import _field
from reportgen.documents.xlsx import people
from reportgen.operations import cycles, starting
from reportgen.operations.building import archived
from reportgen.operations.building.inputs import _interrupted
from reportgen.operations.interruption import INTERRUPTED
from reportgen.operations.sealed import drift, sealing
from reportgen.operations.sealed.verification import OtherVersion, Verified
from reportgen.sources.api import permissions, versions
from reportgen.sources.config import json_schema
from reportgen.sources.config.configuration import load
from tests.documents import beech
from tests.scenarios.job import small


def ended(code: int) -> None:
    raise ZeroDivisionError(code)


@pytest.fixture
def as_program(monkeypatch):
    """Let the program run here, and tell by which code it would end at once."""
    monkeypatch.setattr(os, "_exit", ended)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(
    ("error", "code"),
    [(SystemExit(INTERRUPTED), INTERRUPTED), (OSError(errno.ENOSPC, "No space left"), 1)],
)
def test_the_program_ends_at_once_where_nothing_more_can_be_done(
    as_program, monkeypatch, error, code
):
    def main() -> None:
        raise error

    monkeypatch.setattr("reportgen.cli.main", main)
    with pytest.raises(ZeroDivisionError, match=str(code)):
        program.run()


def test_a_stream_that_is_closed_leads_nowhere(monkeypatch):
    opened = []

    def closed(_: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "fstat", closed)
    monkeypatch.setattr(os, "open", lambda *_: opened.append(1))
    program._open_streams()
    assert len(opened) == 3
    monkeypatch.undo()
    monkeypatch.setattr(sys, "stderr", None)
    program._open_streams()
    assert sys.stderr.name == os.devnull
    sys.stderr.close()


def test_what_is_not_there_has_no_mode(tmp_path):
    assert access._mode(tmp_path / "nothing") == 0


def test_a_draft_that_was_half_replaced_is_not_read(tmp_path):
    (tmp_path / REPLACING).write_bytes(b"")
    with pytest.raises(OSError, match="a build was ended"):
        history._built(tmp_path, directly_before=True)


def test_a_folder_that_is_named_otherwise_stands_by_itself(tmp_path):
    assert history._standing(tmp_path / "other") == tmp_path / "other"


def test_a_configuration_in_an_archive_is_told_by_doctor(tmp_path):
    inside = tmp_path / "2025-12-05" / "inputs" / "config"
    inside.mkdir(parents=True)
    (inside / "chargeback.yaml").write_text("", encoding="utf-8")
    (inside.parent / "cycle.json").write_text("{}", encoding="utf-8")
    configuration, (finding,) = _configured(inside)
    assert configuration is None
    assert finding.health == "problem"


# Explanations


def test_a_line_without_rule_or_price_says_so():
    line = {
        "number": 1,
        "kind": "unallocated",
        "product": "devin",
        "acus": "1.0000",
        "unit_price": None,
        "amount": "0.00",
        "records": [],
        "sources": {},
        "rounded_together": None,
        "exact_amount": "0",
        "rounding": "0",
        "effective_price": None,
    }
    first, second, *_ = _sentences(line, 2, "USD")
    assert first == "Line 1 of 2: unallocated, devin, 1.0000 ACUs without a price = USD 0.00"
    assert second.startswith("No rule covers these records")
    assert _price(None, 2) is None


def test_a_change_that_is_rounded_alone_is_told():
    stood = {"amount": "1.00", "exact_amount": "1", "folder": "2025-12-05"}
    stood |= {"exact_change": "0.5", "change": "0.50"}
    line = {"stood": stood, "exact_amount": "1.5", "rounding": "0", "rounded_together": None}
    assert _corrected(line).endswith("the change is exactly 0.5, so 0.50.")


def test_other_bytes_are_told_with_the_versions():
    version = OtherVersion(name="pydyf", then="0.1", now="0.2")
    result = Verified(
        folder=Path("2025-12-05"), seal=None, other_bytes=("a.pdf",), other_versions=(version,)
    )
    (problem,) = _of_bytes(result)
    assert problem.warning
    assert problem.hint == "the versions are others: pydyf 0.1 then, 0.2 now"


# Mail


def test_why_a_connection_broke_is_said():
    assert answers.cause(TimeoutError()) == "no answer in time"
    assert answers.cause(SMTPResponseException(421, b"closing")) == "421 closing"
    assert answers.without("a is a", ["a"]) == "a is a"


@dataclass
class Told:
    state: str = ""
    at: str = ""
    said: str = ""


def test_what_is_too_large_for_the_server_has_failed():
    told = _too_large(Told(), 9000, SimpleNamespace(now=lambda: "now"))
    assert (told.state, told.said) == (
        "failed",
        "not sent: it is larger than the 9000 bytes that the server takes",
    )


# Documents


def test_names_may_be_shown():
    statement = beech.derived().statement
    assert privacy.without_titles(statement, "names") is statement
    untagged = SimpleNamespace(rows=())
    assert privacy._by_tag(untagged, frozenset()) is untagged


def test_journals_are_of_one_currency():
    statement = SimpleNamespace(heading=SimpleNamespace(currency="EUR"))
    material = SimpleNamespace(statement=statement, folder=Path("2025-12-05"))
    with pytest.raises(Rejected, match="is charged in EUR, and the cycle before in USD"):
        journal._refuse_another_currency(material, SimpleNamespace(currency="USD"))


def test_where_the_system_tells_no_address_space_there_is_no_limit(monkeypatch):
    given = []
    monkeypatch.setattr(limits, "Path", lambda _: Path("/nowhere"))
    monkeypatch.setattr(limits, "_limit", lambda what, _: given.append(what))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    before = limits._Limits.seconds, limits._Limits.grace
    limits.limit_this_process()
    limits._Limits.seconds, limits._Limits.grace = before
    assert given == [resource.RLIMIT_CORE]


def test_a_library_that_is_missing_is_told_with_its_package(monkeypatch):
    monkeypatch.setattr(installed, "_loaded", lambda name: None if name == "pango" else object())
    (problem,) = installed.missing_libraries()
    assert problem.message.startswith("the library pango cannot be found")
    assert problem.hint.endswith("`apt-get install libpango-1.0-0`")


def test_a_picture_that_is_no_xml_asks_for_nothing():
    assert fetcher._fault_within(b"<svg") == ""


def test_signs_are_replaced_in_sets_too():
    assert glyphs._replaced(frozenset({"ab"}), {ord("a"): "x"}) == frozenset({"xb"})


def test_a_row_is_not_longer_than_its_table():
    with pytest.raises(RowError, match="2 values are more than the 1 columns"):
        padded(["a", "b"], 1)


def test_where_the_memory_ends_is_nobodys_field():
    class Full:
        @property
        def all(self) -> None:
            raise MemoryError

    with pytest.raises(MemoryError):
        _field(Full(), "all")


@pytest.mark.parametrize(
    ("value", "written", "form"),
    [
        (date(1800, 1, 1), "1800-01-01", people.TEXT),
        (date(2025, 12, 5), date(2025, 12, 5), people.DAY),
        (Decimal("1.5"), Decimal("1.5"), people.EXACT),
    ],
)
def test_a_day_is_one_where_excel_has_it(value, written, form):
    cell = openpyxl.Workbook().active["A1"]
    people._write(cell, value)
    assert (cell.value, cell.number_format) == (written, form)


# Cycles


def test_an_interrupted_fetch_is_warned_of():
    assert _interrupted(Path("2025-12-05")).warning


def test_a_range_has_no_gap(tmp_path):
    one = cycle_between(1764921600, 1767600000)
    with pytest.raises(Rejected, match="lies in the range, and has not been collected"):
        cycles._refuse_gaps(tmp_path, [one])


def test_the_contract_day_gives_the_days_of_collected_cycles(tmp_path):
    configuration = load(small(tmp_path / "job").folder)
    assert cycles._of_contract(configuration, ["2025-12-05"]) == []
    source = configuration.settings.source.model_copy(update={"cycle_day": 5})
    settings = configuration.settings.model_copy(update={"source": source})
    changed = replace(configuration, settings=settings)
    (one,) = cycles._of_contract(changed, ["2025-12-05"])
    assert (one.start, one.end) == (date(2025, 12, 5), date(2026, 1, 5))


# Archives


def test_a_seal_cannot_be_held_against_what_has_none(tmp_path):
    closed = [inspection.Inspected(folder=tmp_path / "2025-12-05", link=None, faults=())]
    fault = inspection.of_paper(closed, "", "0123456789abcdef")
    assert fault.message == "it cannot be held against the seal given"


@pytest.mark.parametrize(
    ("name", "number", "stands", "said"),
    [
        ("2025-12-05.c2", 1, "2025-12-05", "it is of another correction"),
        ("2025-12-05.c1", 1, "2025-11-05", "it corrects 2025-11-05"),
    ],
)
def test_a_correction_stands_upon_what_it_corrects(
    monkeypatch, tmp_path, name, number, stands, said
):
    correcting = SimpleNamespace(number=number, standing=SimpleNamespace(folder=stands, seal=""))
    monkeypatch.setattr(inspection, "decode", lambda _: SimpleNamespace(correcting=correcting))
    link = SimpleNamespace(folder=tmp_path / name)
    assert [one.message for one in inspection._of_correction(link)] == [said]


def test_what_was_closed_before_there_was_a_text_has_none(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert archived._readme(tmp_path, None) == {}


def test_what_comes_to_something_else_is_not_sealed():
    derived = beech.derived()
    whole = derived.statement
    other = replace(whole, tie_out=replace(whole.tie_out, unpriced_acus=Decimal(9)))
    with pytest.raises(sealing.NotReproducedError):
        sealing._check_same(derived, SimpleNamespace(statement=other))


def test_who_is_answered_otherwise_is_named():
    directory = SimpleNamespace(entries={})
    said = drift._of_user(principal_of("user", "ada"), {}, directory)
    assert said == '"ada" is answered otherwise'


# Beginning


def test_a_folder_that_cannot_be_written_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Rejected, match="this folder cannot be written"):
        starting.refuse_wrong_place(tmp_path)


def test_what_a_configuration_says_already_is_not_said_again(tmp_path):
    folder = small(tmp_path / "job").folder
    with pytest.raises(Rejected, match="leave out --base-url, or name another folder"):
        discover._source_of(folder, {"base_url": "https://api"})
    text = (folder / "chargeback.yaml").read_text(encoding="utf-8")
    changed = text.replace("rates: rates.yaml", "rates: prices.yaml")
    (folder / "chargeback.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(Rejected, match="names other files than"):
        discover._source_of(folder, {})


# The schema


def test_a_kind_that_no_schema_has_is_our_own_mistake():
    with pytest.raises(TypeError, match="no JSON Schema for"):
        json_schema._bare(complex)


def test_nothing_may_stand_wherever_something_may():
    assert json_schema._or_null({"$ref": "x"}) == {"anyOf": [{"$ref": "x"}, {"type": "null"}]}


# Both versions of the API


def test_each_version_is_asked_for_the_other():
    v2 = SimpleNamespace(api="v2", prefix="")
    asked = permissions.of_the_other_version(SimpleNamespace(api="v2", prefix="/devin"))
    assert asked.endpoint.startswith("/devin/")
    cycle = cycle_between(1764921600, 1767600000)
    question = SimpleNamespace(cycle=cycle)
    (request,) = versions.principal_totals(v2, question, [principal_of("user", "ada")])
    assert "ada" in request.target
