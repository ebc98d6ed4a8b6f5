"""What is tried without sending anything to anybody: the server, the messages, all of it to one.

Law: nothing here is recorded as sent.
"""

from dataclasses import replace
from pathlib import Path

from reportgen.archive.disk import write_through
from reportgen.archive.folder import private, refuse_links
from reportgen.archive.outbox import read_outbox
from reportgen.commands.send.carry import carried, courier_of
from reportgen.commands.send.errand import Errand
from reportgen.commands.send.report import MESSAGES, tell_messages, tell_rehearsal
from reportgen.core.delivery import interrupted, latest, queued
from reportgen.core.problem import Problem
from reportgen.core.text import slug
from reportgen.delivery.reach import Limits
from reportgen.documents.mail import AddressError, address
from reportgen.operations.context import DONE, Context, WrongUsage
from reportgen.operations.mail.courier import Forgetful
from reportgen.operations.mail.letters import refuse_addresses
from reportgen.operations.mail.mail_server import email_of, mail_server
from reportgen.operations.mail.mailing import Addressed, Mailing, domain_of
from reportgen.sources.config.configuration import Configuration

MIB = 1024 * 1024
SUFFIX = ".eml"


def check(configuration: Configuration, context: Context) -> int:
    """Reach the mail server, sign in, and say what it takes; nothing is sent."""
    email = email_of(configuration)
    refuse_addresses((), configuration)
    courier = courier_of(configuration, context)
    try:
        limits = courier.limits()
    finally:
        courier.close()
    server = mail_server(configuration, context)
    context.terminal.result(
        f"The mail server {server.place} can be used by {email.from_}: "
        f"sign-in {email.sign_in}, {limits.secured or 'not encrypted'}"
    )
    context.terminal.result(f"{_bounds(limits, email.per_minute)}; nothing was sent")
    context.terminal.values(
        {
            "server": server.place,
            "from": email.from_,
            "sign_in": email.sign_in,
            "secured": limits.secured or None,
            "largest_message": limits.size or None,
            "per_minute": email.per_minute,
            "sign_ins": list(limits.sign_ins),
            "extensions": list(limits.extensions),
        }
    )
    return DONE


def dry_run(errand: Errand, mailing: Mailing) -> int:
    """Write the messages that would be sent beside the outbox, and say who would get them."""
    at, due = errand.context.now(), errand.addressed
    known = latest(read_outbox(errand.outbox))
    known |= latest(interrupted(known, at))
    known |= latest(queued((one.delivery for one in due), known, at, domain_of(mailing)))
    due = [one for one in due if known[one.delivery.key].state == "pending"]
    mailing.write(one.letter for one in due)
    folder = errand.outbox.with_suffix(MESSAGES)
    paths = {}
    with private(group=errand.configuration.group_reads):
        _emptied(folder)
        for number, parcel in enumerate(mailing.parcels(due, known), start=1):
            delivery = parcel.dispatch.delivery
            path = folder / f"{number:04}-{slug(delivery.cost_center, '._-')}{SUFFIX}"
            write_through(path, parcel.content())
            paths[delivery.key] = path
    return tell_messages(errand, known, paths)


def rehearse(errand: Errand, mailing: Mailing, recipient: str) -> int:
    """Send every letter to one address instead; the outbox never hears of it."""
    try:
        address(recipient)
    except AddressError as error:
        hint = "write it as name@domain"
        raise WrongUsage(Problem(source="--to", message=str(error), hint=hint)) from error
    at = errand.context.now()
    due = [
        Addressed(letter=letter, delivery=letter.to(recipient), shown=(recipient,))
        for letter in errand.letters
        if letter.center.contacts
    ]
    due = [replace(one, delivery=replace(one.delivery, seal=f"rehearsal {at}")) for one in due]
    ledger = Forgetful(*queued((one.delivery for one in due), {}, at, domain_of(mailing)))
    mailing.write(one.letter for one in due)
    courier = courier_of(errand.configuration, errand.context)
    failure = carried(courier, mailing, due, ledger, errand.context)
    return tell_rehearsal(errand, due, ledger.known, failure)


def _bounds(limits: Limits, per_minute: int | None) -> str:
    size = (
        f"messages of up to {limits.size / MIB:.1f} MiB" if limits.size else "messages of any size"
    )
    pace = f"{per_minute} a minute are sent" if per_minute else "as fast as they go"
    return f"It takes {size}; {pace}"


def _emptied(folder: Path) -> None:
    """Remove the messages of the last time."""
    refuse_links(folder, ())
    for path in folder.glob(f"*{SUFFIX}"):
        path.unlink()
