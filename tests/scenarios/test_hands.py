"""Who draws elsewhere is believed or not: judged on answers, without a process or a machine."""

import os
import pickle
import signal
import socket
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import pytest

from reportgen.core.problem import Problem, Rejected
from reportgen.documents import digest, keys
from reportgen.documents.render import Drawn, Ended, NotBegun, nothing
from reportgen.operations.building import dask_scheduler, drawing, executors, hand
from reportgen.operations.unreached import Unreached
from reportgen.terminal import Terminal
from tests.documents import beech

PROOF = hand.Proof({"pango": "1.50"}, {}, "f" * 64)
OLDER = hand.Proof({"pango": "1.48"}, {}, "f" * 64)
TASK = beech.task("R-1.xlsx")
KIT = hand.Kit(beech.design(), {}, TASK)
ECHO = """
import sys

def read():
    length = sys.stdin.buffer.read(8)
    return sys.stdin.buffer.read(int.from_bytes(length, "big")) if length else sys.exit()

def write(content):
    sys.stdout.buffer.write(len(content).to_bytes(8, "big") + content)
    sys.stdout.buffer.flush()

read()
order = b""
while order != b"last":
    order = read()
    write(b"")
    if order == b"end":
        break
    write(order)
"""
"""A child that imports nothing of ours, as that takes long: it echoes, and ends over two words."""


@pytest.fixture(autouse=True)
def proved(monkeypatch):
    monkeypatch.setattr(hand, "prove", lambda _: PROOF)


def answer(result=None, proof=PROOF) -> hand.Finished:
    return hand.Finished(proof, result)


def bound(task: bytes, result=None) -> bytes:
    """Write an answer to a task as a hand does."""
    return hand._answer(task, answer(result))


class Answering(Executor):
    """Give one answer after the other, or raise it, at once; bytes stand for themselves."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), []

    def submit(self, fn, /, *args, **_):
        self.asked.append(args)
        given = self.answers.pop(0)
        if isinstance(given, ZeroDivisionError):
            raise given
        future: Future = Future()
        if given is None:
            future.cancel()
            future.set_running_or_notify_cancel()
        elif isinstance(given, BaseException):
            future.set_exception(given)
        elif isinstance(given, hand.Finished):
            future.set_result(("tcp://farm:1", hand._answer(args[2] or b"", given)))
        else:
            future.set_result(("tcp://farm:1", given))
        return future


def drawn(*answers: object):
    farm = Answering(*answers)
    return executors.OfSomebodyElse(farm, KIT).submit(None, TASK), farm


def test_who_lacks_the_kit_is_sent_it_and_believed_where_it_proves_itself():
    promised, farm = drawn(hand.LACKING, answer(Drawn(b"x")))
    assert promised.result() == Drawn(b"x")
    assert [args[1] is None for args in farm.asked] == [True, False]


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (hand.ENDED, Ended, "was ended by the system"),
        (answer(Drawn(b"x"), OLDER), NotBegun, "is refused: pango 1.48 instead of 1.50"),
        (answer(OSError("full")), OSError, "full"),
        (BrokenExecutor("gone"), BrokenExecutor, "gone"),
        (type("KilledWorker", (Exception,), {})("gone"), Ended, "was ended by the system"),
        (ValueError("odd"), NotBegun, "a worker failed before it drew: ValueError: odd"),
        (ZeroDivisionError("odd"), NotBegun, "ZeroDivisionError: odd"),
        (None, NotBegun, "the work was let go of before it was done"),
    ],
)
def test_what_comes_to_nothing_is_told_as_what_it_is(given, kind, said):
    promised, _ = drawn(given)
    with pytest.raises(kind, match=said):
        promised.result()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"rubbish", "ChildProcessError: this is no answer to what was asked"),
        ("text", "TypeError"),
        (bound(b"another task", Drawn(b"x")), "this is no answer to what was asked"),
        (bound(pickle.dumps(TASK), Drawn(b"x"))[:-1] + b"X", "this is no answer to what was asked"),
    ],
)
def test_what_is_no_answer_to_its_document_is_told_and_not_waited_for(given, said):
    """Whatever an executor gives back: no document gets into the file of another one."""
    promised, _ = drawn(given)
    with pytest.raises(
        NotBegun, match=f"what came back for a document is not its answer: .*{said}"
    ):
        promised.result(timeout=5)


def test_who_has_the_kit_and_lacks_it_is_not_sent_it_for_ever():
    promised, farm = drawn(hand.LACKING, hand.LACKING, hand.LACKING)
    with pytest.raises(NotBegun, match="is not its answer"):
        promised.result(timeout=5)
    assert len(farm.asked) == 2


def test_an_executor_that_promises_nothing_is_told():
    class Mute(Answering):
        def submit(self, *_, **__):
            return None

    promised = executors.OfSomebodyElse(Mute(), KIT).submit(None, TASK)
    with pytest.raises(NotBegun, match="a worker failed before it drew: AttributeError"):
        promised.result(timeout=5)


def test_an_executor_that_is_broken_says_so_when_it_is_asked():
    class Broken(Answering):
        def submit(self, *_, **__):
            raise BrokenExecutor("gone")

    promised = executors.OfSomebodyElse(Broken(), KIT).submit(None, TASK)
    with pytest.raises(BrokenExecutor):
        promised.result()


def test_what_nobody_waits_for_any_more_is_dropped():
    commission = executors.Commission(TASK, b"")
    commission.promised.cancel()
    commission.promised.set_running_or_notify_cancel()
    commission.fail(ValueError("late"))
    executors.OfSomebodyElse(Answering(), KIT)._returned(commission, None, Future())
    assert commission.promised.cancelled()


def test_workers_are_compared_by_an_invoice():
    listed = [TASK, beech.task("statement.pdf"), beech.task("R-1.pdf")]
    assert executors.sample_of(listed) is listed[2]
    assert executors.sample_of(listed[:2]) is listed[1]
    assert executors.sample_of(listed[:1]) is TASK


def test_an_executor_is_shut_down_whatever_it_knows(monkeypatch):
    told = []

    class Simple(Answering):
        def shutdown(self, wait=True) -> None:
            told.append(wait)

    monkeypatch.setattr(executors, "made", lambda _: Simple())
    with executors.of_somebody_else("farm:simple", KIT) as executor:
        assert executor._max_workers
    with pytest.raises(ValueError, match="planted"), executors.of_somebody_else("farm:simple", KIT):
        raise ValueError("planted")
    assert told == [True, False]


# A hand


def test_a_worker_is_named_by_dask_or_by_its_machine(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert hand.name() == f"{socket.gethostname()}:{os.getpid()}"
    worker = SimpleNamespace(address="tcp://farm:1")
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(get_worker=lambda: worker))
    assert hand.name() == "tcp://farm:1"


def test_a_child_of_the_command_ends_with_it_and_any_other_process_does_not(monkeypatch):
    ended, waited = Event(), []
    parent = SimpleNamespace(pid=7, join=lambda: waited.append("joined"))
    monkeypatch.setattr(hand, "parent_process", lambda: parent)
    monkeypatch.setattr(hand.os, "_exit", lambda code: ended.set())
    handled: list[int] = []
    monkeypatch.setattr(hand.signal, "signal", lambda number, _: handled.append(number))
    hand._belong_to.cache_clear()
    hand._belong_to(hand.process(8))
    hand._belong_to("")
    assert not waited
    hand._belong_to(hand.process(7))
    assert ended.wait(5)
    assert waited == ["joined"]
    assert handled == [signal.SIGINT, signal.SIGTERM]
    hand._belong_to.cache_clear()


@pytest.fixture
def echoing(monkeypatch):
    monkeypatch.setattr(hand, "SERVE", ECHO)
    yield
    for child in hand._Children.idle:
        child.end()
    hand._Children.idle = []
    hand._Kits.known = None


def test_a_child_is_kept_for_the_next_task_of_its_kit(echoing):
    assert hand.work("a", None, b"x")[1] == hand.LACKING
    assert hand.work("a", b"kit", b"x")[1] == b"x"
    (child,) = hand._Children.idle
    assert hand.work("a", None, b"y")[1] == b"y"
    assert hand._Children.idle == [child]
    assert hand.work("b", b"other", None)[1] == b""
    assert child not in hand._Children.idle
    assert not child.is_waiting()


def test_a_document_that_ends_a_child_is_told(echoing, monkeypatch):
    assert hand.work("a", b"kit", b"end")[1] == hand.ENDED
    assert hand.work("a", None, b"x")[1] == b"x"
    assert hand.work("a", None, b"end")[1] == hand.ENDED
    assert hand._Children.idle == []
    monkeypatch.setattr(hand, "SERVE", "pass")
    assert hand.work("a", None, b"x")[1] == hand.ENDED
    with pytest.raises(ChildProcessError):
        hand.answer_in(hand.ENDED, b"x")


def test_no_document_is_at_fault_where_a_child_had_ended_before(echoing, monkeypatch):
    """It may end between one look at it and the task."""
    monkeypatch.setattr(hand._Child, "is_waiting", lambda _: True)
    assert hand.work("a", b"kit", b"last")[1] == b"last"
    (child,) = hand._Children.idle
    child._process.wait()
    assert hand.work("a", None, b"x")[1] == b"x"
    assert child not in hand._Children.idle


def test_a_sample_that_ends_two_processes_is_named(monkeypatch):
    monkeypatch.undo()  # what stands in for the proof
    monkeypatch.setattr(hand, "SERVE", "pass")
    with pytest.raises(Ended, match=TASK.path):
        executors.OfSomebodyElse(Answering(), KIT)


def test_who_is_there_is_asked_without_a_task():
    farm = Answering(answer())
    executors.OfSomebodyElse(farm, KIT).submit(nothing).result()
    assert farm.asked[0][1:3] == (None, b"")


def served(kit, *orders: bytes, monkeypatch, tmp_path) -> list[hand.Finished]:
    """Serve here, without the limits and fonts of a child."""
    for name in ("limit_this_process", "be_silent"):
        monkeypatch.setattr(hand, name, lambda: None)
    monkeypatch.setattr(hand.fontconfig, "look_at", lambda _: None)
    monkeypatch.setattr(hand, "IDLE", 0)
    asked, told = os.pipe(), os.pipe()
    with (
        os.fdopen(asked[0], "rb", buffering=0) as reading,
        os.fdopen(asked[1], "wb") as ordering,
        os.fdopen(told[0], "rb") as answers,
        os.fdopen(told[1], "wb") as answering,
    ):
        for order in orders:
            hand._write(ordering, order)
        hand._serve(kit, tmp_path, reading, answering)
        given = [(hand._read(answers), hand._read(answers), order) for order in orders]
        assert {taken for taken, _, _ in given} == {hand.TAKEN}
        return [hand.answer_in(answered, order) for _, answered, order in given]


def test_a_hand_proves_itself_and_draws(monkeypatch, tmp_path):
    kit = KIT._replace(fonts={"a.ttf": b"a"})
    orders = b"", pickle.dumps(TASK)
    first, second = served(kit, *orders, monkeypatch=monkeypatch, tmp_path=tmp_path)
    assert first.result is None
    assert second.result.content.startswith(b"PK")
    assert first.proof == second.proof
    assert (tmp_path / "fonts" / "a.ttf").read_bytes() == b"a"


def test_a_hand_that_has_grown_makes_room_for_another(monkeypatch, tmp_path):
    monkeypatch.setattr(hand, "grown", lambda: hand.MOST_GROWTH + 1)
    (only,) = served(KIT, b"", monkeypatch=monkeypatch, tmp_path=tmp_path)
    assert only.result is None


def test_a_kit_that_cannot_be_read_is_told_by_the_versions(monkeypatch, tmp_path):
    assert hand._kit_in(b"no pickle") is None
    assert hand._kit_in(pickle.dumps(KIT)) == KIT
    (only,) = served(None, b"", monkeypatch=monkeypatch, tmp_path=tmp_path)
    assert only.proof.sample == ""
    assert "program" in only.proof.versions


def test_what_a_document_raises_comes_back_with_it(monkeypatch):
    def fail(*_: object) -> None:
        raise Rejected([Problem(source="a", message="m", hint="h")])

    monkeypatch.setattr(hand, "drawn", fail)
    assert isinstance(hand._result(TASK, KIT.design), Rejected)
    assert hand._sample(KIT) == repr(Rejected)


# A scheduler


class Client:
    """A client of Dask whose workers answer as is said."""

    def __init__(self, **workers: object) -> None:
        self.workers, self.scheduler, self.closed = workers, SimpleNamespace(ncores=None), False

    def sync(self, *_: object, **__: object) -> dict[str, int]:
        return dict.fromkeys(self.workers, 2)

    def get_executor(self, *, workers: list[str], **_: object) -> Executor:
        return Answering(*(self.workers[one] for one in workers))

    def close(self, timeout: float) -> None:
        self.closed = True


def of_dask(client: Client) -> dask_scheduler.OfDask:
    made = dask_scheduler.OfDask(client, "tcp://farm:8786", KIT)
    made.close()
    return made


def test_workers_that_draw_the_same_are_trusted_and_others_refused():
    made = of_dask(Client(a=answer(Drawn(b"x")), b=answer(None, OLDER), c=ValueError("odd")))
    assert made._max_workers == 2
    assert [one.source for one in made.refusals()] == ["b", "c"]
    assert made.submit(None, TASK).result() == Drawn(b"x")
    commission = executors.Commission(TASK, b"")
    made.refuse("a", "other bytes", commission)
    assert [one.source for one in made.refusals()] == ["a", "b", "c"]
    assert not commission.promised.done()
    made._give_up()
    with pytest.raises(NotBegun, match="no worker is left, and none has joined"):
        commission.promised.result()


def test_what_nobody_can_be_sent_to_waits_for_who_joins():
    made = of_dask(Client(a=answer(Drawn(b"x"))))
    made._trusted.clear()
    assert not made.send(None, b"").done()


def test_who_joins_and_is_gone_at_once_ends_no_watch():
    client = Client(a=answer(Drawn(b"x")))
    made = of_dask(client)
    client.workers = {"b": None}
    client.get_executor = None
    turns = iter([False, True])
    made._closed = SimpleNamespace(wait=lambda _: next(turns))
    made._watch()
    assert "b" not in made._greeted


def test_who_is_waited_for_is_named(capsys):
    client = Client(a=answer(Drawn(b"x")))
    made = of_dask(client)
    client.scheduler.processing = None
    client.sync = lambda *_, **__: {"b": ("work-1",), "a": ("work-2", "x-3"), "c": ("x-4",)}
    told = SimpleNamespace(terminal=Terminal())
    drawing._tell_late(made, told, [TASK, TASK], 60.0)
    drawing._tell_late(Answering(), told, [TASK], 120.0)
    assert capsys.readouterr().err.splitlines() == [
        f"Waiting for {TASK.path} and 1 more for 60 seconds, from a, b",
        f"Waiting for {TASK.path} for 120 seconds",
    ]
    client.sync = None
    assert made.at() == []


def test_where_nobody_is_trusted_nothing_is_begun(monkeypatch):
    with pytest.raises(Rejected, match=r"pango 1\.48 instead of 1\.50"):
        of_dask(Client(b=answer(None, OLDER)))
    monkeypatch.setattr(dask_scheduler, "FIRST_WORKER", -1)
    with pytest.raises(Unreached, match="this scheduler has no worker"):
        of_dask(Client())
    assert "look at the log of the workers" in dask_scheduler._mute("a").hint


def test_who_joins_is_compared_and_what_was_stranded_is_given_to_others(monkeypatch):
    client = Client(a=answer(Drawn(b"x")))
    made = of_dask(client)
    client.workers = {"b": answer(Drawn(b"y"))}
    stranded = executors.Commission(TASK, b"")
    made._commissions[stranded] = frozenset("a")
    turns = iter([False, False, True])
    made._closed = SimpleNamespace(wait=lambda _: next(turns))
    made._watch()
    assert stranded.promised.result() == Drawn(b"y")
    made._closed, made._trusted = SimpleNamespace(wait=iter([False, True]).__next__), set()
    monkeypatch.setattr(dask_scheduler, "ALONE", -1)
    waiting = executors.Commission(TASK, b"")
    made.begin(waiting)
    client.sync = lambda *_, **__: {}
    turns = iter([False, True])
    made._closed = SimpleNamespace(wait=lambda _: next(turns))
    made._watch()
    assert isinstance(waiting.promised.exception(), NotBegun)


def test_a_scheduler_is_let_go_of(monkeypatch):
    client = Client(a=answer(Drawn(b"x")))
    monkeypatch.setattr(dask_scheduler, "connected", lambda _: client)
    with dask_scheduler.of_scheduler("tcp://farm:8786", KIT) as made:
        assert made._trusted == {"a"}
    assert client.closed


def unreached(address: str, kind: type[Exception] = Unreached) -> str:
    with pytest.raises(kind) as caught:
        dask_scheduler.connected(address)
    return str(caught.value)


def test_without_dask_it_is_said_how_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'reportgen[distributed]'" in unreached("tcp://farm:1", Rejected)


@pytest.fixture
def client_of(monkeypatch):
    """Stand in for Dask: what is called connects, or not."""
    made = SimpleNamespace(Client=lambda *_, **__: "connected")
    monkeypatch.setitem(sys.modules, "distributed", made)
    return made


@pytest.fixture
def listening():
    """Listen, and say to whoever knocks what is to be said."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as executor:

        def saying(greeting: bytes) -> str:
            def speak() -> None:
                taken, _ = server.accept()
                taken.sendall(greeting)
                taken.close()

            executor.submit(speak)
            return f"tcp://127.0.0.1:{server.getsockname()[1]}"

        yield saying


def test_a_scheduler_greets_with_its_length(client_of, listening):
    greeting = (64).to_bytes(dask_scheduler.LENGTH, sys.byteorder)
    assert dask_scheduler.connected(listening(greeting)) == "connected"
    assert "does not answer as a scheduler of Dask" in unreached(listening(b"HTTP/1.1 400 \r\n"))


def test_who_does_not_connect_is_told_in_seconds(client_of, listening, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError("handshake")

    client_of.Client = type("Client", (), {"__new__": lambda *_, **__: fail()})
    greeting = (64).to_bytes(dask_scheduler.LENGTH, sys.byteorder)
    assert "does not answer as a scheduler" in unreached(listening(greeting))
    monkeypatch.setattr(dask_scheduler, "PATIENCE", 0.05)
    over = Event()
    client_of.Client = type("Client", (), {"__new__": lambda *_, **__: over.wait(5)})
    assert "does not answer as a scheduler" in unreached(listening(greeting))
    over.set()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(-2, "unknown"), "there is no machine farm"),
        (TimeoutError(), "nobody has answered within 5 seconds"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
    ],
)
def test_where_nobody_listens_it_is_said_why(client_of, monkeypatch, error, said):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    assert said in unreached("tcp://farm:1")


def test_who_is_mute_has_not_answered():
    def mute(*_: object) -> bytes:
        raise TimeoutError

    assert not dask_scheduler._is_answered(SimpleNamespace(recv=mute))


def test_tls_names_its_own_configuration():
    problem = dask_scheduler._no_scheduler("tls://farm:1", OSError("bad certificate"))
    assert "no connection with TLS can be made: bad certificate" in problem.message
    assert "distributed.comm.tls" in problem.hint


# Who draws


def context(**named: str):
    told: list[Problem] = []
    terminal = SimpleNamespace(problems=told.extend)
    return SimpleNamespace(**{"executor": "", "scheduler": ""} | named, terminal=terminal), told


def executor_for(told) -> object:
    studio = drawing.Studio(workers=1)
    return drawing._executor([TASK], KIT.design, studio, None, told)


def test_whom_the_command_line_names_draws(monkeypatch):
    monkeypatch.setattr(executors, "made", lambda _: Answering())
    with executor_for(context(executor="farm:simple")[0]) as executor:
        assert isinstance(executor, executors.OfSomebodyElse)
    client = Client(a=answer(Drawn(b"x")), b=answer(None, OLDER))
    monkeypatch.setattr(dask_scheduler, "connected", lambda _: client)
    asked, told = context(scheduler="tcp://farm:8786")
    with executor_for(asked) as executor:
        assert executor._trusted == {"a"}
    assert [(one.source, one.code) for one in told] == [("b", "worker-refused")]


def test_fonts_of_an_archive_are_sent_by_their_hash(tmp_path):
    (tmp_path / "0a").write_bytes(b"a font")
    kept = drawing.KeptFonts(folder=tmp_path, hashes={"A.ttf": "0a"})
    assert drawing._font_files(kept) == {"0a": b"a font"}


def test_what_has_no_hash_has_no_key_and_is_drawn():
    assert digest.digest_of("\ud800") == ""
    with pytest.raises(NotImplementedError):
        digest._as_dict(3)
    assert keys.Keys.of(None, SimpleNamespace(shown=str)) == ""
