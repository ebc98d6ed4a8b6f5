"""The layouts that journals come in: what each system takes, and the file that one is filled into.

What stands in which column is the business of the template; here is what a template cannot tell.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from reportgen.documents.content.journal import JournalDocument
from reportgen.documents.limits import (
    MEMORY,
    SECONDS,
    OutOfTime,
    allowed,
    limit_this_process,
    time_for_a_document,
)
from reportgen.documents.templating.errors import (
    TEMPLATE_ERRORS,
    arose_in_template,
    place_of,
    rejected,
    template_error,
)
from reportgen.documents.templating.rows import ROW_FILTERS, lines_as_in_csv
from reportgen.documents.templating.templates import changed, environment

FOLDER, SUFFIX = "journal/", ".csv.j2"
Needed = Literal["entity", "ledger", "segments"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What a system takes: so many lines at once, codes no longer than these, by their names.

    A file may be for one legal entity alone; segments may be `joined` into one text. `needed` is
    what no document of it can do without.
    """

    most_lines: int | None = None
    widths: Mapping[str, int] = field(default_factory=dict)
    by_entity: bool = False
    joined: bool = False
    needed: frozenset[Needed] = frozenset()


SHIPPED: Mapping[str, Layout] = {
    "generic": Layout(),
    "oracle-fbdi": Layout(widths={"a segment": 25}, needed=frozenset({"ledger", "segments"})),
    "netsuite": Layout(),
    "dynamics365": Layout(by_entity=True, joined=True),
    "workday": Layout(needed=frozenset({"entity"})),
    "sap": Layout(
        most_lines=999,
        widths={"an entity": 4, "an account": 10, "a cost center": 10},
        needed=frozenset({"entity"}),
    ),
}
"""A layout of the user's own has no limits, but for those of the one whose name it has."""


def layout_of(name: str) -> Layout:
    """Give what a layout takes."""
    return SHIPPED.get(name, Layout())


def known_layouts(templates: Iterable[str]) -> list[str]:
    """Name the layouts among templates."""
    return sorted(
        name.removeprefix(FOLDER).removesuffix(SUFFIX)
        for name in templates
        if name.startswith(FOLDER) and name.endswith(SUFFIX)
    )


def filled_apart(
    document: JournalDocument,
    layout: str,
    templates: Mapping[str, str],
    seconds: float = SECONDS,
) -> bytes:
    """Fill a layout that may be anybody's: one that is not built in, in a process with limits.

    Raises Rejected with the mistake in it, and where it takes too long or too much memory.
    """
    name = f"{FOLDER}{layout}{SUFFIX}"
    if not changed(templates, [name]):
        return filled(document, layout, templates)
    try:
        with ProcessPoolExecutor(1, initializer=limit_this_process, initargs=(seconds,)) as pool:
            return pool.submit(_limited, document, layout, templates).result()
    except BrokenExecutor:
        raise rejected(name, "the process that filled it was ended by the system") from None


def _limited(document: JournalDocument, layout: str, templates: Mapping[str, str]) -> bytes:
    name = f"{FOLDER}{layout}{SUFFIX}"
    try:
        with time_for_a_document():
            return filled(document, layout, templates)
    except OutOfTime as error:
        message = f"this takes more than {allowed()} of the processor"
        raise rejected(place_of(error, name), message) from None
    except MemoryError as error:
        message = f"this takes more memory than a document may have, {MEMORY >> 30} GiB"
        raise rejected(place_of(error, name), message) from None


def filled(document: JournalDocument, layout: str, templates: Mapping[str, str]) -> bytes:
    """Fill the template of a layout; raises Rejected with the mistake in it."""
    name, heading = f"{FOLDER}{layout}{SUFFIX}", document.heading
    try:
        sandbox = environment(templates, "en", autoescape=False)
        sandbox.add_filters(ROW_FILTERS)
        text = sandbox.get_template(name).render({"document": document, "heading": heading})
    except TEMPLATE_ERRORS as error:
        if not arose_in_template(error):
            raise
        raise template_error(error, name, templates) from None
    return lines_as_in_csv(text).encode()
