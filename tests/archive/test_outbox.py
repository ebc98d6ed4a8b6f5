"""The outbox on the disk: whole lines or none, one writer, and no step after which it lies."""

import errno
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from reportgen.archive.outbox import opened_outbox, outbox_of, read_outbox
from reportgen.core.cycle import BillingCycle
from reportgen.core.delivery import Delivery, latest, queued
from reportgen.core.problem import Rejected
from tests.archive.killing import killed, steps_of

NOW = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
ADA = Delivery(cost_center="A", number="N", document="d", recipient="ada@x.example", seal="s")
(PENDING,) = queued([ADA], {}, NOW, "acme.example")
SENT = replace(PENDING, state="sent", said="250 ok", files={"invoices/N.pdf": "d"})
STEPS = (PENDING, replace(PENDING, state="in_flight"), SENT)


@pytest.fixture
def path(tmp_path):
    cycle = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=0, before=0)
    return outbox_of(tmp_path / "archive", cycle)


def written(path):
    with opened_outbox(path) as outbox:
        for one in STEPS:
            outbox.record(one)
    return path


def test_what_is_recorded_is_read_as_it_was(path):
    assert path.name == "2025-12-05.jsonl"
    assert read_outbox(written(path)) == list(STEPS)
    with opened_outbox(path) as outbox:
        assert outbox.known == latest([SENT])


def test_it_is_lines_that_anybody_can_read(path):
    lines = [json.loads(line) for line in written(path).read_text().splitlines()]
    assert [line["state"] for line in lines] == ["pending", "in_flight", "sent"]
    assert lines[2]["files"] == {"invoices/N.pdf": "d"}
    assert lines[0]["at"] == "2026-01-09T10:00:00Z"


def test_it_is_for_its_owner(path):
    os.umask(os.umask(0))
    assert stat.S_IMODE(written(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    other = path.with_name("2026-01-05.jsonl")
    with opened_outbox(other, group=True):
        assert stat.S_IMODE(other.stat().st_mode) == 0o640


def test_no_two_runs_write_to_it(path):
    with opened_outbox(path), pytest.raises(Rejected) as caught, opened_outbox(path):
        pass
    assert "another run is sending" in str(caught.value)
    assert read_outbox(path) == []


@pytest.mark.parametrize("length", [1, 20, -1])
def test_a_line_that_a_crash_tore_is_cut_off(path, length):
    whole = written(path).read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    path.write_bytes(whole + last[:length])
    assert read_outbox(path) == list(STEPS)
    with opened_outbox(path) as outbox:
        outbox.record(SENT)
    assert read_outbox(path) == [*STEPS, SENT]


@pytest.mark.parametrize("line", [b"{}\n", b"\xff\n", b"[" * 100_000 + b"\n", b'{"state": "sen\n'])
def test_a_line_that_says_nothing_stops_everything(path, line):
    whole = written(path).read_bytes()
    path.write_bytes(line + whole)
    for opening in (read_outbox, lambda path: opened_outbox(path).__enter__()):
        with pytest.raises(Rejected) as caught:
            opening(path)
        assert [problem.source for problem in caught.value.problems] == [f"{path}:1"]
    assert path.read_bytes() == line + whole


def test_a_disk_that_is_full_leaves_no_half_line(path, monkeypatch):
    written(path)
    with opened_outbox(path) as outbox:
        write = os.write

        def short(descriptor, content):
            if len(content) > 10:
                return write(descriptor, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", short)
        with pytest.raises(OSError, match="No space") as caught:
            outbox.record(PENDING)
        monkeypatch.undo()
        assert caught.value.filename == str(path)
        assert outbox.known == latest([SENT])
        outbox.record(SENT)
    assert read_outbox(path) == [*STEPS, SENT]


def test_nothing_behind_a_link_is_written(path, tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Rejected), opened_outbox(path):
        pass
    path.parent.unlink()
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere" / "file")
    with pytest.raises(OSError, match="symbolic"), opened_outbox(path):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_kill_at_any_step_leaves_what_was_known_before_it_or_after_it(tmp_path):
    cycle = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=0, before=0)
    steps = steps_of(written, outbox_of(tmp_path / "all", cycle))
    assert steps >= len(STEPS)
    for after in range(steps):
        path = outbox_of(tmp_path / str(after), cycle)
        assert killed(written, path, after)
        known = read_outbox(path)
        assert known == list(STEPS[: len(known)])
        with opened_outbox(path) as outbox:
            outbox.record(SENT)
        assert read_outbox(path)[-1] == SENT
