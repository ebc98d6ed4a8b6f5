"""What a process that draws holds: that of one document, however many it has drawn."""

import gc
import json
import subprocess
import sys
import textwrap

import pytest

from reportgen.documents import limits

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
        [sys.executable, "-c", textwrap.dedent(DRAWING), "60"],
        capture_output=True,
        text=True,
        check=True,
    )
    grown = json.loads(told.stdout)
    assert grown[-1] - grown[9] < 8 * MIB, [one // MIB for one in grown]
