"""Documents of generated cycles: none is refused, whatever views know and people are called."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reportgen.archive import evidence, history
from reportgen.core.cycle import cycle_between
from reportgen.core.problem import Rejected
from reportgen.core.written.statement_json import statement_json
from reportgen.core.written.tables import ledger_csv
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents import render
from reportgen.documents.markup import tree
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.building.artifacts import design_of, everybody, tasks
from reportgen.sources.api.plan import BeyondBounds
from tests.audit.cycles import Told, told
from tests.documents.oddities import Oddities
from tests.fakeapi.sample import CYCLES
from tests.scenarios.job import DECEMBER, NOVEMBER, Job
from tests.weight import long_but

MANY = 500
BATCH = 20
"""So many worlds are one test; the first of them is heavy, the others are long."""
DRAWN = 10
"""One world in so many has its PDFs drawn; of the others every page is filled and read as XHTML."""


def odd_cycle(seed: int, folder: Path) -> Told:
    """Make a cycle with oddities, as a run would collect it: nobody is remembered."""
    oddities = Oddities(seed)
    return told(seed, folder, oddities.dress, oddities.reword, remember=False)


def cycle_before(seed: int, folder: Path, archive: Path) -> None:
    """Write what the cycle before came to: the same world, which other views showed otherwise."""
    oddities = Oddities(seed)
    other = told(seed, folder, oddities.dress, Oddities(seed + MANY).reword, remember=False)
    derived = other.derived()
    if derived is not None:
        heading = replace(derived.statement.heading, cycle=cycle_between(*CYCLES[0]))
        built = archive / NOVEMBER
        built.mkdir(parents=True)
        statement = statement_json(replace(derived.statement, heading=heading))
        (built / "statement.json").write_bytes(statement.encode())
        (built / "ledger.csv").write_bytes(ledger_csv(derived.allocations).encode())


def inputs_of(made: Told, seed: int, folder: Path) -> Inputs:
    """Give what a cycle is made of; every second one follows on another."""
    inputs = made.inputs()
    if seed % 2:
        cycle_before(seed, folder / "before", folder / "archive")
    currency = made.configuration.rate_card.currency
    earlier, warnings = history.earlier(folder / "archive", made.cycle, currency)
    assert not warnings
    return replace(inputs, earlier=earlier)


# Every document of a few


def filled(inputs: Inputs, derived: Derived) -> Iterator[str]:
    """Fill every template of a cycle, and make all of it but the pages of the PDFs."""
    design = design_of(inputs.configuration, read_templates(None))
    for task in tasks(derived, everybody(inputs, derived), design):
        if task.path.endswith(".pdf"):
            tree(render.filled(task, design))
        else:
            render.draw(task, design)
        yield task.path


def products_apart(derived: Derived) -> set[str]:
    """Name the products that an invoice has and the control total has not."""
    statement = derived.statement
    lines = (line for invoice in statement.invoices for line in invoice.lines if line.of_usage)
    return {line.product for line in lines} - statement.control_by_product.keys()


@pytest.mark.heavy
def test_every_document_of_an_odd_cycle_can_be_made(tmp_path):
    """In these views know other products, in currencies of no, three and two decimals."""
    apart: set[str] = set()
    for seed in (19, 37, 66):
        made = odd_cycle(seed, tmp_path / str(seed))
        inputs = inputs_of(made, seed, tmp_path / str(seed))
        derived = derive(inputs)
        apart |= products_apart(derived)
        assert {"index.html", "statement.pdf", "statement.xlsx"} <= {*filled(inputs, derived)}
    assert {"unspecified", "devin", "Devin", "<i>new</i>"} <= apart


# The whole run


def recorded(seed: int, folder: Path) -> Job | None:
    """Write a job that replays an odd cycle; None where it cannot be charged."""
    try:
        made = odd_cycle(seed, folder)
        derive(inputs_of(made, seed, folder))
    except (BeyondBounds, Rejected):
        return None
    (folder / "responses.jsonl").write_bytes(evidence.encode(made.responses.values()))
    job = Job(folder)
    replayed = 'source: {"replay": "responses.jsonl", "cycle_day": 5, '
    job.edit("chargeback.yaml", "source: {", replayed)  # some credentials may not read the cycles
    return job


@pytest.mark.heavy
@pytest.mark.parametrize("first", long_but(1, range(0, MANY, BATCH)))
def test_the_whole_run_gives_documents_of_any_cycle(first, tmp_path, monkeypatch):
    ended: Counter[int] = Counter()
    for seed in range(first, first + BATCH):
        job = recorded(seed, tmp_path / str(seed))
        if job is None:
            continue
        with monkeypatch.context() as quick:
            if seed % DRAWN:
                quick.setattr(render, "_pdf", read_alone)
            done = job.here("run", "--accept-refused")
        assert done.returncode in {0, 3}, f"cycle {seed}: {done.stderr}"
        assert {"index.html", "statement.pdf", "statement.xlsx"} <= names(job.cycle(DECEMBER))
        ended[done.returncode] += 1
    assert ended.total() > BATCH // 2  # the others cannot be charged, as `derive` says
    assert ended[3]


def read_alone(markup: str, *_: object) -> bytes:
    """Stand for the drawing of a page, which takes most of the time: the page is read alone."""
    tree(markup)
    return b"%PDF"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
