"""A small enterprise, recorded in tests/golden/input: three invoices, and all they can show."""

from functools import cache
from pathlib import Path

from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.render import filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.documents.templating.templates import read_templates
from reportgen.sources.config.configuration import Configuration, load

CYCLE = cycle_between(1764921600, 1765353600)
INPUT = Path(__file__).parents[1] / "golden" / "input"


@cache
def configuration() -> Configuration:
    return load(INPUT)


@cache
def derived() -> Derived:
    """Derive the recorded cycle."""
    responses = evidence.read(INPUT / "responses.jsonl")
    inputs = Inputs(
        configuration=configuration(), cycle=CYCLE, responses=responses, source="responses.jsonl"
    )
    return derive(inputs)


def design(**changed: str) -> Design:
    """Give the built-in design, with templates changed by name (`invoice_html_j2`)."""
    settings = configuration().settings.invoice
    templates = read_templates(None) | {
        name.replace("_", "."): text for name, text in changed.items()
    }
    return Design(
        templates=templates, accent=settings.accent, locale=settings.locale, note=settings.note
    )


def task(path: str) -> Task:
    """Find what has to be drawn by the end of its path, such as R-1.pdf."""
    (found,) = [
        task
        for task in tasks_of(derived().statement, derived().directory, design())
        if task.path.endswith(path)
    ]
    return found


def markup(path: str) -> str:
    """Render the XHTML of a document with the built-in templates."""
    return filled(task(path), design())
