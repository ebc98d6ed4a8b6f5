"""What there is to be mailed of a cycle: a letter for each document of a cost center.

Laws: what a closed folder is sent with is what its manifest lists. Its words are drawn of the
folder's own inputs, by the templates of today; whom they go to is what the mapping says today, as a
missing address is only seen when it is needed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from reportgen.archive import manifest
from reportgen.archive.draft import refuse_torn
from reportgen.archive.folder import STATEMENT, cycle_folder
from reportgen.archive.manifest import Sealed
from reportgen.archive.untrusted import statement_of
from reportgen.core.comparing.differences import of_statements, of_what_both_know
from reportgen.core.cycle import BillingCycle
from reportgen.core.delivery import Delivery
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import address as compared
from reportgen.core.text import quoted
from reportgen.derive import derive
from reportgen.documents.content.credit_note import CreditNoteDocument
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.mail import AddressError, address
from reportgen.documents.tasks import Task
from reportgen.documents.templating.templates import read_templates
from reportgen.files import content_of
from reportgen.operations.building.archived import rederived
from reportgen.operations.building.artifacts import design_of, everybody, tasks
from reportgen.operations.building.built import refuse_changed, written_statement
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration

Mailed = InvoiceDocument | CreditNoteDocument
ATTACHED = (".pdf", ".xlsx")
"""What a letter has of a document, in this order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A document to be mailed: `files` are its own by their path in `folder`, with their hashes.

    The first is the PDF. `center` is the cost center as it is declared today, `seal` that of the
    folder, empty for a draft; the locale is that of the document.
    """

    folder: Path
    seal: str
    center: CostCenter
    document: Mailed
    locale: str
    files: Mapping[str, str]

    @property
    def number(self) -> str:
        """The number of the invoice or note."""
        if isinstance(self.document, InvoiceDocument):
            return self.document.invoice.number or ""
        return self.document.amounts.number

    @property
    def hash(self) -> str:
        """The sha256 of its PDF."""
        return next(iter(self.files.values()))

    def content(self, name: str) -> bytes:
        """Read a file, which must be the one that was meant; raises Rejected."""
        content = content_of(self.folder / name)
        if sha256(content).hexdigest() != self.files[name]:
            message = "was changed since it was to be sent; it stays here"
            hint = "see `reportgen verify`, or build the draft again"
            raise Rejected([Problem(source=str(self.folder / name), message=message, hint=hint)])
        return content

    def to(self, recipient: str) -> Delivery:
        """Say what is on its way where it goes to an address."""
        return Delivery(
            cost_center=self.center.code,
            number=self.number,
            document=self.hash,
            recipient=recipient,
            seal=self.seal,
        )


def sealed_letters(configuration: Configuration, links: Iterable[Sealed]) -> Iterator[Letter]:
    """Give the letters of closed folders, corrections included; raises Rejected."""
    for link in links:
        again = rederived(link.folder)
        _refuse_other_words(link.folder, again.files[STATEMENT])
        hashes = manifest.hashes_of(link.folder)
        yield from _letters(configuration, link.folder, link.seal, again.listed, hashes)


def draft_letters(
    configuration: Configuration, cycle: BillingCycle, context: Context
) -> Iterator[Letter]:
    """Give the letters of a draft, as it lies there; raises Rejected where it is of other days."""
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_torn(folder)
    written = written_statement(folder)
    inputs = stored_inputs(configuration, cycle, context)
    derived = derive(inputs)
    refuse_changed(folder, written, derived.statement)
    design = design_of(configuration, read_templates(configuration.templates))
    listed = tasks(derived, everybody(inputs, derived), design)
    hashes = {
        task.path: manifest.hash_of(folder / task.path)
        for task in listed
        if isinstance(task.document, InvoiceDocument)
    }
    yield from _letters(configuration, folder, "", listed, hashes)


def recipients(letter: Letter, copies: Iterable[str]) -> list[str]:
    """List who gets a letter, each once: the contacts, and where there are any, the copies."""
    named: dict[str, str] = {}
    for one in (*letter.center.contacts, *copies) if letter.center.contacts else ():
        named.setdefault(compared(one), one)
    return list(named.values())


def refuse_addresses(letters: Iterable[Letter], configuration: Configuration) -> None:
    """Raise Rejected with every address that no message can be sent to or from, by its line."""
    centers = {letter.center.code: letter.center for letter in letters}.values()
    named = [(contact, center.source) for center in centers for contact in center.contacts]
    problems = [problem for text, source in named for problem in _of(text, source)]
    email, lines = configuration.settings.email, configuration.email_sources
    own = [(email.from_, "from"), (email.reply_to, "reply_to")] if email else []
    own += [(one, "bcc") for one in email.bcc] if email else []
    of_own = [problem for text, key in own if text for problem in _of(text, lines[key])]
    if problems or of_own:
        raise Rejected([*of_own, *configuration.located(problems)])


def without_contact(letters: Sequence[Letter], configuration: Configuration) -> list[Problem]:
    """Warn of every document that goes to nobody."""
    return configuration.located(
        Problem(
            source=letter.center.source,
            message=f"{quoted(letter.center.code)} has no contact: {letter.number} goes to nobody",
            hint=f"add {contacts_in(letter.center.source)} to the cost center",
            warning=True,
            code="contacts-missing",
        )
        for letter in letters
        if not letter.center.contacts
    )


def contacts_in(source: str) -> str:
    """Say how contacts are written where a cost center is declared: in YAML, or in a table.

    >>> contacts_in("mapping.yaml:7"), contacts_in("centers.xlsx:2")
    ('`contacts: [name@domain]`', 'addresses in the column of contacts')
    """
    if source.rpartition(":")[0].endswith((".yaml", ".yml")):
        return "`contacts: [name@domain]`"
    return "addresses in the column of contacts"


def _letters(
    configuration: Configuration,
    folder: Path,
    seal: str,
    listed: Iterable[Task],
    hashes: Mapping[str, str],
) -> Iterator[Letter]:
    """Put the documents of each cost center together, in the order of their codes."""
    today = {center.code: center for center in configuration.mapping.cost_centers}
    mailed: dict[str, list[tuple[Task, Mailed]]] = {}
    for task in listed:
        if isinstance(task.document, Mailed) and task.path.endswith(ATTACHED):
            code = task.document.cost_center.code
            mailed.setdefault(code, []).append((task, task.document))
    for code, own in sorted(mailed.items()):
        own.sort(key=lambda pair: pair[0].path.endswith(ATTACHED[1:]))
        task, document = own[0]
        yield Letter(
            folder=folder,
            seal=seal,
            center=today.get(code) or replace(document.cost_center, contacts=()),
            document=document,
            locale=task.locale,
            files={task.path: hashes[task.path] for task, _ in own},
        )


def _of(text: str, source: str) -> Iterator[Problem]:
    try:
        address(text)
    except AddressError as error:
        hint = "correct the address, or name another"
        yield Problem(source=source, message=str(error), hint=hint)


def _refuse_other_words(folder: Path, made: bytes) -> None:
    """Raise Rejected where an e-mail would say another figure than the document that it brings."""
    path = folder / STATEMENT
    sealed = content_of(path)
    if sealed == made:
        return
    then, now = statement_of(sealed), json.loads(made)
    others = list(of_what_both_know(of_statements(STATEMENT, then, now), then, now))
    if others:
        message = f"this version would say another figure than was sealed: {others[0]}"
        hint = "send with the version that closed the cycle, and see `reportgen verify`"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)])
