"""Documents drawn elsewhere: by whatever executor somebody names, or by the workers of Dask.

What comes from there is believed only of a worker that draws as this machine does: each answer
names the versions and fonts it was drawn with, and the hash of a document that both have drawn. A
worker that differs is refused by its name, with what differs; none of its documents is taken.
"""

import importlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable, quoted
from reportgen.documents.render import Ended, NotBegun
from reportgen.documents.tasks import Task
from reportgen.operations.building import hand

OPTION = "--executor"
SAME = "install there what is here: the same versions of the program, its packages and libraries"
SAMPLES = "invoice.html.j2"
LOST = "KilledWorker"
"""What Dask says where one worker after the other was lost over the same document."""

Sent = Future[tuple[str, bytes]]
"""What `hand.work` promises."""


@dataclass(eq=False, slots=True)
class Commission:
    """A task on its way: what is promised of it, its pickle, and what was sent away last."""

    task: Task
    content: bytes
    promised: Future[Any] = field(default_factory=Future)
    sent: Sent | None = None

    def fail(self, error: BaseException) -> None:
        """Say why there is no document; where it was cancelled, nobody wants to know."""
        with suppress(InvalidStateError):
            self.promised.set_exception(error)


class Elsewhere(Executor):
    """An executor to `Rendering`: hands documents on to another one, and judges who drew them."""

    source = OPTION

    def __init__(self, kit: hand.Kit) -> None:
        """Take what is drawn with, and draw the sample of it as it has to be."""
        self.kit = pickle.dumps(kit)
        self.digest = sha256(self.kit).hexdigest()
        try:
            self.expected = hand.prove(self.kit)
        except EOFError:
            raise Ended(kit.sample) from None

    def send(self, kit: bytes | None, content: bytes) -> Sent:
        """Let `hand.work` be done somewhere."""
        raise NotImplementedError

    def refuse(self, worker: str, told: str, commission: Commission) -> None:
        """Refuse what a worker has drawn otherwise than it has to be."""
        raise NotImplementedError

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:  # noqa: ANN401, ARG002 - as Executor has it
        """Send the task away that is the first argument; without one it is seen who is there."""
        if not args:
            return self.send(None, b"")
        commission = Commission(args[0], pickle.dumps(args[0]))
        self.begin(commission)
        return commission.promised

    def begin(self, commission: Commission, kit: bytes | None = None) -> None:
        """Send a commission out, with the kit where somebody has asked for it."""
        try:
            commission.sent = sent = self.send(kit, commission.content)
            sent.add_done_callback(partial(self._returned, commission, kit))
        except BrokenExecutor as error:
            commission.fail(error)
        except Exception as error:  # noqa: BLE001 - whatever an executor of somebody else's raises
            commission.fail(NotBegun([failed(self.source, error)]))

    def _returned(self, commission: Commission, kit: bytes | None, sent: Sent) -> None:
        """Take what came back; whatever is wrong with it, nobody waits for more."""
        if sent is not commission.sent:
            return  # it was sent out again
        try:
            self._take(commission, kit, sent)
        except Exception as error:  # noqa: BLE001 - whatever an executor of somebody else's gives
            commission.fail(NotBegun([astray(self.source, error)]))

    def _take(self, commission: Commission, kit: bytes | None, sent: Sent) -> None:
        """Take an answer, a wish for the kit, or a failure."""
        if sent.cancelled():
            commission.fail(NotBegun([let_go(self.source)]))
        elif error := sent.exception():
            commission.fail(self._of(error, commission))
        else:
            worker, answered = sent.result()
            if answered == hand.LACKING and kit is None:
                self.begin(commission, self.kit)
            elif answered == hand.ENDED:
                commission.fail(Ended(commission.task))
            else:
                self._judge(commission, worker, answered)

    def _of(self, error: BaseException, commission: Commission) -> BaseException:
        """Give what a failure of the executor's comes to: a loss is at first nobody's fault."""
        if isinstance(error, BrokenExecutor):
            return error
        if type(error).__name__ == LOST:
            return Ended(commission.task)
        return NotBegun([failed(self.source, error)])

    def _judge(self, commission: Commission, worker: str, answered: bytes) -> None:
        """Take an answer where it comes of a worker that draws as it has to."""
        answer = hand.answer_in(answered, commission.content)
        if told := differences(answer.proof, self.expected):
            self.refuse(worker, told, commission)
        elif isinstance(answer.result, Exception):
            commission.fail(answer.result)
        else:
            with suppress(InvalidStateError):
                commission.promised.set_result(answer.result)


class OfSomebodyElse(Elsewhere):
    """The executor that a module of somebody else's makes: it sends work to whom it wants."""

    def __init__(self, executor: Executor, kit: hand.Kit) -> None:
        """Take the executor, and what is drawn with."""
        super().__init__(kit)
        self._executor = executor
        self._max_workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1

    def send(self, kit: bytes | None, content: bytes) -> Sent:
        """Let it be done wherever the executor wants."""
        return self._executor.submit(hand.work, self.digest, kit, content, hand.process())

    def refuse(self, worker: str, told: str, commission: Commission) -> None:
        """Give up: the next document might go to the same worker."""
        commission.fail(NotBegun([refused(worker, told)]))


@contextmanager
def of_somebody_else(named: str, kit: hand.Kit) -> Iterator[Elsewhere]:
    """Draw by the executor that a module of somebody else's makes; raises Rejected."""
    executor = made(named)
    with _shut_down(executor):
        yield OfSomebodyElse(executor, kit)


def made(named: str) -> Executor:
    """Call what is named as module:callable; raises Rejected where that gives no executor."""
    source = f"{OPTION} {named}"
    module_name, _, callable_name = named.partition(":")
    with _from_here():
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name and f"{module_name}.".startswith(f"{error.name}."):
                message = f"there is no module {quoted(module_name)}"
                hint = "install it beside reportgen, or call this where its file lies"
                raise Rejected([Problem(source=source, message=message, hint=hint)]) from None
            raise Rejected([_raised(source, f"the module {module_name}", error)]) from None
        except Exception as error:  # noqa: BLE001 - it is not ours
            raise Rejected([_raised(source, f"the module {module_name}", error)]) from None
        make = getattr(module, callable_name, None)
        if not callable(make):
            there = (
                "is nothing that can be called"
                if hasattr(module, callable_name)
                else "is not there"
            )
            message = f"{quoted(callable_name)} {there} in {module_name}"
            hint = "name a function that takes nothing and returns an executor"
            raise Rejected([Problem(source=source, message=message, hint=hint)])
        try:
            executor = make()
        except Exception as error:  # noqa: BLE001 - it is not ours
            raise Rejected([_raised(source, callable_name, error)]) from None
    if not isinstance(executor, Executor):
        message = f"{callable_name} returned {_article(type(executor).__name__)}, and no executor"
        hint = "return a concurrent.futures.Executor"
        raise Rejected([Problem(source=source, message=message, hint=hint)])
    return executor


def sample_of(first: Sequence[Task]) -> Task:
    """Choose what workers are compared by: an invoice as PDF, a PDF, or whatever there is."""
    pages = [task for task in first if task.path.endswith(".pdf")]
    return next((one for one in pages if one.template == SAMPLES), (pages or first)[0])


def differences(proof: hand.Proof, expected: hand.Proof) -> str:
    """Say what a worker has other than it has to be; nothing where it is the same."""
    told = [
        f"{name} {theirs or 'missing'} instead of {ours or 'none'}"
        for name in expected.versions
        if (theirs := proof.versions.get(name, "")) != (ours := expected.versions[name])
    ]
    told += [
        f"another {name}" for name, kept in expected.fonts.items() if proof.fonts.get(name) != kept
    ]
    if not told and proof.sample != expected.sample:
        told = ["a document that both have drawn has other bytes there, with the same versions"]
    return ", ".join(_short(one) for one in told)


def refused(worker: str, told: str) -> Problem:
    """Say that a worker is refused."""
    message = f"this worker draws otherwise than this machine, and is refused: {told}"
    return Problem(source=worker, message=message, hint=SAME)


def failed(source: str, error: BaseException) -> Problem:
    """Say that no document was drawn, as somebody failed before one was begun."""
    said = printable(str(error).partition("\n")[0])
    message = f"a worker failed before it drew: {type(error).__name__}: {said}"
    return Problem(source=source, message=message, hint=SAME)


def astray(source: str, error: BaseException) -> Problem:
    """Say that something came back which is no answer to the document that was asked for."""
    said = printable(str(error).partition("\n")[0])
    message = f"what came back for a document is not its answer: {type(error).__name__}: {said}"
    hint = "an executor has to give back what its function returned, each for its own call"
    return Problem(source=source, message=message, hint=hint)


def let_go(source: str) -> Problem:
    """Say that work was given up by whoever was to do it."""
    message = "the work was let go of before it was done"
    return Problem(source=source, message=message, hint="run the command again")


def _raised(source: str, what: str, error: BaseException) -> Problem:
    said = printable(str(error).partition("\n")[0])
    message = f"{what} raised {type(error).__name__}" + (f": {said}" if said else "")
    return Problem(source=source, message=message, hint="mend it; it is not part of reportgen")


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def _short(told: str) -> str:
    """Cut a hash, of which nobody reads the end."""
    return " ".join(word[:12] if len(word) == 64 else word for word in told.split(" "))  # noqa: PLR2004


@contextmanager
def _from_here() -> Iterator[None]:
    """Let modules of the current folder be found, behind all others."""
    sys.path.append(os.getcwd())  # noqa: PTH109 - as Python writes it there
    try:
        yield
    finally:
        sys.path.pop()


@contextmanager
def _shut_down(executor: Executor) -> Iterator[None]:
    """Shut an executor down; what is not begun by then is not wanted where something was raised."""
    try:
        yield
    except BaseException:
        try:
            executor.shutdown(wait=False, cancel_futures=True)
        except TypeError:  # there are some that do not know this
            executor.shutdown(wait=False)
        raise
    executor.shutdown()
