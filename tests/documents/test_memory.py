"""What a process that draws holds: that of one document, however many it has drawn."""

import gc
import json
import subprocess
import sys
from io import BytesIO

import pikepdf
import pytest

from reportgen.documents import limits
from reportgen.operations.building.drawing import MOST_GROWTH

MIB = 1 << 20
DRAWING = """
import json, sys
from reportgen.documents.limits import grown, limit_this_process
from reportgen.documents.pdf import fontconfig
from reportgen.documents.render import drawn
from tests.documents.beech import design, task

asked = [task(path) for path in ("R-1.pdf", "R-1.xlsx")]
fontconfig.look_at(fontconfig.looking_at())
limit_this_process()
print(json.dumps([drawn(asked[n % 2], design()).grown for n in range(int(sys.argv[1]))]))
"""


class Ring:
    """Something that holds itself, as boxes and styles do."""

    gone = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Ring.gone += 1


@pytest.mark.parametrize("draws", [True, False])
def test_what_a_document_leaves_behind_is_looked_for_where_nothing_else_is_done(monkeypatch, draws):
    monkeypatch.setattr(limits._Limits, "seconds", limits.SECONDS if draws else None)
    gc.collect()
    before = Ring.gone
    gc.disable()
    try:
        Ring()
        limits.given_back()
        assert Ring.gone - before == draws
    finally:
        gc.enable()


def test_a_system_without_a_trim_does_without(monkeypatch):
    monkeypatch.setattr(limits, "_of_the_c_library", lambda: None)
    monkeypatch.setattr(limits._Limits, "seconds", limits.SECONDS)
    limits.given_back()


@pytest.mark.heavy
def test_a_worker_does_not_grow_with_the_documents_it_has_drawn():
    told = subprocess.run(
        [sys.executable, "-c", DRAWING, "60"],
        capture_output=True,
        text=True,
        check=True,
    )
    grown = json.loads(told.stdout)
    assert grown[-1] - grown[9] < 8 * MIB, [one // MIB for one in grown]


STATEMENT = """
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from reportgen.core.model import Subtotal
from reportgen.documents.limits import grown, limit_this_process
from reportgen.documents.pdf import fontconfig
from reportgen.documents.render import drawn
from tests.documents import grove

def peak():
    told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(told.split()[0])

found = grove.derived()
count, one = int(sys.argv[1]), found.statement.invoices[0]
invoices = tuple(
    replace(
        one,
        number=f"CB-{number}",
        amount=Decimal(number),
        cost_center=replace(one.cost_center, code=f"CC-{number:04}", name=f"Team {number}"),
    )
    for number in range(count)
)
departments = tuple(
    Subtotal(name=f"Department {n}", cost_centers=("x",) * 25, acus=Decimal(1), amount=Decimal(n))
    for n in range(count // 25)
)
variance = found.statement.variance
change = variance.by_cost_center[one.cost_center.code]
changes = {
    made.cost_center.code: replace(change, cost_center=made.cost_center.code) for made in invoices
}
statement = replace(
    found.statement,
    variance=replace(variance, by_cost_center=changes),
    invoices=invoices,
    by_department=departments,
    unit_costs=None,
)
whole = replace(grove.task("statement.pdf").document, statement=statement)
task = replace(grove.task("statement.pdf"), document=whole)
fontconfig.look_at(fontconfig.looking_at())
limit_this_process()
begun = peak()
made = drawn(task, grove.design())
sys.stdout.buffer.write(made.content)
print(made.grown >> 20, (peak() - begun) >> 10, file=sys.stderr)
"""


@pytest.mark.heavy
def test_a_statement_is_no_larger_for_ten_times_the_cost_centers():
    usual, large = (statement_of(count) for count in (300, 3_000))
    assert pages_of(usual.stdout) <= pages_of(large.stdout) <= 25
    (_, before), (left, peak) = (map(int, one.stderr.split()) for one in (usual, large))
    assert before <= peak < 1.2 * before, "MiB"
    assert left < MOST_GROWTH // MIB, "what stays must not have a worker replaced"


def statement_of(count: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", STATEMENT, str(count)], capture_output=True, check=True
    )


def pages_of(content: bytes) -> int:
    with pikepdf.open(BytesIO(content)) as document:
        return len(document.pages)
