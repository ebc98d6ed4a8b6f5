"""How a cycle is booked, as the keys of `journal` say it, and what they must not say."""

from collections.abc import Collection, Iterator
from pathlib import Path

from reportgen import resources
from reportgen.core.booking.journal import ANY_ENTITY, Posting
from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted
from reportgen.sources.config.schema import JournalSection
from reportgen.sources.config.yamldoc import YamlDocument

LAYOUTS, SUFFIX = "journal", ".csv.j2"
"""The folder of templates that layouts lie in, and how they end."""


def lines_of_journal(document: YamlDocument) -> dict[str, str]:
    """Give the line of every key below `journal`, or of the nearest one above it."""
    return {name: document.line("journal", name) for name in JournalSection.model_fields}


def unknown_layout(
    section: JournalSection | None, document: YamlDocument, templates: Path | None
) -> Iterator[Problem]:
    """Report a layout of which there is no template, neither built in nor among the user's."""
    if section is None:  # a folder that cannot be read is told by whoever reads its templates
        return
    known = layouts(templates)
    if section.layout not in known:
        near = did_you_mean(section.layout, known)
        yield Problem(
            source=document.line("journal", "layout"),
            message=f'"layout": there is none of the name {quoted(section.layout)}',
            hint=f"did you mean {quoted(near)}?" if near else f"choose one of: {', '.join(known)}",
        )


def unsaid(exports: Collection[str], document: YamlDocument) -> Iterator[Problem]:
    """Report a close that makes a journal, where nothing says how it is booked."""
    if "journal" in exports and "journal" not in document.root.places:
        yield Problem(
            source=document.line("close", "exports"),
            message='"exports": nothing says how the journal is booked',
            hint='add `journal: {credit_account: "2999"}`, or leave it out here',
        )


def layouts(templates: Path | None) -> list[str]:
    """Name the layouts that there are, those in the user's folder of templates included."""
    folders = (folder for folder in (resources.templates(), templates) if folder)
    paths = (path for folder in folders for path in (folder / LAYOUTS).glob(f"*{SUFFIX}"))
    return sorted({path.name.removesuffix(SUFFIX) for path in paths})


def posting_of(section: JournalSection, lines: dict[str, str]) -> Posting:
    """Say how a cycle is booked; `lines` are those of the keys, as the user would open them."""
    accounts = section.credit_account
    return Posting(
        credit_accounts={ANY_ENTITY: accounts} if isinstance(accounts, str) else accounts,
        credit_cost_center=section.credit_cost_center or "",
        entity=section.entity or "",
        segments=section.segments,
        closed_through=section.closed_through,
        sources=lines,
    )
