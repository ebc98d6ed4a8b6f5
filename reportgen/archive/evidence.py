"""Evidence: API responses as received, an object a line.

Written once per response while collecting, read back by every later step. The last answer to a
request counts. Of a closed cycle the lines are sorted and zipped, each as it was received.
"""

import gzip
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, cast

import msgspec

from reportgen.archive.disk import naming
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system
from reportgen.files import opened, refuse_other

MIB = 1024 * 1024
METHOD = "GET "
"""What stands before path and query on a line; nothing else is ever asked."""
ZIPPED = ".gz"
LONGEST_LINE = 512 * 1024 * 1024
"""Bytes; a body of any size that is taken from an API is shorter."""


class _Line(msgspec.Struct):
    request: str
    status: int
    fetched_at: str
    body: str


_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


Place = tuple[int, int]
"""Where a line begins (bytes), and its number."""


class Stored(Mapping[str, RecordedResponse]):
    """The answers in a file, by request: places are held, the answers stay on the disk."""

    def __init__(
        self, path: Path, places: Mapping[str, Place], repeated: AbstractSet[str] = frozenset()
    ) -> None:
        """Take the file, where each answer lies in it, and the requests with more than one."""
        self._path, self._places, self._repeated = path, places, repeated
        self._unpacked = _unpacked(path) if path.suffix == ZIPPED else None

    def __getitem__(self, request: str) -> RecordedResponse:
        """Read an answer."""
        start, number = self._places[request]
        source = f"{self._path}:{number}"
        if self._unpacked:
            return _response(_line_at(start, self._unpacked), source)
        with opened(self._path) as file:
            return _response(_line_at(start, file), source)

    def __contains__(self, request: object) -> bool:
        """Tell without reading."""
        return request in self._places

    def __iter__(self) -> Iterator[str]:
        """Give the requests."""
        return iter(self._places)

    def __len__(self) -> int:
        """Count the requests."""
        return len(self._places)

    def without(self, requests: AbstractSet[str]) -> "Stored":
        """Give all answers but those to some requests."""
        kept = {name: place for name, place in self._places.items() if name not in requests}
        return Stored(self._path, kept, self._repeated)

    def marked(self) -> dict[str, str]:
        """Give the requests with more than one answer, each with the mark of the one that counts.

        The mark is its line, and the sha256 of its body: `/v3/…?…#line=12&sha256=…`.
        """
        return {
            name: f"{name}#{_mark(self[name])}" for name in sorted(self._repeated & self.keys())
        }


def _mark(response: RecordedResponse) -> str:
    line = response.source.rpartition(":")[2]
    return f"line={line}&sha256={fingerprint(response)}"


def fingerprint(response: RecordedResponse) -> str:
    """Give the sha256 of the body of an answer, in UTF-8."""
    return sha256(response.body.encode("utf-8", "surrogatepass")).hexdigest()


def stored(path: Path, keep: Callable[[RecordedResponse], bool] = lambda _: True) -> Stored:
    """Look through a file of responses, or raise Rejected with every line that cannot be read.

    The last answer to a request counts, if `keep` says so.
    """
    places: dict[str, Place] = {}
    seen: set[str] = set()
    repeated: set[str] = set()
    for place, response in _scanned(path):
        (repeated if response.request in seen else seen).add(response.request)
        places[response.request] = place
        if not keep(response):
            del places[response.request]
    return Stored(path, places, repeated)


def read(path: Path, only: str = "", *, skip_torn_end: bool = False) -> dict[str, RecordedResponse]:
    """Read a file of responses by request, or raise Rejected with every line that cannot be read.

    With `only`, lines that do not contain that text are passed over unread; with `skip_torn_end` a
    last line that an interruption tore.
    """
    scanned = _scanned(path, only, skip_torn_end=skip_torn_end)
    return {response.request: response for _, response in scanned}


def _scanned(
    path: Path, only: str = "", *, skip_torn_end: bool = False
) -> Iterator[tuple[Place, RecordedResponse]]:
    """Give the responses with their places, then raise Rejected with the lines that are none.

    Where no line can be read it is another kind of file, as line 1 says.
    """
    any_read = False
    problems = []
    for place, line in _placed_lines(path, only.encode()):
        source = f"{path}:{place[1]}"
        try:
            response = _response(line, source)
        except (ValueError, RecursionError):
            if not (skip_torn_end and _is_torn(line)):
                problems.append(_not_a_response(source))
        else:
            any_read = True
            yield place, response
    if not any_read and not problems and not only:
        hint = "collect the cycle from the API"
        problems.append(Problem(source=str(path), message="holds no response", hint=hint))
    if problems:
        raise Rejected(problems if any_read else problems[:1])


def _not_a_response(source: str) -> Problem:
    shape = "a JSON object with request, status, fetched_at and body"
    hint = "remove the line, then collect the cycle again from the API"
    return Problem(source=source, message=f"is not a recorded response: {shape}", hint=hint)


def _too_long(source: str) -> Problem:
    message = f"is longer than {LONGEST_LINE // 1024**2} MiB, and no recorded response"
    hint = "put back the file as it was, or collect the cycle again from the API"
    return Problem(source=source, message=message, hint=hint)


def _is_torn(line: bytes) -> bool:
    """Tell a line that was not written to its end: only the last can be."""
    return not line.endswith(b"\n")


def encode(responses: Iterable[RecordedResponse]) -> bytes:
    """Write responses as lines, in the order given."""
    return b"".join(map(line_of, responses))


def line_of(response: RecordedResponse) -> bytes:
    """Write one response as a line."""
    request = f"{METHOD}{response.request}"
    line = _Line(request, response.status, response.fetched_at, response.body)
    return _encoder.encode(line) + b"\n"


def _response(line: bytes, source: str) -> RecordedResponse:
    """Read a line, or raise ValueError.

    Its instant takes a zone, as it tells whether the cycle was over.
    """
    decoded = _decoder.decode(line)
    if datetime.fromisoformat(decoded.fetched_at).tzinfo is None:
        raise ValueError(decoded.fetched_at)
    if not decoded.request.startswith(METHOD):
        raise ValueError(decoded.request)
    return RecordedResponse(
        request=decoded.request.removeprefix(METHOD),
        status=decoded.status,
        fetched_at=decoded.fetched_at,
        body=decoded.body,
        source=source,
    )


def _placed_lines(path: Path, wanted: bytes) -> Iterator[tuple[Place, bytes]]:
    """Give the lines that contain what is wanted, with their places."""
    start = 0
    try:
        with _opened(path) as file:
            lines = iter(partial(file.readline, LONGEST_LINE), b"")
            for number, line in enumerate(lines, start=1):
                if len(line) == LONGEST_LINE:
                    raise Rejected([_too_long(f"{path}:{number}")])
                if wanted in line:
                    yield (start, number), line
                start += len(line)
    except (OSError, EOFError, zlib.error) as error:
        said = said_by_system(error) if isinstance(error, OSError) else str(error)
        hint = "collect the cycle first, or correct the path"
        problem = Problem(source=str(path), message=f"cannot be read: {said}", hint=hint)
        raise Rejected([problem]) from error


def _opened(path: Path) -> BinaryIO:
    """Open a file of responses, which is zipped where its name says so."""
    refuse_other(path)
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ZIPPED else opened(path)


def _unpacked(path: Path) -> BinaryIO:
    """Unpack a file that is zipped, into one without a name: its lines are read in any order."""
    unpacked = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - lives as long as what reads it
    with _opened(path) as file:
        for piece in _pieces(file, path):
            with naming(Path(gettempdir())):  # where a disk may be full
                unpacked.write(piece)
                unpacked.flush()
    return unpacked


def _pieces(file: BinaryIO, path: Path) -> Iterator[bytes]:
    while True:
        with naming(path):
            piece = file.read(MIB)
        if not piece:
            return
        yield piece


def _line_at(place: int, file: BinaryIO) -> bytes:
    file.seek(place)
    return file.readline()


def repair(path: Path) -> int:
    """Cut off a last line that was torn by an interruption, and give the size (bytes) that is left.

    The file is being collected, so it is ours.
    """
    if not path.exists():
        return 0
    whole = 0
    refuse_other(path)
    with path.open("rb+") as file:
        for line in file:
            whole += 0 if _is_torn(line) else len(line)
        if whole < file.tell():  # else nothing is written, and the file keeps its time
            file.truncate(whole)
    return whole


def holds(path: Path, responses: Iterable[RecordedResponse]) -> bool:
    """Tell whether a file is there already as the responses would be written."""
    if not path.is_file():
        return False
    with opened(path) as file:
        lines = map(line_of, responses)
        return all(file.read(len(line)) == line for line in lines) and not file.read(1)


def superseded(path: Path, size: int) -> Iterator[tuple[RecordedResponse, RecordedResponse]]:
    """Give the last answers within the first `size` bytes and beyond, in pairs, where they differ.

    The file is never held: of what is compared only places and digests are kept. Lines that cannot
    be read are passed over, as whoever reads the evidence names them all.
    """
    before: dict[str, tuple[int, bytes]] = {}
    after: dict[str, tuple[int, bytes]] = {}
    with opened(path) as file:
        at = 0
        for line in file:
            with suppress(ValueError, RecursionError):
                response = _response(line, str(path))
                digest = sha256(
                    f"{response.status} {response.body}".encode("utf-8", "surrogatepass")
                ).digest()
                (before if at < size else after)[response.request] = at, digest
            at += len(line)
        for request, (place, digest) in after.items():
            if request in before and before[request][1] != digest:
                yield _response_at(before[request][0], file, path), _response_at(place, file, path)


def _too_much(path: Path, most: int) -> Problem:
    return Problem(
        source=str(path),
        message=f"the answers of this cycle need more than {most // MIB} MiB",
        hint="if that is right, raise `max_evidence_mib` under `source`, then go on",
    )


def _response_at(place: int, file: BinaryIO, path: Path) -> RecordedResponse:
    return _response(_line_at(place, file), str(path))


def sealed(path: Path) -> bytes:
    """Give the lines of a file sorted by request and instant, zipped: the last still counts."""
    order = sorted(
        (response.request, datetime.fromisoformat(response.fetched_at), place)
        for place, response in _scanned(path)
    )
    with opened(path) as file:
        lines = b"".join(_line_at(place, file) for _, _, (place, _) in order)
    return gzip.compress(lines, mtime=0)


def joined(path: Path, later: Path, target: Path) -> None:
    """Write the answers of two files one after the other, and see them to the disk."""
    with naming(target), target.open("wb") as file:
        for part in (path, later):
            with opened(part) as source:
                shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())


def appending(
    path: Path,
    first: Iterable[RecordedResponse],
    most: int,
    known: Callable[[RecordedResponse], bool] = lambda _: False,
) -> Callable[[RecordedResponse], None]:
    """Give a function that stores a response at the end of a file; `first` are stored now.

    What is `known` is not stored again, unless something else was answered meanwhile. Raises
    Rejected where the file would have more than `most` bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stored: set[str] = set()

    def append(response: RecordedResponse) -> None:
        if response.request not in stored and known(response):
            return
        stored.add(response.request)
        line = line_of(response)
        refuse_other(path)
        with naming(path), path.open("ab") as file:
            if file.tell() + len(line) > most:
                raise Rejected([_too_much(path, most)])
            file.write(line)

    for response in first:
        append(response)
    return append
