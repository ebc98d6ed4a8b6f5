"""What the folder of a cycle holds: its inputs as they were used, tables, and what is rendered.

Documents are functions of the inputs alone. Who may be recognised in them is decided here, once for
all of them and for what is attached to them (core/written/privacy.py).
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from reportgen.archive import corrections, cycle_file, evidence, history, people, standing
from reportgen.archive.cycle_file import CYCLE, DraftOf
from reportgen.archive.folder import (
    ACCEPTED,
    ASSETS,
    CONFIGURATION,
    CORRECTION,
    DIRECTORY,
    FONTS,
    HISTORY,
    ISSUED,
    LEDGER,
    NOTES,
    README,
    STANDING,
    STATEMENT,
    TEMPLATES,
    TIE_OUT,
    UNALLOCATED,
    VERSIONS,
)
from reportgen.core.allocating.directory import joined, numbered, with_answered
from reportgen.core.allocating.unallocated import UnallocatedRow, unallocated_rows
from reportgen.core.allocating.user_file import with_names
from reportgen.core.model import Allocation, Directory, Principal, RecordedResponse
from reportgen.core.written.correction_json import correction_json, notes_csv
from reportgen.core.written.privacy import redacted
from reportgen.core.written.readme import readme
from reportgen.core.written.statement_json import statement_json
from reportgen.core.written.tables import (
    by_organization_csv,
    ledger_pieces,
    tie_out_csv,
    unallocated_csv,
)
from reportgen.derive import Derived, Inputs
from reportgen.documents.content.attachments import attachments
from reportgen.documents.tasks import Design, Listing, correction_tasks, tasks_of
from reportgen.files import content_of
from reportgen.operations.building.readiness import fonts_of, versions_in, versions_json
from reportgen.operations.collecting.refusals import encode_accepted
from reportgen.sources.config.configuration import Configuration

LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


def design_of(configuration: Configuration, templates: Mapping[str, str]) -> Design:
    """Say what documents look like: templates by name, the logo, and what `invoice:` sets."""
    settings = configuration.settings.invoice
    return Design(
        templates=templates,
        accent=settings.accent,
        locale=settings.locale,
        logo=_embedded(configuration.logo) if configuration.logo else None,
        note=settings.note,
        summaries=settings.summaries,
        users=settings.users,
        detail=settings.detail,
        most_detail_rows=settings.max_detail_rows,
        most_rows=settings.max_rows,
        tie_out=settings.tie_out,
    )


def input_files(
    inputs: Inputs, known: Directory, templates: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield what documents are made of, but for the evidence; `known` is everybody."""
    for name, content in inputs.configuration.files.items():
        yield f"{CONFIGURATION}/{name}", content
    for name, text in templates.items():
        yield f"{TEMPLATES}/{name}", text.encode()
    yield VERSIONS, versions_json()
    for name, content in fonts_of(inputs.configuration).items():
        yield f"{FONTS}/{name}", content
    for path in _assets(inputs):
        yield f"{ASSETS}/{path.name}", content_of(path)
    yield DIRECTORY, people.encode(known)
    yield HISTORY, history.encode(inputs.earlier, inputs.year)
    if inputs.correcting:
        yield STANDING, standing.encode(inputs.correcting.standing)
    if inputs.corrections:
        yield ISSUED, corrections.encode(inputs.corrections)
    if inputs.accepted:
        yield ACCEPTED, encode_accepted(inputs.accepted)


def ledger_of(
    allocations: Iterable[Allocation], marks: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Give the ledger with its path, piece by piece; `marks` name answers (`marks_of`)."""
    for piece in ledger_pieces(allocations, marks):
        yield LEDGER, piece.encode()


def table_files(inputs: Inputs, derived: Derived) -> dict[str, bytes]:
    """Give the statement, and all tables but the ledger, by their path."""
    texts = {
        STATEMENT: statement_json(derived.statement),
        TIE_OUT: tie_out_csv(derived.statement.tie_out_rows),
        UNALLOCATED: unallocated_csv(
            _unallocated(inputs, derived), derived.statement.heading.decimals
        ),
        "by_organization.csv": by_organization_csv(
            derived.statement.by_organization, derived.statement.heading.decimals
        ),
    }
    if notes := derived.notes:
        texts[CORRECTION] = correction_json(notes, derived.statement)
        texts[NOTES] = notes_csv(notes, derived.statement)
    return {name: text.encode() for name, text in texts.items()}


def readme_file(derived: Derived, versions: bytes) -> bytes:
    """Give the text that explains a folder, by the file that names the versions of what made it."""
    return readme(derived.statement, versions_in(versions)).encode()


def draft_files(
    inputs: Inputs, derived: Derived, known: Directory, templates: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield everything in a draft but documents and evidence; a large file piece by piece."""
    for name, content in input_files(inputs, known, templates):
        yield name, content
        if name == VERSIONS:
            yield README, readme_file(derived, content)
    yield CYCLE, cycle_file.encode(DraftOf(cycle=inputs.cycle, keys=inputs.configuration.keys))
    yield from table_files(inputs, derived).items()
    yield from ledger_of(derived.allocations, marks_of(inputs.responses))


def tasks(derived: Derived, known: Directory, design: Design) -> Listing:
    """List the documents, with people as they may be shown; `known` is everybody."""
    statement, shown = redacted(derived.statement, known, design.users)
    attached = attachments(statement, shown, design.tie_out)
    if derived.notes:
        return correction_tasks(derived.notes, statement, shown, design, attached)
    return tasks_of(statement, shown, design, attached)


def everybody(inputs: Inputs, derived: Derived) -> Directory:
    """Give who is in this cycle, was in an earlier one, or has left since: each with a number.

    Documents take sessions from the statement: all others, of which there may be very many, go.
    """
    people = replace(derived.directory, sessions={})
    known = with_answered(joined(people, inputs.remembered), _left(derived), ())
    return numbered(with_names(known, inputs.configuration.mapping), _secret(inputs))


def marks_of(responses: Mapping[str, RecordedResponse]) -> Mapping[str, str]:
    """Give the requests with more than one answer, as tables name the one that counts.

    In memory there is one to each.
    """
    return responses.marked() if isinstance(responses, evidence.Stored) else {}


def _left(derived: Derived) -> list[Principal]:
    """Name who used ACUs in the cycle before and none in this one."""
    variance = derived.statement.variance
    if variance is None:
        return []
    return [left for change in variance.by_cost_center.values() for left in change.vanished]


def _secret(inputs: Inputs) -> str:
    """Give what only the evidence tells."""
    digest = sha256()
    for request in sorted(inputs.responses):
        digest.update(inputs.responses[request].body.encode(errors="surrogatepass"))
    return digest.hexdigest()


def _embedded(logo: Path) -> str:
    return f"data:{LOGO_TYPES[logo.suffix.lower()]};base64,{b64encode(content_of(logo)).decode()}"


def _assets(inputs: Inputs) -> list[Path]:
    """Give what travels with the cycle: the logo, and the vendor's invoice where it is a file."""
    configuration = inputs.configuration
    invoice = configuration.rate_card.vendor_invoices.get(inputs.cycle.start)
    document = configuration.assets[invoice.document] if invoice and invoice.document else None
    return [path for path in (configuration.logo, document) if path]


def _unallocated(inputs: Inputs, derived: Derived) -> list[UnallocatedRow]:
    return unallocated_rows(
        derived.allocations,
        (line for lines in derived.charges.lines.values() for line in lines),
        inputs.configuration.mapping,
        derived.directory,
        decimals=derived.statement.heading.decimals,
        day=inputs.cycle.previous_day(),
    )
