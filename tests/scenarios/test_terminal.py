"""What is written to a terminal, how a command ends that is interrupted, and what it tells."""

import errno
import io
import logging
import os
import signal
import sys
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import pytest

import reportgen.__main__ as program
from reportgen import resources
from reportgen.core.model import Discrepancy
from reportgen.operations import interruption
from reportgen.operations.building import drawing
from reportgen.operations.building.outcome import _unpriced, disagreements, tell_outcome
from reportgen.operations.context import Context
from reportgen.terminal import Terminal
from tests.documents import beech


class Screen(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


def test_a_bar_counts_what_is_done(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with Terminal(quiet=False).progress("Rendering documents") as advance:
        for done in (1, 3):
            advance(done, 4)
    assert "Rendering documents" in screen.getvalue()
    assert "/4" in screen.getvalue()


class Full(io.StringIO):
    """A disk without room, or a reader that is gone."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def flush(self) -> None:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "standard output"), (errno.EPIPE, "")])
def test_a_result_that_cannot_be_written_is_an_error(monkeypatch, number, said):
    monkeypatch.setattr(sys, "stdout", Full(number))
    with pytest.raises(OSError, match=said or None):
        Terminal(quiet=False).result("a line")


def test_what_nobody_can_be_told_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full(errno.ENOSPC))
    Terminal(quiet=False).say("a line")


# Where the program is


def test_samples_come_with_the_program():
    assert (resources.samples() / "acme" / "responses.jsonl").is_file()


def test_an_installation_has_all_in_its_own_folder_or_is_told_so(monkeypatch, tmp_path):
    package = tmp_path / "site-packages" / "reportgen"
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    with pytest.raises(FileNotFoundError, match="install the package again"):
        resources._root.__wrapped__()
    (package / "share" / "templates").mkdir(parents=True)
    assert resources._root.__wrapped__() == package / "share"


# Interruptions


@pytest.fixture
def kept_handlers():
    before = {one: signal.getsignal(one) for one in (*interruption.SIGNALS, signal.SIGALRM)}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    logging.getLogger("asyncio").disabled = False
    for one, handler in before.items():
        signal.signal(one, handler)


class Worker:
    killed = 0

    def kill(self) -> None:
        Worker.killed += 1


def test_the_first_signal_interrupts_and_ends_what_draws(kept_handlers, monkeypatch):
    monkeypatch.setattr(interruption, "active_children", lambda: [Worker()])
    before = Worker.killed
    with pytest.raises(KeyboardInterrupt), interruption.interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert Worker.killed == before + 1
    assert logging.getLogger("asyncio").disabled


def test_a_child_that_hears_the_signals_of_its_command_prints_nothing(kept_handlers, capfd):
    """An executor of somebody else forks while the command's handlers are in place."""
    here, there = get_context("fork").Pipe()

    def wait() -> None:
        there.send("begun")
        os.kill(os.getpid(), signal.SIGINT)
        there.send("left to the command")
        there.recv()

    child = get_context("fork").Process(target=wait)
    with interruption.interruptible():
        child.start()
        assert (here.recv(), here.recv()) == ("begun", "left to the command")
        child.terminate()
        child.join(10)
    assert child.exitcode == -signal.SIGTERM
    assert capfd.readouterr().err == ""


def ended(code: int) -> None:
    raise SystemExit(code)


def test_what_takes_too_long_to_let_go_is_ended(monkeypatch, capfd):
    monkeypatch.setattr(interruption, "active_children", list)
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit) as caught:
        interruption._end(signal.SIGALRM, None)
    assert caught.value.code == interruption.INTERRUPTED
    assert capfd.readouterr().err == "interrupted; run it again to go on\n"


def test_an_interrupted_command_waits_for_no_thread(monkeypatch):
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit) as caught:
        program._end()
    assert caught.value.code == interruption.INTERRUPTED


def test_where_no_process_can_be_started_all_that_was_promised_ends(monkeypatch):
    before = Worker.killed
    monkeypatch.setattr(drawing, "active_children", lambda: [Worker()])
    workers = drawing._Workers(1, "fonts.conf", None)
    promised: drawing.Future[object] = drawing.Future()
    workers._promised.add(promised)
    workers.give_up()
    assert Worker.killed == before + 1
    assert "the system lets no process or thread be started" in str(promised.exception())
    workers.give_up()
    workers.shutdown()


# What is told at the end


def test_of_many_cost_centers_the_largest_stand_in_the_table(capsys):
    whole = beech.derived().statement
    (invoice, *_) = whole.invoices
    many = [
        replace(
            invoice,
            cost_center=replace(invoice.cost_center, code=f"C-{n:02}"),
            amount=Decimal(n),
            borne_acus=Decimal(2 * n),
        )
        for n in range(26)
    ]
    context = Context(now=datetime.now, environment={}, terminal=Terminal(quiet=False))
    tell_outcome(replace(whole, invoices=tuple(many)), {}, Path("archive"), context)
    said = " ".join(capsys.readouterr().out.split())
    assert [f"C-{n:02}" in said for n in range(26)] == [False] * 6 + [True] * 20
    assert said.index("C-25") < said.index("C-06")
    assert (
        "These are the largest of 26 cost centers. The other 6: 30.0000 ACUs, EUR 15.00; "
        "they stand in archive/index.html and in the statement."
    ) in said


def told(statement) -> list[str]:
    return [str(problem) for problem in disagreements(statement, "responses.jsonl")]


def test_views_that_disagree_and_a_tie_out_that_does_not_are_told():
    whole = beech.derived().statement
    off = Discrepancy(
        day=date(2025, 12, 6),
        product="devin",
        org_id="",
        principal_id="",
        acus=Decimal(2),
        views=("enterprise", "users", "sessions"),
    )
    within = replace(off, acus=Decimal(-3), views=("enterprise",))
    (one,) = told(replace(whole, discrepancies=(off,)))
    assert "disagree in 1 cell, most on 2025-12-06" in one
    assert "2.0000 ACUs, left of enterprise by users and 1 more" in one
    (two,) = told(replace(whole, discrepancies=(off, within)))
    assert "disagree in 2 cells" in two
    assert "-3.0000 ACUs, within enterprise" in two


def test_acus_without_a_price_are_charged_to_nobody():
    whole = beech.derived().statement
    unpriced = replace(whole, tie_out=replace(whole.tie_out, unpriced_acus=Decimal("1.5")))
    assert _unpriced(unpriced) == "Tie-out, unpriced: 1.5000 ACUs, charged to nobody"
    broken = replace(whole, tie_out=replace(whole.tie_out, difference_amount=Decimal(9)))
    assert any("the tie-out is not zero" in one for one in told(broken))
