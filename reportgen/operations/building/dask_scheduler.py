"""Documents drawn by the workers of a Dask scheduler, each of which is compared before it gets any.

Every worker is sent the kit and draws the sample. Who draws it as this machine does is trusted; who
does not is refused by its address, and the others do the work. Workers may come and go meanwhile:
what one has not done when it is lost is given to another.
"""

import logging
import socket
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable, said_by_system
from reportgen.documents.render import NotBegun
from reportgen.operations.building import hand
from reportgen.operations.building.executors import (
    Commission,
    Elsewhere,
    Sent,
    differences,
    failed,
    refused,
)
from reportgen.operations.unreached import Unreached

PATIENCE = 5.0
"""Seconds in which a scheduler has to answer."""
FIRST_WORKER = 10.0
"""Seconds in which a scheduler has to have a worker."""
COMPARED = 120.0
"""Seconds in which the workers that are there have to have drawn the sample."""
ALONE = 60.0
"""Seconds after which nobody is waited for any more, where all workers were lost."""
EVERY = 1.0
LENGTH, MOST_GREETING = 8, 1 << 20
START = "start one: `dask scheduler`, and workers with `dask worker {0} --nthreads 1`"


class OfDask(Elsewhere):
    """The workers of a scheduler: those that draw as this machine does."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - of Dask
        address: str,
        kit: hand.Kit,
    ) -> None:
        """Take a client of the scheduler, and compare the workers that are there."""
        super().__init__(kit)
        self.source = f"--scheduler {address}"
        self._client, self._address = client, address
        self._lock, self._closed = Lock(), Event()
        self._greeted: dict[str, Sent] = {}
        self._trusted: set[str] = set()
        self._refused: dict[str, Problem] = {}
        self._commissions: dict[Commission, frozenset[str]] = {}
        self._seen = monotonic()
        self._max_workers = self._compare_first()
        Thread(target=self._watch, daemon=True).start()

    def refusals(self) -> list[Problem]:
        """Give what there is to be said of workers that were refused, by address."""
        with self._lock:
            told = [self._refused[address] for address in sorted(self._refused)]
        return [replace(one, warning=True, code="worker-refused") for one in told]

    def send(self, kit: bytes | None, content: bytes) -> Sent:
        """Let it be done by one of those that are trusted.

        Where all were lost meanwhile nobody promises anything: it is sent again when one joins.
        """
        with self._lock:
            trusted = frozenset(self._trusted)
        if not trusted:
            return Future()
        return self._executor(trusted).submit(hand.work, self.digest, kit, content)

    def begin(self, commission: Commission, kit: bytes | None = None) -> None:
        """Remember who may do it: all of them may be lost. Where nobody is left, it waits."""
        with self._lock:
            given = self._commissions[commission] = frozenset(self._trusted)
        commission.promised.add_done_callback(lambda _: self._commissions.pop(commission, None))
        if given:
            super().begin(commission, kit)

    def refuse(self, worker: str, told: str, commission: Commission) -> None:
        """Give a document to others; this worker gets none any more."""
        self._refuse(worker, refused(worker, told))
        self.begin(commission)

    def at(self) -> list[str]:
        """Name the workers that have a document of ours, as far as the scheduler tells."""
        names: dict[str, Collection[str]] = {}
        with suppress(Exception):  # it does not answer
            names = self._client.sync(self._client.scheduler.processing, callback_timeout=PATIENCE)
        ours = f"{hand.work.__name__}-"  # as Dask names what is to be called
        busy = (
            one for one, keys in names.items() if any(str(key).startswith(ours) for key in keys)
        )
        return sorted(busy)

    def close(self) -> None:
        """Let go of everything that is still on its way."""
        self._closed.set()

    def _executor(self, workers: Collection[str]) -> Executor:
        """Give Dask's own executor: pure, it would take a second drawing for the first one."""
        executor: Executor = self._client.get_executor(
            pure=False, retries=1, workers=sorted(workers)
        )
        return executor

    def _compare_first(self) -> int:
        """Compare the workers that are there, and give how many documents they draw at a time."""
        begun = monotonic()
        while not (there := self._there()):
            if monotonic() - begun > FIRST_WORKER:
                message = "this scheduler has no worker"
                hint = f"start one: `dask worker {self._address} --nthreads 1`"
                raise Unreached(Problem(source=self._address, message=message, hint=hint))
            self._closed.wait(EVERY / 4)
        wait([self._greet(address) for address in there], timeout=COMPARED)
        if not self._trusted:
            raise Rejected(self._refused.values() or [_mute(self._address)])
        return sum(threads for address, threads in there.items() if address in self._trusted)

    def _greet(self, address: str) -> Sent:
        """Send the kit to a worker; how it draws the sample decides."""
        greeting: Sent = self._executor([address]).submit(hand.work, self.digest, self.kit, None)
        done: Sent = type(greeting)()  # is done when this worker has been judged, not before
        self._greeted[address] = done
        greeting.add_done_callback(partial(self._compare, address, done))
        return done

    def _compare(self, address: str, done: Sent, greeting: Sent) -> None:
        """Trust a worker or refuse it."""
        try:
            answered = greeting.result()[1]
            told = differences(hand.answer_in(answered, b"").proof, self.expected)
            problem = refused(address, told) if told else None
        except BaseException as error:  # noqa: BLE001 - one that is lost meanwhile is cancelled
            problem = failed(address, error)
        if problem:
            self._refuse(address, problem)
        else:
            with self._lock:
                self._trusted.add(address)
        done.set_result(("", b""))

    def _refuse(self, address: str, problem: Problem) -> None:
        with self._lock:
            self._trusted.discard(address)
            self._refused.setdefault(address, problem)

    def _there(self) -> dict[str, int]:
        """Ask the scheduler for its workers, and how many threads each has."""
        threads: dict[str, int] = self._client.sync(
            self._client.scheduler.ncores, callback_timeout=PATIENCE
        )
        return threads

    def _watch(self) -> None:
        """Greet who joins, give to others what somebody who is lost had, and say when all are."""
        while not self._closed.wait(EVERY):
            there: Collection[str] = ()
            with suppress(Exception):  # it does not answer: so nobody is there
                there = self._there()
            for address in there:
                if address not in self._greeted:
                    with suppress(Exception):  # it is gone already, or the scheduler is
                        self._greet(address)
            with self._lock:
                self._trusted.intersection_update(there)
                stranded = [
                    commission
                    for commission, given in list(self._commissions.items())
                    if self._trusted and not given & self._trusted
                ]
                if self._trusted:
                    self._seen = monotonic()
            for commission in stranded:
                self.begin(commission)
            if monotonic() - self._seen > ALONE:
                self._give_up()

    def _give_up(self) -> None:
        message = f"no worker is left, and none has joined for {ALONE:.0f} seconds"
        hint = f"{START.format(self._address)}; then run the command again"
        lost = Problem(source=self._address, message=message, hint=hint)
        for commission in list(self._commissions):
            commission.fail(NotBegun([lost]))


@contextmanager
def of_scheduler(address: str, kit: hand.Kit) -> Iterator[OfDask]:
    """Draw by the workers of a scheduler; raises Unreached, or Rejected where nobody is trusted."""
    client = connected(address)
    try:
        executor = OfDask(client, address, kit)
        try:
            yield executor
        finally:
            executor.close()
    finally:
        with suppress(Exception):  # it may be gone
            client.close(timeout=1)


def connected(address: str) -> Any:  # noqa: ANN401 - a client of Dask
    """Connect to a scheduler; raises Unreached with what to do, within a few seconds."""
    try:
        client_of = import_module("distributed").Client  # of an extra
    except ImportError:
        message = "Dask is not installed beside reportgen"
        hint = "install it: `pip install 'reportgen[distributed]'`"
        raise Rejected([Problem(source=address, message=message, hint=hint)]) from None
    _knock(address)
    _silence()
    connecting: SimpleQueue[object] = SimpleQueue()
    connect = partial(client_of, address, timeout=PATIENCE, set_as_default=False, name="reportgen")
    # It waits for ever for somebody who takes the connection and says nothing.
    Thread(target=_put, args=(connecting, connect), daemon=True).start()
    try:
        client = connecting.get(timeout=2 * PATIENCE)
    except Empty:
        client = TimeoutError()
    if isinstance(client, BaseException):
        # What was never connected would wait for an answer as it is deleted, and complain.
        client_of.__del__ = lambda _: None
        raise Unreached(_no_scheduler(address, client)) from None
    return client


def _silence() -> None:
    """Let Dask say nothing on the streams of the command; it has a handler for each part of it."""
    warnings.filterwarnings("ignore", module=r"distributed\b")
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).handlers = [logging.NullHandler()]


def _put(connecting: "SimpleQueue[object]", connect: Callable[[], object]) -> None:
    try:
        connecting.put(connect())
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        connecting.put(error)


def _knock(address: str) -> None:
    """Raise Unreached where nobody listens: the client would try for long, and say less.

    A scheduler speaks first, unless it has TLS.
    """
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as knocked:
            if parts.scheme == "tcp" and not _is_answered(knocked):
                raise Unreached(_no_scheduler(address))
    except socket.gaierror:
        message, hint = f"there is no machine {parts.hostname}", "look at the name in --scheduler"
    except TimeoutError:
        message = f"nobody has answered within {PATIENCE:.0f} seconds"
        hint = "look at the address in --scheduler, and at firewalls on the way"
    except OSError as error:
        message, hint = said_by_system(error), START.format(address)
    else:
        return
    raise Unreached(Problem(source=address, message=message, hint=hint))


def _is_answered(knocked: socket.socket) -> bool:
    """Tell whether that begins as Dask's greeting does: with its length, which is small."""
    try:
        begun = knocked.recv(LENGTH, socket.MSG_WAITALL)
    except TimeoutError:
        return False
    return len(begun) == LENGTH and int.from_bytes(begun, sys.byteorder) < MOST_GREETING


def _no_scheduler(address: str, error: BaseException | None = None) -> Problem:
    message = "somebody listens there who does not answer as a scheduler of Dask"
    hint = "look at the address in --scheduler; where it has TLS, write tls://"
    if error and address.startswith("tls:"):
        said = printable(str(error.__cause__ or error).partition("\n")[0])
        message = f"no connection with TLS can be made: {said}"
        hint = "name the certificates in Dask's own configuration (distributed.comm.tls)"
    return Problem(source=address, message=message, hint=hint)


def _mute(address: str) -> Problem:
    message = f"no worker has drawn a document within {COMPARED:.0f} seconds"
    hint = "look at the log of the workers"
    return Problem(source=address, message=message, hint=hint)
