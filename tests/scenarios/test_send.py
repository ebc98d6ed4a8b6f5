"""`send`: each cost center gets its sealed documents, once, whatever happens on the way."""

import hashlib
import json
import os
import subprocess
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from reportgen.archive.outbox import opened_outbox
from reportgen.operations.mail import courier
from tests.delivery.test_tokens import token_server
from tests.postoffice import DROP, END, PASSWORD, TOKEN, USER, Received, certified
from tests.scenarios.corrected import TICKET, correct
from tests.scenarios.job import DECEMBER, ROOT, Job, once
from tests.scenarios.mailed import (
    BY_PASSWORD,
    CONTACTS,
    EVERYBODY,
    Mailed,
    built,
    closed,
    mailed,
    worded,
)
from tests.scenarios.test_correct import restate

FILES = ("CB-2025-12-05-CC-1001.pdf", "CB-2025-12-05-CC-1001.xlsx")
NOBODY = 'mapping.yaml:4: warning: "CC-9999" has no contact: CB-2025-12-05-CC-9999 goes to nobody; '


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    return certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def closed_for_mail(shared) -> Job:
    return Job(once(shared, "closed-for-mail", closed))


@pytest.fixture(autouse=True)
def at_once(no_certificates, certificate, monkeypatch) -> None:
    """Trust the server of these tests, and wait for nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setattr(courier, "WAITS", (0.0,))


@pytest.fixture
def mail(closed_for_mail, certificate, tmp_path):
    with mailed(closed_for_mail.copied(tmp_path / "job"), certificate) as one:
        yield one


def failing(verb, answer, address=""):
    return lambda asked, said: answer if asked == verb and address in said else None


def to(mail: Mailed, recipient: str) -> Received:
    (found,) = (one for one in mail.office.received if one.recipients == (recipient,))
    return found


# What arrives


def test_everybody_gets_the_sealed_documents_once(mail):
    worded(mail.job)
    seal = hashlib.sha256((mail.job.cycle() / "manifest.json").read_bytes()).hexdigest()
    first = mail.send()
    assert first.returncode == 0, first.stderr
    assert mail.got() == EVERYBODY
    message = to(mail, "platform@acme.example").message
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert attached == {name: (mail.job.cycle() / "invoices" / name).read_bytes() for name in FILES}
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert seal in text
        assert "PRELIMINARY" not in text
    assert message["From"].addresses[0].display_name == "Acme Corporation"
    assert message["Subject"].startswith("Chargeback invoice CB-2025-12-05-CC-1001: Platform")
    assert message["Reply-To"] == "f@acme.example"
    shown = to(mail, "lead@acme.example").message["To"].addresses
    assert [one.addr_spec for one in shown] == CONTACTS["CC-1002"]

    second = mail.send()
    assert second.returncode == 0
    assert mail.got() == EVERYBODY
    assert second.stdout.count("sent before") == 3 + 1
    assert "3 messages: 3 sent before" in second.stdout


def test_who_has_no_contact_is_said_before_anything_is_sent(mail):
    mail.office.fault = failing("MAIL", "550 nobody may send")
    lines = mail.send().stderr.splitlines()
    (place,) = (number for number, line in enumerate(lines) if NOBODY in line)
    assert place < lines.index("Sending …")


def test_who_names_a_cost_center_without_documents_is_not_led_to_those_of_another(mail):
    mail.job.edit("mapping.yaml", "cost_centers:\n", "cost_centers:\n  CC-1009: {name: Idle}\n")
    for code, hint in (
        ("CC-1009", "name the code of one that has"),
        ("CC-1003", 'did you mean "CC-1002"?'),
    ):
        said = mail.send("--only", code)
        assert said.returncode == 2
        assert f'"{code}" has no document in this billing cycle; {hint}' in said.stderr
    assert not mail.outbox.exists()


@pytest.mark.heavy
def test_a_draft_goes_only_when_it_is_asked_for_and_says_so(certificate, tmp_path, shared):
    job = worded(Job(once(shared, "built-for-mail", built)).copied(tmp_path / "job"))
    with mailed(job, certificate) as mail:
        refused = mail.send()
        assert refused.returncode == 1
        assert "or send the draft with --preliminary" in refused.stderr
        assert mail.states("--preliminary") == dict.fromkeys(EVERYBODY, "sent")
        for one in mail.office.received:
            assert one.message["Subject"].startswith("PRELIMINARY: ")
        assert mail.states("--preliminary") == dict.fromkeys(EVERYBODY, "sent")
        assert len(mail.office.received) == 3
        job.edit("rates.yaml", "devin: 2.00", "devin: 3.00")
        stale = mail.send("--preliminary")
        assert stale.returncode == 1
        assert "come to something else than was built" in stale.stderr
        assert job.here("close", "--accept", "as agreed").returncode == 0
        assert mail.send("--preliminary").returncode == 1
        assert mail.states() == dict.fromkeys(EVERYBODY, "sent")
        assert len(mail.office.received) == 6


@pytest.mark.heavy
def test_copies_are_seen_by_nobody(closed_for_mail, certificate, tmp_path):
    job = closed_for_mail.copied(tmp_path / "job")
    copies = f"{BY_PASSWORD}  bcc: [archive@acme.example, PAY@acme.example]\n"
    with mailed(job, certificate, copies) as mail:
        mail.sent()
        assert mail.got() == sorted([*EVERYBODY, "PAY@acme.example", *["archive@acme.example"] * 2])
        for one in mail.office.received:
            assert b"archive@" not in one.content


@pytest.mark.heavy
def test_what_is_too_large_goes_without_the_workbook(closed_for_mail, certificate, tmp_path):
    job = worded(closed_for_mail.copied(tmp_path / "job"))
    with mailed(job.copied(tmp_path / "tried"), certificate) as mail:
        folder = Path(mail.sent("--dry-run")["folder"])
        whole = (folder / "0001-CC-1001.eml").stat().st_size
    with mailed(job, certificate, size=whole - 1) as mail:
        mail.sent()
        message = to(mail, "platform@acme.example").message
        assert [part.get_filename() for part in message.iter_attachments()] == [FILES[0]]
        for kind in ("plain", "html"):
            text = " ".join(message.get_body((kind,)).get_content().split())
            assert f"{FILES[1]} is too large for the mail server, and is not attached" in text
        (line,) = (
            line
            for line in map(json.loads, mail.outbox.read_text().splitlines())
            if (line["state"], line["recipient"]) == ("sent", "platform@acme.example")
        )
        assert list(line["files"]) == [f"invoices/{FILES[0]}"]
    with mailed(closed_for_mail.copied(tmp_path / "other"), certificate, size=9000) as mail:
        assert set(mail.states(code=4).values()) == {"failed"}
        assert mail.office.received == []


@pytest.mark.heavy
def test_a_correction_goes_the_same_way_to_whom_it_concerns(closed_for_mail, certificate, tmp_path):
    job = worded(closed_for_mail.copied(tmp_path / "job"))
    with mailed(job, certificate) as mail:
        assert mail.states() == dict.fromkeys(EVERYBODY, "sent")
        restate(job, 1, "cascade", 1, "daily/users/email%7C0001")
        (note,) = correct(job)["notes"]
        assert note["cost_center"] == "CC-1001"
        values = mail.sent()
        assert len(values["deliveries"]) == 4
        assert len(mail.office.received) == 4
        message = mail.office.received[-1].message
        folder = job.archive / "2025-12-05.c1"
        attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
        assert attached == {
            path.name: path.read_bytes()
            for path in (folder / "notes").iterdir()
            if path.name.startswith(note["number"])
        }
        assert message["Subject"].startswith(f"Chargeback debit note {note['number']}: ")
        seal = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
        for kind in ("plain", "html"):
            text = " ".join(message.get_body((kind,)).get_content().split())
            for word in (seal, note["number"], "CB-2025-12-05-CC-1001", TICKET):
                assert word in text
        assert mail.sent()["deliveries"][-1]["before"] is True


# Once


def test_what_was_refused_or_put_off_ends_with_4_and_a_way_out(mail):
    mail.office.fault = failing("RCPT", "550 5.1.1 nobody of that name", "lead")
    result = mail.send()
    assert result.returncode == 4
    assert "to lead@acme.example was refused: 550 5.1.1 nobody of that name" in result.stderr
    assert "--resend CC-1002" in result.stderr
    mail.office.fault = failing("RCPT", "451 4.7.1 come back")
    assert mail.states("--resend", "CC-1002", code=4)["lead@acme.example"] == "pending"
    left = mail.send()
    assert left.returncode == 4
    assert "1 message is still to be sent; the last answer was: 451 4.7.1" in left.stderr
    mail.office.fault = failing("", "")
    assert mail.states() == dict.fromkeys(EVERYBODY, "sent")
    assert mail.got() == EVERYBODY


def test_what_is_uncertain_is_listed_until_a_person_settles_it(mail):
    mail.office.fault = failing(END, DROP)
    assert mail.states("--only", "CC-1001", code=4) == {"platform@acme.example": "uncertain"}
    mail.office.fault = failing("", "")
    again = mail.send()
    assert again.returncode == 4
    (line,) = (line for line in again.stderr.splitlines() if "nobody knows" in line)
    name = json.loads(mail.outbox.read_text().splitlines()[0])["message_id"]
    assert f"its Message-ID is {name}" in line
    assert "`--settle CC-1001=sent`, or `--resend CC-1001`" in line
    assert "platform@acme.example" not in mail.got()
    assert mail.send("--status").returncode == 4
    assert mail.states("--settle", "CC-1001=sent") == {"platform@acme.example": "sent"}
    assert mail.states("--status") == dict.fromkeys(EVERYBODY, "sent")
    assert mail.send("--settle", "CC-1001=sent").returncode == 2
    assert "platform@acme.example" not in mail.got()


@pytest.mark.heavy
def test_what_was_sent_goes_again_only_on_purpose_and_under_another_name(mail):
    mail.sent()
    mail.sent("--resend", "CC-1001")
    assert mail.got() == sorted([*EVERYBODY, "platform@acme.example"])
    assert len({name for name, _ in mail.office.names()}) == 4


@pytest.mark.heavy
def test_a_new_contact_gets_what_the_others_had_before(mail):
    mail.sent()
    mail.job.edit(
        "mapping.yaml", "platform@acme.example", "PLATFORM@acme.example, new@acme.example"
    )
    values = mail.sent()
    before = {one["recipient"]: one["before"] for one in values["deliveries"]}
    assert before["PLATFORM@acme.example"] is True
    assert before["new@acme.example"] is False
    assert mail.got() == sorted([*EVERYBODY, "new@acme.example"])


@pytest.mark.heavy
def test_two_runs_at_once_send_nothing_twice(mail):
    with opened_outbox(mail.outbox):
        result = mail.send()
    assert result.returncode == 1
    assert "another run is sending the documents of this billing cycle" in result.stderr
    assert mail.office.received == []


# What may not go out


def test_what_was_changed_since_the_close_stays(mail):
    path = mail.job.cycle() / "invoices" / FILES[0]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"\n")
    result = mail.send()
    assert result.returncode == 3
    assert f"{path}: its hash is" in result.stderr
    assert not mail.outbox.exists()
    assert mail.office.commands == []


def test_a_mistake_in_a_template_stops_all_before_the_first(mail):
    (mail.job.folder / "templates" / "email.txt.j2").write_text("{{ document.nobody }}\n")
    result = mail.send()
    assert result.returncode == 1
    assert "email.txt.j2:1: " in result.stderr
    assert not mail.outbox.parent.exists()
    assert mail.office.commands == []


@pytest.mark.heavy
def test_an_address_that_no_server_takes_stops_all_before_the_first(mail):
    mail.job.edit("mapping.yaml", "lead@acme.example", "führung@acme.example, a@straße.example")
    result = mail.send()
    assert result.returncode == 1
    assert 'mapping.yaml:3: "führung@acme.example" has letters beyond a to z' in result.stderr
    assert "mapping.yaml:3: the domain of " in result.stderr
    assert mail.office.commands == []


# Tried


def test_a_dry_run_writes_what_would_be_sent_and_sends_nothing(mail):
    values = mail.sent("--dry-run")
    folder = Path(values["folder"])
    assert mail.office.commands == []
    assert not mail.outbox.exists()
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == [
        "0001-CC-1001.eml",
        "0002-CC-1002.eml",
        "0003-CC-1002.eml",
    ]
    mail.sent("--only", "CC-1001")
    assert mail.states("--dry-run")["platform@acme.example"] == "sent"
    assert {path.name for path in folder.iterdir()} == {"0001-CC-1002.eml", "0002-CC-1002.eml"}
    message = message_from_bytes(next(folder.iterdir()).read_bytes(), policy=default)
    assert not message.defects


def test_a_draft_is_looked_at_before_it_is_sent(certificate, tmp_path, shared):
    job = Job(once(shared, "built-for-mail", built)).copied(tmp_path / "job")
    with mailed(job, certificate) as mail:
        values = mail.sent("--preliminary", "--dry-run")
        assert len(list(Path(values["folder"]).iterdir())) == 3
        assert mail.office.commands == []


def test_whom_a_rehearsal_goes_to_has_an_address(mail):
    refused = mail.send("--to", "me")
    assert refused.returncode == 2
    assert "write it as name@domain" in refused.stderr


def test_a_rehearsal_sends_all_to_one_and_records_nothing(mail):
    values = mail.sent("--to", "me@acme.example")
    assert [one["state"] for one in values["deliveries"]] == ["sent", "sent"]
    assert mail.got() == ["me@acme.example"] * 2
    for one in mail.office.received:
        assert one.message["To"] == "me@acme.example"
    assert not mail.outbox.exists()
    names = {name for name, _ in mail.office.names()}
    assert mail.states() == dict.fromkeys(EVERYBODY, "sent")
    assert names.isdisjoint(name for name, one in mail.office.names() if one != "me@acme.example")
    mail.office.fault = failing(END, DROP)
    assert set(mail.states("--to", "me@acme.example", code=4).values()) == {"uncertain"}


def test_the_server_is_tried_without_a_message(mail):
    result = mail.send("--check")
    assert result.returncode == 0
    assert f"can be used by {USER}: sign-in password, TLSv1." in result.stdout
    assert "MAIL" not in mail.office.commands
    mail.office.fault = failing("AUTH", "535 5.7.139 basic authentication is disabled")
    refused = mail.send("--check")
    assert refused.returncode == 4
    assert "535 5.7.139 basic authentication is disabled" in refused.stderr


def test_the_status_says_what_was_never_sent(mail):
    assert set(mail.states("--status", code=4).values()) == {"unsent"}
    assert not mail.outbox.exists()


# Secrets


@pytest.mark.heavy
def test_no_secret_is_anywhere(mail, tmp_path):
    def repeating(verb, said):
        return f"550 5.7.1 {PASSWORD} is what you said" if verb == END else None

    mail.office.fault = repeating
    said = [mail.send(*arguments) for arguments in ((), ("--json",), ("--status",), ("--check",))]
    mail.office.fault = failing("AUTH", f"535 {PASSWORD}")
    said.append(mail.send("--resend", "CC-1001"))
    words = "".join(one.stdout + one.stderr for one in said)
    assert "[secret]" in words
    assert PASSWORD not in words
    for path in mail.job.folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


COMMAND = f"""\
  auth: xoauth2
  token_command: [{sys.executable}, -c, "print('{TOKEN}')"]
"""
SERVER = """\
  auth: xoauth2
  client_credentials: {{token_url: "{url}", client_id: a, client_secret_env: SECRET, scope: b}}
"""


def test_a_token_comes_from_a_command_or_a_server_and_is_seen_nowhere(
    closed_for_mail, certificate, tmp_path
):
    secret = "cl1ent-s3cret"
    with token_server(200, json.dumps({"access_token": TOKEN})) as (url, asked):
        for name, more in (("command", COMMAND), ("server", SERVER.format(url=url))):
            job = closed_for_mail.copied(tmp_path / name)
            with mailed(job, certificate, more) as mail:
                done = job.here("send", "--workers", "1", SECRET=secret)
                assert done.returncode == 0, done.stderr
                assert mail.got() == EVERYBODY
                mail.office.fault = failing("AUTH", f"535 {TOKEN} {secret}")
                refused = job.here("send", "--check", SECRET=secret)
                assert refused.returncode == 4
            words = done.stdout + done.stderr + refused.stdout + refused.stderr
            words += mail.outbox.read_text()
            assert TOKEN not in words
    assert [one["client_secret"] for one in asked] == [[secret]] * 2


def test_a_password_that_is_not_set_is_named_by_its_line(mail):
    result = mail.job.here("send", "--check")
    assert result.returncode == 1
    assert "the environment variable MAIL_PASSWORD is not set" in result.stderr


@pytest.mark.heavy
def test_the_server_is_not_needed_where_nothing_is_to_be_sent(mail):
    mail.sent()
    assert mail.job.here("send").returncode == 0


@pytest.mark.heavy
def test_a_process_that_is_killed_is_made_good_by_the_next(mail):
    """As a user's shell runs it: killed while the server has the message and has not answered."""
    process: list[subprocess.Popen] = []

    def killing(verb, said):
        if verb == END and not mail.office.received:
            process[0].kill()
            process[0].wait()

    mail.office.fault = killing
    command = [sys.executable, "-m", "reportgen", "send", str(mail.job.folder), "--cycle", DECEMBER]
    environment = {"MAIL_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}
    environment["SSL_CERT_FILE"] = os.environ["SSL_CERT_FILE"]
    process.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    assert process[0].wait() == -9
    states = mail.states(code=4)
    assert states.pop("platform@acme.example") == "uncertain"
    assert set(states.values()) == {"sent"}
    assert mail.got() == EVERYBODY
