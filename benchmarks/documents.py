"""Invoices as PDF: ours in a warm process against WeasyPrint as it comes, taking turns in one run.

    python -m benchmarks.documents [short|long]

All draw one invoice of the sample's figures: short has two pages, a table of 40 users and a chart
of 31 days; long has 1,500 rows of detail as well. As it comes means: a page as one would write it
(columns that find their width, hyphenation, zebra by `:nth-child`, a rectangle and a label for each
bar, a row for each day of the detail), read by the HTML5 parser, style sheet parsed and fonts
configured for each document, the garbage collector as Python sets it.
"""

import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from weasyprint import CSS, HTML
from weasyprint import Attachment as Embedded
from weasyprint.text.fonts import FontConfiguration

from benchmarks import engines
from benchmarks.processes import end_descendants, processor
from benchmarks.table import Row, left_out
from reportgen import resources
from reportgen.archive import evidence
from reportgen.core.cycle import cycle_between
from reportgen.core.model import Attachment, DetailRow
from reportgen.derive import Inputs, derive
from reportgen.documents.content.attachments import attachments
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.pdf.pdf import pdf
from reportgen.documents.render import filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.documents.templating.templates import read_templates
from reportgen.sources.config.configuration import load

DECEMBER = cycle_between(1764921600, 1767600000)
COST_CENTER = "CC-1002"
LONG_ROWS, MANY_USERS = 1500, 40
EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001
ROUNDS = {"short": 25, "long": 5}
RICH = """
table.rows tbody tr:nth-child(even) td { background: #f7f9fb }
table.rows { border-radius: 2mm }
.total { border-radius: 1.5mm }
"""
LEVERS = {
    "table-layout: fixed": "table-layout: auto",
    "white-space: nowrap": "white-space: normal",
    "hyphens: manual": "hyphens: auto",
    "overflow-wrap: anywhere": "overflow-wrap: normal",
}

OURS = "reportgen: PDF/A-3a, attachments"
STOCK = "WeasyPrint, rich page: PDF/A-3a, attachments"
PRINTING = "Chromium, tagged, then Ghostscript: PDF/A-3b"
TYPST = "Typst: PDF/A-3a, attachments"
SHORT = "one short invoice, PDF/A-3a, attachments"

Draw = Callable[[], bytes]


class Took(NamedTuple):
    """Seconds of one drawing, with those of the processes it has started."""

    clock: float
    processor: float


def invoice(size: str) -> tuple[Task, Design]:
    """Give an invoice as large as the figures of the whole sample make it."""
    configuration = load(resources.configs() / "example")
    responses = evidence.read(configuration.replay or Path())
    inputs = Inputs(
        configuration=configuration, cycle=DECEMBER, responses=responses, source="the sample"
    )
    derived, settings = derive(inputs), configuration.settings.invoice
    design = Design(
        templates=read_templates(None),
        accent=settings.accent,
        locale=settings.locale,
        most_detail_rows=LONG_ROWS if size == "long" else 0,
    )
    statement, known = derived.statement, derived.directory
    users = chain.from_iterable(invoice.by_principal for invoice in statement.invoices)
    rows = chain.from_iterable(invoice.detail for invoice in statement.invoices)
    statement = replace(
        statement,
        invoices=tuple(
            replace(
                invoice,
                by_principal=tuple(islice(users, MANY_USERS)),
                detail=tuple(islice(rows, LONG_ROWS)) if size == "long" else invoice.detail,
            )
            if invoice.cost_center.code == COST_CENTER
            else invoice
            for invoice in statement.invoices
        ),
    )
    tasks = tasks_of(statement, known, design, attachments(statement, known))
    return next(task for task in tasks if task.path.endswith(f"{COST_CENTER}.pdf")), design


def rich(markup: str, css: str, task: Task) -> tuple[str, str]:
    """Give the same content as one would write it who has not measured."""
    for fast, usual in LEVERS.items():
        css = css.replace(fast, usual)
    markup = re.sub(r"<colgroup>.*?</colgroup>", "", markup)
    markup = re.sub(
        r'<path d="((?:M[\d.]+ [\d.]+V[\d.]+H[\d.]+V[\d.]+z)+)" (fill="#\w+")[^>]*>',
        _rectangles,
        markup,
    )
    markup = re.sub(r'<svg[^>]*role="img" aria-label.*?</svg>', _every_day, markup, flags=re.DOTALL)
    document = task.document
    if isinstance(document, InvoiceDocument) and document.prints_detail:
        table = re.compile(r'(<div class="detail">.*?<tbody>).*?(</tbody>)', re.DOTALL)
        rows = "".join(map(_row, document.invoice.detail))
        markup = table.sub(lambda match: match[1] + rows + match[2], markup)
    return markup, css + RICH


def _rectangles(match: re.Match[str]) -> str:
    bars = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)", match[1])
    return "".join(
        f'<rect x="{left}" y="{top}" width="{float(right) - float(left):.1f}"'
        f' height="{float(base) - float(top):.1f}" {match[2]}/>'
        for left, base, top, right in bars
    )


def _every_day(match: re.Match[str]) -> str:
    """Label every bar, and not one of a week."""
    labels = "".join(
        f'<text x="{520 * (number + 0.5) / 31:.1f}" y="122" text-anchor="middle" font-size="5">'
        f"{number + 1}</text>"
        for number in range(31)
    )
    return match[0].replace("</svg>", f"{labels}</svg>")


def _row(row: DetailRow) -> str:
    return (
        f"<tr><td>{row.day} {row.principal_id}</td><td>{row.org_id}</td><td>{row.product}</td>"
        f'<td class="number">{row.acus:.4f}</td><td class="number">{row.exact_amount:.4f}</td></tr>'
    )


def stock(
    xhtml: str, css: str, attached: Sequence[Attachment] = (), variant: str | None = None
) -> bytes:
    """Draw with WeasyPrint's public interface, everything anew."""
    fonts = FontConfiguration()
    style = CSS(string=css, font_config=fonts)
    files = [
        Embedded(string=attachment.content, name=attachment.name, created=EPOCH, modified=EPOCH)
        for attachment in attached
    ]
    written: bytes = HTML(string=xhtml).write_pdf(
        font_config=fonts, stylesheets=[style], attachments=files, pdf_variant=variant
    )
    return written


def ways(size: str) -> dict[str, Draw]:
    """Give what is compared; the first is what everything is measured by."""
    task, design = invoice(size)
    lean, css, files = filled(task, design), design.templates["invoice.css"], task.attachments
    usual, usual_css = rich(lean, css, task)
    return {
        OURS: lambda: pdf(lean, css, files),
        "reportgen: PDF/A-3u, attachments": lambda: pdf(lean, css, files, variant="pdf/a-3u"),
        "reportgen: plain PDF": lambda: pdf(lean, css, variant=None),
        STOCK: lambda: stock(usual, usual_css, files, "pdf/a-3a"),
        "WeasyPrint, rich page: plain PDF": lambda: stock(usual, usual_css),
        "WeasyPrint, our page, rich style sheet: PDF/A-3a, attachments": lambda: stock(
            lean, usual_css, files, "pdf/a-3a"
        ),
        "WeasyPrint, our page: PDF/A-3a, attachments": lambda: stock(lean, css, files, "pdf/a-3a"),
    }


def other_way(size: str, name: str, folder: Path) -> Draw:
    """Start another engine over the same page."""
    task, design = invoice(size)
    markup = filled(task, design)
    if name == TYPST:
        return engines.Typst(markup, task.attachments, folder).draw
    page = engines.styled(markup, design.templates["invoice.css"])
    return partial(engines.Chromium(folder).archivable, page)


def draw_when_told(size: str, name: str, told: Connection) -> None:
    """Draw once to be warm, then whenever told; answer with what it took."""
    with TemporaryDirectory(prefix="reportgen-bench-", ignore_cleanup_errors=True) as folder:
        other = name in {PRINTING, TYPST}
        draw = other_way(size, name, Path(folder)) if other else ways(size)[name]
        draw()
        told.send(name)
        while told.recv():
            clock, start = time.perf_counter(), processor()
            draw()
            told.send(Took(time.perf_counter() - clock, processor() - start))
        told.close()
        end_descendants()


def alternate(size: str, names: Sequence[str]) -> dict[str, list[Took]]:
    """Take turns, each in a process of its own: the garbage of one is none of the others'."""
    start = get_context("spawn")
    pipes, processes = {}, []
    for name in names:
        pipes[name], other = start.Pipe()
        processes.append(start.Process(target=draw_when_told, args=(size, name, other)))
        processes[-1].start()
        pipes[name].recv()
    times: dict[str, list[Took]] = {name: [] for name in names}
    for _ in range(ROUNDS[size]):
        for name, pipe in pipes.items():
            pipe.send("draw")
            times[name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send("")
    for process in processes:
        process.join()
    return times


def rows() -> Iterator[Row]:
    """Hold one short invoice against what else could draw it."""
    lacking = engines.missing()
    printing = [lacking[one] for one in ("Chromium", "Ghostscript") if one in lacking]
    there = [OURS, STOCK]
    there += [] if printing else [PRINTING]
    there += [] if "Typst" in lacking else [TYPST]
    times = alternate("short", there)
    yield held(times, STOCK, "processor", least=1.9)
    if printing:
        yield left_out(SHORT, PRINTING, "; ".join(printing))
    else:
        yield held(times, PRINTING, "clock", least=1.0)
        yield held(times, PRINTING, "processor")
    if "Typst" in lacking:
        yield left_out(SHORT, TYPST, lacking["Typst"])
    else:
        yield held(times, TYPST, "clock")


def held(
    times: Mapping[str, list[Took]], reference: str, by: str, least: float | None = None
) -> Row:
    """Give the row of ours beside another."""
    ours, theirs = ([getattr(one, by) for one in times[name]] for name in (OURS, reference))
    ratio = statistics.median(other / own for other, own in zip(theirs, ours, strict=True))
    what, beside = f"{SHORT}, {by}", f"{milliseconds(theirs)}, {reference}"
    return Row(what, milliseconds(ours), beside, ratio, least=least)


def milliseconds(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms"


def table(times: Mapping[str, list[Took]]) -> Iterable[str]:
    ours = [one.processor for one in next(iter(times.values()))]
    yield "| engine | median ms | fastest ms | x reportgen |\n|---|---|---|---|"
    for name, took in times.items():
        theirs = [one.processor for one in took]
        ratio = statistics.median(other / own for other, own in zip(theirs, ours, strict=True))
        median, fastest = statistics.median(theirs) * 1000, min(theirs) * 1000
        yield f"| {name} | {median:.0f} | {fastest:.0f} | {ratio:.2f} |"


def main(size: str) -> None:
    print("\n".join(table(alternate(size, list(ways(size))))))


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "short")
