"""A small closed cycle that is to be mailed, and the mail server that it is mailed over."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tests.postoffice import PASSWORD, USER, PostOffice, open_office
from tests.scenarios.closed import succeeded
from tests.scenarios.job import ROOT, Job, Json, plain

BASE = ROOT / "tests" / "errors" / "base"
CONTACTS = {
    "CC-1001": ["platform@acme.example"],
    "CC-1002": ["pay@acme.example", "lead@acme.example"],
}
EVERYBODY = sorted(one for own in CONTACTS.values() for one in own)
CONFIGURED = """\
email:
  host: localhost
  port: {port}
  from: {user}
  reply_to: f@acme.example
{more}"""
BY_PASSWORD = "  password_env: MAIL_PASSWORD\n"


WORDS = {
    "email.subject.txt.j2": "{{ heading.status }} {{ document.number }}\n",
    "email.txt.j2": "{{ document.seal }}\n",
    "email.html.j2": "<html><body>{{ document.seal }}</body></html>\n",
}
"""Templates that cost nothing, for tests that do not read what is said."""


def worded(job: Job) -> Job:
    """Give a job the words that come with the program again."""
    for name in WORDS:
        (job.folder / "templates" / name).unlink()
    return job


def built(folder: Path) -> Job:
    """Build the draft of a cycle in which CC-9999 has no contact."""
    shutil.copytree(BASE, folder)
    job = plain(Job(folder))
    for name, text in WORDS.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    job.edit("mapping.yaml", "{name: Payments}", f"{{name: Payments, contacts: {_listed()}}}")
    succeeded(job.here("run"))
    return job


def closed(folder: Path) -> Job:
    """Close it."""
    job = built(folder)
    succeeded(job.here("close", "--accept", "as agreed"))
    return job


@dataclass(frozen=True)
class Mailed:
    """A cycle and the server it is mailed over."""

    job: Job
    office: PostOffice

    @property
    def outbox(self) -> Path:
        return self.job.archive / "deliveries" / "2025-12-05.jsonl"

    def send(self, *arguments: str) -> CompletedProcess[str]:
        return self.job.here("send", "--workers", "1", *arguments, MAIL_PASSWORD=PASSWORD)

    def sent(self, *arguments: str, code: int = 0) -> Json:
        """Send, and give what machines are told."""
        result = self.send("--json", *arguments)
        assert result.returncode == code, result.stderr
        values: Json = json.loads(result.stdout)
        return values

    def states(self, *arguments: str, code: int = 0) -> dict[str, str]:
        values = self.sent(*arguments, code=code)
        return {one["recipient"]: one["state"] for one in values["deliveries"]}

    def got(self) -> list[str]:
        return sorted(recipient for _, recipient in self.office.names())


@contextmanager
def mailed(
    job: Job, certificate: tuple[Path, Path], more: str = BY_PASSWORD, size: int = 0
) -> Iterator[Mailed]:
    """Serve a job's mail: by STARTTLS, signed in to by password where nothing else is said."""
    with open_office(certificate, sign_in=True, size=size) as office:
        with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
            file.write(CONFIGURED.format(port=office.port, user=USER, more=more))
        yield Mailed(job=job, office=office)


def _listed() -> str:
    return f"[{', '.join(CONTACTS['CC-1002'])}]"
