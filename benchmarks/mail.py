"""How much slower `send` is than the barest loop over the same messages, to the same server.

    python -m benchmarks.mail [messages] [KiB of each]

Both talk to one server, aiosmtpd in a process of its own on this machine, over one connection in
clear text. The bare loop has its messages ready; `send` has them but for their files, which it
reads, checks and encodes one by one, and records each message before and after, on the disk.
"""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from reportgen.archive.outbox import opened_outbox
from reportgen.core.delivery import latest, queued
from reportgen.delivery.server import MailServer
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.mail import Words
from reportgen.operations.context import Context
from reportgen.operations.mail.courier import Courier, Parcel
from reportgen.operations.mail.letters import Letter
from reportgen.operations.mail.mailing import Mailing, addressed
from reportgen.sources.config.schema import EmailSection
from reportgen.terminal import Terminal
from tests.documents import beech

MESSAGES, SIZE, ROUNDS = 500, 300, 10
KIB = 1024
USER = "chargeback@acme.example"
WORDS = Words(subject="Invoice", text="A line.\n" * 50, page="<p>A line.</p>\n" * 200, locale="en")


def main(messages: int = MESSAGES, size: int = SIZE) -> None:
    """Print both times, and what the one is of the other; the two take turns."""
    bare = own = before = 0.0
    with TemporaryDirectory() as folder, _server() as port:
        letters = list(_letters(Path(folder), messages, size))
        each = max(1, messages // ROUNDS)
        for number in range(0, messages, each):
            begun = perf_counter()
            parcels = _parcels(letters[number : number + each])
            before += perf_counter() - begun
            outbox = Path(folder) / "deliveries" / f"{number}.jsonl"
            own += _own(port, parcels, outbox)
            bare += _bare(port, [parcel.content() for parcel in parcels])
    print(f"{messages} messages of {size} KiB: bare loop {bare:.1f} s, send {own:.1f} s")
    print(
        f"send takes {own / bare:.2f} times as long, and {before:.1f} s before the first goes out"
    )


def _context() -> Context:
    return Context(now=lambda: datetime.now(UTC), environment={}, terminal=Terminal(quiet=True))


def _parcels(letters: list[Letter]) -> list[Parcel]:
    mailing = Mailing(
        email=EmailSection.model_validate({"host": "127.0.0.1", "from": USER}),
        enterprise="Acme",
        design=beech.design(),
        context=_context(),
        workers=1,
        words={letter.hash: WORDS for letter in letters},
    )
    due = addressed(letters, ())
    begun = queued((one.delivery for one in due), {}, datetime.now(UTC), "acme.example")
    return mailing.parcels(due, latest(begun))


def _letters(folder: Path, messages: int, size: int) -> Iterator[Letter]:
    """Make letters, each with a PDF of two thirds and a workbook of a third of its size."""
    random, document = Random(1), _document()
    for number in range(messages):
        files = {}
        for suffix, part in ((".pdf", 2 * size // 3), (".xlsx", size - 2 * size // 3)):
            content = random.randbytes(part * KIB)
            (folder / f"{number}{suffix}").write_bytes(content)
            files[f"{number}{suffix}"] = sha256(content).hexdigest()
        center = replace(
            document.cost_center, code=f"CC-{number}", contacts=(f"{number}@acme.example",)
        )
        yield Letter(
            folder=folder,
            seal="5e" * 32,
            center=center,
            document=document,
            locale="en",
            files=files,
        )


def _document() -> InvoiceDocument:
    document = beech.task("R-1.pdf").document
    assert isinstance(document, InvoiceDocument)  # noqa: S101 - as the path says
    return document


def _bare(port: int, contents: list[bytes]) -> float:
    begun = perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number, content in enumerate(contents):
            server.sendmail(USER, [f"{number}@acme.example"], content)
    return perf_counter() - begun


def _own(port: int, parcels: list[Parcel], outbox: Path) -> float:
    server = MailServer(host="127.0.0.1", source="", security="plain", port=port)
    begun = perf_counter()
    courier = Courier(server, USER, None, _context())
    with opened_outbox(outbox) as ledger:
        ledger.record(*(parcel.dispatch for parcel in parcels))
        courier.deliver(parcels, ledger)
        courier.close()
        spent = perf_counter() - begun
        assert {one.state for one in ledger.known.values()} == {"sent"}  # noqa: S101 - or it says nothing
    return spent


@contextmanager
def _server() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.postoffice"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline() if process.stdout else 0)
        process.kill()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
