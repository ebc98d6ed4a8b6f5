"""A cycle that was closed before statements told of sessions is explained and read as any other."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reportgen.archive import history
from reportgen.archive.folder import MANIFEST
from reportgen.core.problem import Rejected
from reportgen.core.written.statement_json import statement_values
from reportgen.core.written.tables import ledger_csv
from reportgen.documents.content.review import Concern
from reportgen.operations.building.built import refuse_changed
from tests.documents import grove

NEW_KEYS = ("sessions", "other_sessions", "sessions_unknown", "by_tag", "unit_costs")


def as_before() -> dict[str, Any]:
    """Give a statement as a version wrote it that knew nothing of sessions."""
    values = json.loads(json.dumps(statement_values(grove.derived().statement)))
    for told in (values, *values["cost_centers"]):
        for key in NEW_KEYS:
            told.pop(key, None)
    return values


def closed(folder: Path) -> Path:
    (folder / MANIFEST).write_text("{}")
    return folder


def test_what_only_this_version_tells_is_no_other_cycle(tmp_path):
    refuse_changed(closed(tmp_path), as_before(), grove.derived().statement)


def test_a_draft_is_built_again(tmp_path):
    with pytest.raises(Rejected, match="come to something else than was built"):
        refuse_changed(tmp_path, as_before(), grove.derived().statement)


def test_another_amount_is_another_cycle(tmp_path):
    values = as_before()
    values["cost_centers"][0]["amount"] = "1.00"
    with pytest.raises(Rejected, match=f"first in {values['cost_centers'][0]['code']}"):
        refuse_changed(closed(tmp_path), values, grove.derived().statement)


def test_it_is_an_earlier_cycle_without_unit_costs(tmp_path):
    statement = grove.derived().statement
    values, cycle = as_before(), statement.heading.cycle
    before = tmp_path / "2025-01-05"
    before.mkdir()
    values["cycle"] |= {"start": "2025-01-05", "end": cycle.start.isoformat()}
    (before / "statement.json").write_text(json.dumps(values))
    (before / "ledger.csv").write_text(ledger_csv(grove.derived().allocations))
    earlier, warnings = history.earlier(tmp_path, cycle, statement.heading.currency)
    assert not warnings
    assert [one.unit_costs for one in earlier] == [None]


def test_archived_templates_find_what_a_row_once_stood_for():
    assert Concern(reason="moved", amount=Decimal(1)).others == 0
