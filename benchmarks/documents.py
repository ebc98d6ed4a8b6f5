"""One short invoice as PDF: ours in a warm process against WeasyPrint as it comes, alternating in one run.

Both draw the same markup of the sample's CC-1002. As it comes means: the document through the HTML5 parser, the style
sheet parsed and the fonts configured for each document, the garbage collector as Python sets it.
"""

import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from reportgen import resources
from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.derive import Inputs, derive
from reportgen.documents.pdf import pdf
from reportgen.documents.render import Design, _markup, tasks_of
from reportgen.documents.templates import read_templates
from reportgen.sources.config import load

DECEMBER = cycle_between(1764921600, 1767600000)
COST_CENTER = "CC-1002"
ROUNDS, WARM_UP = 25, 3


def document() -> tuple[str, str]:
    """Give markup and style sheet of an invoice of the sample."""
    configuration = load(resources.configs() / "example")
    responses = evidence.read(configuration.replay or Path())
    inputs = Inputs(configuration=configuration, cycle=DECEMBER, responses=responses, source="the sample")
    derived, settings = derive(inputs), configuration.settings.invoice
    design = Design(templates=read_templates(None), accent=settings.accent, locale=settings.locale)
    tasks = tasks_of(derived.statement, derived.directory, design)
    task = next(task for task in tasks if task.path.endswith(f"{COST_CENTER}.pdf"))
    return _markup(task, design), design.templates["invoice.css"]


def stock(xhtml: str, css: str) -> bytes:
    """Draw with WeasyPrint's public interface, everything anew."""
    fonts = FontConfiguration()
    style = CSS(string=css, font_config=fonts)
    written: bytes = HTML(string=xhtml).write_pdf(font_config=fonts, stylesheets=[style])
    return written


def timed(draw: Callable[[str, str], bytes], xhtml: str, css: str) -> float:
    start = time.perf_counter()
    draw(xhtml, css)
    return (time.perf_counter() - start) * 1000


def alternate(xhtml: str, css: str) -> tuple[list[float], list[float]]:
    """Take turns; ours froze what was there and set the collector's threshold, which is undone for the other."""
    ours, others = [], []
    default = gc.get_threshold()
    pdf(xhtml, css)
    tuned = gc.get_threshold()
    for turn in range(WARM_UP + ROUNDS):
        gc.set_threshold(*tuned)
        ours.append(timed(pdf, xhtml, css))
        gc.set_threshold(*default)
        others.append(timed(stock, xhtml, css))
        if turn < WARM_UP:
            ours.clear()
            others.clear()
    return ours, others


def main() -> None:
    xhtml, css = document()
    ours, others = alternate(xhtml, css)
    print("| engine | median ms | fastest ms | x reportgen |\n|---|---|---|---|")
    for name, times in (("reportgen", ours), ("WeasyPrint as it comes", others)):
        ratio = statistics.median(times) / statistics.median(ours)
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
