"""A hand: draws documents in a process of its own, wherever an executor lets its work be done.

An executor may have threads, processes, or machines; what it runs here is `work`, which hands the
document on to a child of this very program and gives back what that answers, as bytes. So limits
hold that need a main thread, fonts are told to nobody but us, and a template that ends a process
ends none of the executor's.

A kit is what documents are drawn with: design, fonts, and a document to prove oneself by. It is
known by its hash. Who lacks it asks for it, once for every process of the executor.
"""

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from multiprocessing import parent_process
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO, NamedTuple

from reportgen.core.problem import Rejected
from reportgen.documents.keys import program
from reportgen.documents.limits import grown, limit_this_process
from reportgen.documents.pdf import fontconfig, installed
from reportgen.documents.pdf.kept_fonts import configured
from reportgen.documents.render import DrawingError, Drawn, drawn
from reportgen.documents.tasks import Design, Task
from reportgen.operations.building.readiness import be_silent

SERVE = "from reportgen.operations.building.hand import serve; serve()"
LENGTH, HASH = 8, 32
IDLE = 120.0
"""Seconds without work after which a child ends."""
MOST_GROWTH = 128 << 20
"""Bytes by which a child may grow before another takes its place."""
LACKING, ENDED = b"lacking", b"ended"
"""What `work` says where it has no kit, and where the process has ended over a document."""
TAKEN = b""
"""What a child says as it begins with a task."""


class GoneError(Exception):
    """A child that had ended before it was asked: who idles for long does, and who has grown."""


class Kit(NamedTuple):
    """What documents are drawn with; the sample is drawn by whoever gets it."""

    design: Design
    fonts: dict[str, bytes]
    sample: Task


class Proof(NamedTuple):
    """What a hand draws with, and the hash of the sample it has drawn."""

    versions: dict[str, str]
    fonts: dict[str, str]
    sample: str


class Finished(NamedTuple):
    """What became of a task; `result` is nothing where there was none."""

    proof: Proof
    result: Drawn | Exception | None


def work(
    digest: str, kit: bytes | None, task: bytes | None, command: str = ""
) -> tuple[str, bytes]:
    """Let a child draw a task with the kit of that digest; name this worker, and answer.

    The answer is that of the child, still in its pickle: only who gave the task takes it apart.
    `command` is the process for which all of this is done, as `process` names it.
    """
    _belong_to(command)
    known = _Kits.take(digest, kit)
    if known is None:
        return name(), LACKING
    while True:
        try:
            with _Children.one(digest, known) as child:
                return name(), child.ask(task or b"")
        except GoneError:
            continue
        except (EOFError, BrokenPipeError):
            return name(), ENDED


def prove(kit: bytes) -> Proof:
    """Give what a hand of this machine proves itself by; raises EOFError where two end over it."""
    with suppress(EOFError, BrokenPipeError):
        return _proof(kit)
    try:
        return _proof(kit)
    except BrokenPipeError:
        raise EOFError from None


def _proof(kit: bytes) -> Proof:
    child = _Child("", kit)
    try:
        return answer_in(child.ask(b""), b"").proof
    finally:
        child.end()


def answer_in(content: bytes, task: bytes) -> Finished:
    """Read what a child has answered to a task; raises ChildProcessError for anything else.

    An executor may give back what was answered to another task, or not all of it: each answer
    begins with a hash of itself and of its task.
    """
    if content == ENDED:
        raise ChildProcessError("the process that was to draw has ended")
    begun, answered = content[:HASH], content[HASH:]
    if begun != _bound(task, answered):
        raise ChildProcessError("this is no answer to what was asked")
    answer: Finished = pickle.loads(answered)  # noqa: S301 - of our own program, here or there
    return answer


def _bound(task: bytes, answered: bytes) -> bytes:
    return sha256(sha256(task).digest() + answered).digest()


def name() -> str:
    """Name this worker: by its address where Dask has one for it, else by machine and process."""
    if module := sys.modules.get("distributed"):
        with suppress(ValueError):  # no worker of theirs
            return str(module.get_worker().address)
    return process()


def process(pid: int | None = None) -> str:
    """Name this process, or another one of this machine."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"


@cache
def _belong_to(command: str) -> None:
    """End with the command where this process is its child, as those of a pool are.

    They would wait for work for ever; and Ctrl-C, which they hear as well, is the command's.
    """
    parent = parent_process()
    if parent is None or process(parent.pid) != command:
        return

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    with suppress(ValueError):  # of a thread that is not the first, which hears no signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Kits:
    """The kit that this process was given last, by its digest."""

    lock = threading.Lock()
    known: tuple[str, bytes] | None = None

    @classmethod
    def take(cls, digest: str, kit: bytes | None) -> bytes | None:
        """Take a kit that was brought, and give the one of a digest, if it is known."""
        with cls.lock:
            if kit is not None:
                cls.known = digest, kit
            return cls.known[1] if cls.known and cls.known[0] == digest else None


class _Children:
    """Children that wait for work: as many as there were tasks here at a time."""

    lock = threading.Lock()
    idle: list["_Child"] = []  # noqa: RUF012 - of this process

    @classmethod
    @contextmanager
    def one(cls, digest: str, kit: bytes) -> Iterator["_Child"]:
        """Give a child that has a kit; one that fails is ended."""
        child = cls._waiting(digest) or _Child(digest, kit)
        try:
            yield child
        except BaseException:
            child.end()
            raise
        with cls.lock:
            cls.idle.append(child)

    @classmethod
    def _waiting(cls, digest: str) -> "_Child | None":
        with cls.lock:
            mine = [one for one in cls.idle if one.digest == digest and one.is_waiting()]
            others = [one for one in cls.idle if one not in mine]
            child = mine.pop() if mine else None
            cls.idle = mine
        for one in others:
            one.end()
        return child


class _Child:
    """A process that draws with one kit."""

    def __init__(self, digest: str, kit: bytes) -> None:
        """Start it; it finds our modules where this process has them."""
        self.digest = digest
        self._has_answered = False
        self._folder = mkdtemp(prefix="reportgen-hand-")
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, self._folder],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what a terminal sends to the command would leave its folder
        )
        try:
            _write(self._stdin, kit)
        except OSError:
            self.end()
            raise

    def ask(self, task: bytes) -> bytes:
        """Give it a task and wait for its answer.

        Raises EOFError or BrokenPipeError where it ends over that, GoneError where it had before.
        """
        try:
            _write(self._stdin, task)
            _read(self._stdout)
        except (EOFError, BrokenPipeError):
            if self._has_answered:
                raise GoneError from None
            raise
        answered = _read(self._stdout)
        self._has_answered = True
        return answered

    def is_waiting(self) -> bool:
        """Tell whether it has not ended: it does where nobody asks for long."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, and remove what it had on the disk."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):  # what was not written yet
            self._stdin.close()
        self._stdout.close()
        rmtree(self._folder, ignore_errors=True)

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin  # noqa: S101 - a pipe
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout  # noqa: S101 - a pipe
        return self._process.stdout


def serve() -> None:
    """Draw what is asked for on stdin until nobody asks any more; the end of a child of ours."""
    orders, answers = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    be_silent()
    folder = Path(sys.argv[1])
    threading.Thread(
        target=_end_with_the_worker, args=(orders.fileno(), folder), daemon=True
    ).start()
    try:
        with suppress(EOFError, BrokenPipeError):
            _serve(_kit_in(_read(orders)), folder, orders, answers)
    finally:
        rmtree(folder, ignore_errors=True)
        os._exit(0)  # nobody waits for what libraries would still do


def _end_with_the_worker(orders: int, folder: Path) -> None:
    """End as soon as nobody is there to be answered: a document may still take minutes."""
    hung_up = select.poll()
    hung_up.register(orders, 0)  # of a pipe that is closed it is told in any case
    hung_up.poll()
    rmtree(folder, ignore_errors=True)
    os._exit(0)


def _kit_in(content: bytes) -> Kit | None:
    """Read a kit; one of another version of this program may be nothing that can be read."""
    try:
        kit: Kit = pickle.loads(content)  # noqa: S301 - of whoever gives us work
    except Exception:  # noqa: BLE001 - the versions say why
        return None
    return kit


def _serve(kit: Kit | None, folder: Path, orders: IO[bytes], answers: IO[bytes]) -> None:
    versions = installed.versions() | {"program": program()}
    if kit is None:
        order = _order(orders, answers)
        _write(answers, _answer(order, Finished(Proof(versions, {}, ""), None)))
        return
    _look_at(kit.fonts, folder)
    design = kit.design
    limit_this_process()
    proof = Proof(versions, installed.fingerprints(), _sample(kit))
    del kit  # it has all the fonts
    while select.select([orders], [], [], IDLE)[0]:
        order = _order(orders, answers)
        result = _result(pickle.loads(order), design) if order else None  # noqa: S301 - a task
        _write(answers, _answer(order, Finished(proof, result)))
        if grown() > MOST_GROWTH:
            return


def _order(orders: IO[bytes], answers: IO[bytes]) -> bytes:
    """Take a task, and say so: from now on it has to do with it if this process ends."""
    order = _read(orders)
    _write(answers, TAKEN)
    return order


def _answer(order: bytes, finished: Finished) -> bytes:
    answered = pickle.dumps(finished)
    return _bound(order, answered) + answered


def _look_at(fonts: Mapping[str, bytes], folder: Path) -> None:
    """Lay fonts into a folder, and draw with them and no others."""
    place = folder / "fonts"
    place.mkdir()
    for file, content in fonts.items():
        (place / file).write_bytes(content)
    conf = folder / "fonts.conf"
    conf.write_bytes(configured(place, fonts, folder / "cache"))
    fontconfig.look_at(str(conf))


def _sample(kit: Kit) -> str:
    """Draw the sample, and give its hash; where it cannot be drawn, that is what it is known by."""
    result = _result(kit.sample, kit.design)
    return sha256(result.content).hexdigest() if isinstance(result, Drawn) else repr(type(result))


def _result(task: Task, design: Design) -> Drawn | Exception:
    """Draw a document; what it raises crosses to whoever asked for it."""
    try:
        return drawn(task, design)._replace(grown=0)
    except (Rejected, DrawingError, OSError) as error:
        return error


def _write(stream: IO[bytes], content: bytes) -> None:
    stream.write(len(content).to_bytes(LENGTH, "big"))
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """Read what was written; raises EOFError where there is no more."""
    length = int.from_bytes(_exactly(stream, LENGTH), "big")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        piece = stream.read(length - len(content))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)
