"""Messages to a server that fails, by a client that is killed: none goes twice, none is lost."""

import os
import signal
from collections import Counter
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from reportgen.archive.outbox import opened_outbox, outbox_of, read_outbox
from reportgen.core.cycle import BillingCycle
from reportgen.core.delivery import Delivery, interrupted, latest, queued, sent_again
from reportgen.delivery.server import MailFailure, MailServer, Patience
from reportgen.operations.context import Context
from reportgen.operations.mail import courier as carrying
from reportgen.operations.mail.courier import Courier, Parcel
from reportgen.terminal import Terminal
from tests.postoffice import DROP, END, TAKEN_DROP, USER, open_office
from tests.weight import heavy_but

CYCLE = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=0, before=0)
NAMES = ("ada", "bob", "eve")
VERBS = ("EHLO", "MAIL", "RCPT", "DATA", "RSET", END, "QUIT")
STEPS = 47
"""On the disk and to the server, of a run of three messages."""
SHORT = Patience(connect=5, command=5, block=5, last=5)


class Clock:
    """Stands still but for the waits that are asked for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_767_952_800 + sum(self.waits), UTC)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return outbox_of(tmp_path, CYCLE)


def deliveries() -> list[Delivery]:
    return [
        Delivery(
            cost_center=name, number="N", document=name, recipient=f"{name}@x.example", seal="s"
        )
        for name in NAMES
    ]


def content(message_id: str) -> bytes:
    return f"Message-ID: {message_id}\r\n\r\n".encode() + b"a line\r\n" * 3000


def run(path: Path, port: int, clock: Clock | None = None, resend: bool = False, **told) -> None:
    """Do what the command does with an outbox."""
    clock = clock or Clock()
    context = Context(
        now=clock.now, sleep=clock.sleep, environment={}, terminal=Terminal(quiet=True)
    )
    server = MailServer(host="127.0.0.1", source="c:1", security="plain", port=port, patience=SHORT)
    messenger = Courier(server, USER, told.get("per_minute"), context)
    with opened_outbox(path) as outbox:
        outbox.record(*interrupted(outbox.known, clock.now()))
        outbox.record(*queued(deliveries(), outbox.known, clock.now(), "x.example"))
        for one in deliveries() if resend else ():
            if outbox.known[one.key].state != "sent":
                outbox.record(*sent_again([one], outbox.known, clock.now(), "x.example"))
        due = [one for one in outbox.known.values() if one.state == "pending"]
        parcels = [
            Parcel(
                dispatch=one,
                content=lambda name=one.message_id: content(name),
                files={"N.pdf": "hash"},
                weight=1,
            )
            for one in due
        ]
        try:
            messenger.deliver(parcels, outbox)
        finally:
            messenger.close()


def states(path: Path) -> dict[str, str]:
    known = latest(read_outbox(path))
    return {one.delivery.cost_center: one.state for one in known.values()}


def once(answer, *verbs):
    """Fail the first time that one of some verbs comes."""
    left = [1]

    def fault(verb, argument):
        if verb in verbs and left:
            left.pop()
            return answer
        return None

    return fault


def account(path: Path, office) -> None:
    """Nothing twice, nothing lost: each is there once, known to be uncertain, or to come."""
    taken = Counter(recipient for _, recipient in office.names())
    assert max(taken.values(), default=1) == 1
    for name, state in states(path).items():
        there = taken[f"{name}@x.example"]
        nobody_knows = state in {"in_flight", "uncertain"}
        assert there == 1 if state == "sent" else nobody_knows or there == 0, (name, state)


# A server that does what it should, or not at once


def test_all_go_over_one_connection_and_what_was_said_is_kept(path):
    with open_office() as office:
        run(path, office.port)
        assert office.connections == 1
    lines = read_outbox(path)
    assert [(one.delivery.cost_center, one.state) for one in lines[:3]] == [
        (name, "pending") for name in NAMES
    ]
    assert [(one.delivery.cost_center, one.state, one.said) for one in lines[3:]] == [
        line
        for number, name in enumerate(NAMES, start=1)
        for line in ((name, "in_flight", ""), (name, "sent", f"250 2.0.0 taken as {number}"))
    ]
    assert {tuple(one.files.items()) for one in lines[3:]} == {(("N.pdf", "hash"),)}


def test_a_second_run_sends_nothing(path):
    with open_office() as office:
        run(path, office.port)
        run(path, office.port)
        assert len(office.received) == 3


def test_a_refused_recipient_stops_nobody_else(path):
    with open_office() as office:
        office.fault = lambda verb, said: (
            "550 5.1.1 nobody" if verb == "RCPT" and "bob" in said else None
        )
        run(path, office.port)
        assert states(path) == {"ada": "sent", "bob": "failed", "eve": "sent"}
        office.fault = lambda verb, said: None
        run(path, office.port)
        assert states(path)["bob"] == "failed"
        run(path, office.port, resend=True)
        assert states(path)["bob"] == "sent"
        account(path, office)


def test_a_greylist_is_waited_for_and_only_what_is_unsent_is_tried_again(path):
    seen = Counter()

    def greylisted(verb, said):
        if verb == "RCPT" and "bob" not in said:
            seen[said] += 1
            return "451 4.7.1 come back" if seen[said] < 3 else None
        return None

    clock = Clock()
    with open_office() as office:
        office.fault = greylisted
        run(path, office.port, clock)
        assert set(states(path).values()) == {"sent"}
        account(path, office)
    assert clock.waits == list(carrying.WAITS[:2])
    assert office.received[0].recipients == ("bob@x.example",)


def test_what_is_put_off_for_ever_is_left_and_names_stay_the_same(path):
    clock = Clock()
    with open_office() as office:
        office.fault = lambda verb, said: "451 4.7.1 come back" if verb == "RCPT" else None
        run(path, office.port, clock)
        assert set(states(path).values()) == {"pending"}
        assert clock.waits == list(carrying.WAITS)
        names = {one.message_id for one in read_outbox(path)}
        assert len(names) == 3
        office.fault = lambda verb, said: None
        run(path, office.port)
        assert {name for name, _ in office.names()} == names
        account(path, office)


def test_a_server_that_stays_away_is_not_asked_for_every_message(path, monkeypatch):
    monkeypatch.setattr(carrying, "WAITS", ())
    monkeypatch.setattr(carrying, "MOST_BROKEN", 2)
    with open_office() as office:
        office.fault = lambda verb, said: DROP if verb == "MAIL" else None
        run(path, office.port)
        assert set(states(path).values()) == {"pending"}
        assert office.connections == 2


def test_a_server_that_never_answers_for_a_message_gets_no_more_of_them(path, monkeypatch):
    monkeypatch.setattr(carrying, "MOST_BROKEN", 2)
    clock = Clock()
    with open_office() as office:
        office.fault = lambda verb, said: DROP if verb == END else None
        run(path, office.port, clock)
        assert states(path) == {"ada": "uncertain", "bob": "uncertain", "eve": "pending"}
    assert clock.waits == []


def test_a_connection_that_was_hung_up_meanwhile_is_called_again_at_once(path):
    clock = Clock()
    with open_office() as office:
        office.fault = lambda verb, said: (
            "421 4.4.2 too many messages in this connection"
            if verb == "MAIL" and len(office.received) == office.connections
            else None
        )
        run(path, office.port, clock)
        assert len(office.received) == office.connections == 3
    assert clock.waits == []


def test_a_sender_that_is_refused_ends_the_run_and_all_stays_to_be_sent(path):
    with open_office() as office:
        office.fault = lambda verb, said: (
            "550 5.7.60 not as this sender" if verb == "MAIL" else None
        )
        with pytest.raises(MailFailure):
            run(path, office.port)
        assert set(states(path).values()) == {"pending"}


def test_a_pace_is_kept(path):
    clock = Clock()
    with open_office() as office:
        run(path, office.port, clock, per_minute=30)
    assert clock.waits == [2.0, 2.0]


# Connections that break


@pytest.mark.quick(6)
@pytest.mark.parametrize("answer", [DROP, "421 4.3.2 closing", "nonsense"])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != END])
def test_a_break_at_any_command_is_made_good(path, verb, answer):
    with open_office() as office:
        first = iter([True])
        office.fault = lambda asked, said: (
            answer if asked == verb and len(office.received) == 1 and next(first, False) else None
        )
        run(path, office.port)
        assert set(states(path).values()) == {"sent"}
        account(path, office)


@pytest.mark.parametrize("answer", [DROP, TAKEN_DROP])
def test_a_break_after_the_message_is_never_made_good_by_itself(path, answer):
    with open_office() as office:
        office.fault = once(answer, END)
        run(path, office.port)
        run(path, office.port)
        assert states(path) == {"ada": "uncertain", "bob": "sent", "eve": "sent"}
        assert len(office.received) == (3 if answer == TAKEN_DROP else 2)
        account(path, office)
        run(path, office.port, resend=True)
        assert set(states(path).values()) == {"sent"}
        names = Counter(office.names())
        again = {name for name, count in names.items() if count > 1}
        assert {recipient for _, recipient in again} <= {"ada@x.example"}, "under the same name"


def test_a_server_that_is_killed_before_its_answer_leaves_it_uncertain(path):
    fork = get_context("fork")
    told, telling = fork.Pipe(duplex=False)
    server = fork.Process(target=_served_until_a_message, args=(telling,))
    server.start()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(carrying, "WAITS", ())
        run(path, told.recv())
    server.join()
    assert server.exitcode == -signal.SIGKILL
    assert states(path) == {"ada": "uncertain", "bob": "pending", "eve": "pending"}
    with open_office() as office:
        run(path, office.port)
        assert states(path) == {"ada": "uncertain", "bob": "sent", "eve": "sent"}
        account(path, office)


def _served_until_a_message(telling) -> None:
    def fault(verb, said):
        if verb == END:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_office() as office:
        office.fault = fault
        telling.send(office.port)
        signal.pause()


# A client that is killed


def _killed(path: Path, port: int, after: int) -> bool:
    """Run in a process that is killed before one of its steps on the disk or to the server."""
    fork = get_context("fork")
    process = fork.Process(target=_counted, args=(path, port, after))
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def _counted(path: Path, port: int, after: int) -> None:
    taken = 0

    def counted(call):
        def step(*arguments, **named):
            nonlocal taken
            if taken == after:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1
            return call(*arguments, **named)

        return step

    from smtplib import SMTP  # noqa: PLC0415 - of the process that is killed

    SMTP.send = counted(SMTP.send)
    SMTP.getreply = counted(SMTP.getreply)
    for name in ("fsync", "write", "ftruncate"):
        setattr(os, name, counted(getattr(os, name)))
    run(path, port)


@pytest.mark.parametrize("after", heavy_but(0, range(STEPS + 1)))
def test_a_kill_at_any_step_sends_nothing_twice_and_loses_nothing(path, after):
    with open_office() as office:
        came_to_it = _killed(path, office.port, after)
        assert came_to_it is (after < STEPS)
        if path.exists():
            account(path, office)
        run(path, office.port)
        account(path, office)
        assert set(states(path).values()) <= {"sent", "uncertain"}
        assert Counter(states(path).values())["uncertain"] <= 1


def test_a_kill_after_the_message_and_before_its_answer_is_uncertain(path):
    """The steps of a first message: begun, MAIL, RCPT, in flight, DATA, its bytes, its end."""
    found = set()
    for after in range(14, 24, 3):
        with open_office() as office:
            own = path.with_name(f"{after}.jsonl")
            assert _killed(own, office.port, after)
            run(own, office.port)
            account(own, office)
            found |= set(states(own).values())
    assert found == {"sent", "uncertain"}


def test_two_at_once_send_nothing_twice(path):
    fork = get_context("fork")
    with open_office() as office:
        both = [fork.Process(target=_one_of_two, args=(path, office.port)) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(one.exitcode for one in both) in ([0, 0], [0, 3])
        assert len(office.received) == 3
        account(path, office)


def _one_of_two(path: Path, port: int) -> None:
    from reportgen.core.problem import Rejected  # noqa: PLC0415 - of the other process

    try:
        run(path, port)
    except Rejected:
        os._exit(3)
