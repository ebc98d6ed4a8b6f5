"""`send`: each cost center gets its sealed documents by e-mail, once."""

from collections.abc import Sequence
from pathlib import Path

from reportgen.archive import manifest
from reportgen.archive.folder import cycle_folder, locked, refuse_unwritable
from reportgen.archive.outbox import opened_outbox, read_outbox
from reportgen.commands.send.carry import carried, courier_of
from reportgen.commands.send.errand import Errand, Wish, chosen, closed_links, refuse_closed
from reportgen.commands.send.report import tell
from reportgen.commands.send.trial import check, dry_run, rehearse
from reportgen.core.cycle import BillingCycle
from reportgen.core.delivery import (
    Dispatch,
    Known,
    interrupted,
    latest,
    queued,
    sent_again,
    settled,
)
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.operations.context import Context, WrongUsage
from reportgen.operations.cycles import archived_cycle
from reportgen.operations.mail.letters import (
    Letter,
    draft_letters,
    refuse_addresses,
    sealed_letters,
    without_contact,
)
from reportgen.operations.mail.mailing import Addressed, Mailing, domain_of, mailing_of
from reportgen.operations.opening import opened
from reportgen.operations.sealed.handing_out import faults_of, tell_changed
from reportgen.sources.config.configuration import Configuration


def send(config: Path, selector: str, wish: Wish, context: Context, workers: int) -> int:
    """Mail the documents of a cycle, once, or do with its outbox what was asked for."""
    configuration = opened(config, context)
    if wish.check:
        return check(configuration, context)
    if not wish.status:
        refuse_unwritable(configuration.archive, configuration.archive_source)
    cycle = archived_cycle(configuration, selector, context)
    if wish.preliminary:
        refuse_closed(configuration, cycle)
        folder = cycle_folder(configuration.archive, cycle.start)
        with locked(folder, group=configuration.group_reads):  # no build replaces what is sent
            letters = list(draft_letters(configuration, cycle, context))
            return _done(_errand(configuration, context, cycle, wish, letters), workers)
    chain = manifest.chain(configuration.archive)
    links = closed_links(configuration, cycle, chain)
    if faults := list(faults_of(links, chain)):
        return tell_changed(configuration.archive, faults, {"deliveries": []}, context)
    letters = list(sealed_letters(configuration, links))
    return _done(_errand(configuration, context, cycle, wish, letters), workers)


def _errand(
    configuration: Configuration,
    context: Context,
    cycle: BillingCycle,
    wish: Wish,
    letters: Sequence[Letter],
) -> Errand:
    """Put together what is to be done; raises WrongUsage for a cost center without a document."""
    return Errand(
        configuration=configuration,
        context=context,
        cycle=cycle,
        wish=wish,
        letters=chosen(letters, wish, configuration.mapping.cost_centers),
    )


def _done(errand: Errand, workers: int) -> int:
    """Say who has no contact, then do what was asked for."""
    configuration, context, wish = errand.configuration, errand.context, errand.wish
    context.terminal.problems(without_contact(errand.letters, configuration))
    refuse_addresses(errand.letters, configuration)
    if wish.status:
        known = latest(read_outbox(errand.outbox))
        return tell(errand, known, known)
    if wish.settle:
        return _settle(errand)
    mailing = mailing_of(configuration, context, workers)
    if wish.dry_run:
        return dry_run(errand, mailing)
    if wish.to:
        return rehearse(errand, mailing, wish.to)
    return _deliver(errand, mailing)


def _settle(errand: Errand) -> int:
    """Take what is uncertain for sent, as a person says; raises WrongUsage where nothing is."""
    _settled(errand, latest(read_outbox(errand.outbox)))
    with opened_outbox(errand.outbox, group=errand.configuration.group_reads) as outbox:
        before = dict(outbox.known)
        outbox.record(*_settled(errand, outbox.known))
        return tell(errand, outbox.known, before)


def _settled(errand: Errand, known: Known) -> list[Dispatch]:
    """Say what a person takes for sent; raises WrongUsage for a cost center with nothing open."""
    at, codes = errand.context.now(), {*errand.wish.settle}
    cut_off = interrupted(known, at)
    known = {**known, **latest(cut_off)}
    meant = [one.delivery for one in known.values() if one.delivery.cost_center in codes]
    now_sent = settled(meant, known, at)
    if idle := codes - {one.delivery.cost_center for one in now_sent}:
        message = f"nothing that was sent to {quoted(min(idle))} is uncertain"
        hint = "`reportgen send CONFIG --cycle C --status` shows what is"
        raise WrongUsage(Problem(source="--settle", message=message, hint=hint))
    return [*cut_off, *now_sent]


def _deliver(errand: Errand, mailing: Mailing) -> int:
    """Send what is not sent yet: drawn first, then recorded, then carried."""
    domain = domain_of(mailing)
    _, due = _begun(errand, latest(read_outbox(errand.outbox)), domain)
    mailing.write(one.letter for one in due)
    courier = courier_of(errand.configuration, errand.context) if due else None
    with opened_outbox(errand.outbox, group=errand.configuration.group_reads) as outbox:
        before = dict(outbox.known)
        begun, still_due = _begun(errand, outbox.known, domain)
        outbox.record(*begun)
        due = [one for one in due if one in still_due]  # another run may have sent some meanwhile
        failure = carried(courier, mailing, due, outbox, errand.context) if courier else None
        return tell(errand, outbox.known, before, failure)


def _begun(errand: Errand, known: Known, domain: str) -> tuple[list[Dispatch], list[Addressed]]:
    """Say what is to be recorded before anything is sent, and what is to be sent then."""
    at, all_addressed = errand.context.now(), errand.addressed
    deliveries = [one.delivery for one in all_addressed]
    begun = [*interrupted(known, at), *queued(deliveries, known, at, domain)]
    known = {**known, **latest(begun)}
    for code in dict.fromkeys(errand.wish.resend):
        own = [one for one in deliveries if one.cost_center == code]
        begun += sent_again(own, known, at, domain)
    known = {**known, **latest(begun)}
    return begun, [one for one in all_addressed if known[one.delivery.key].state == "pending"]
