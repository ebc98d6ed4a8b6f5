"""Cycles as v3 tells them: bounds stay as told, and a closed end keeps its last day."""

import json
from datetime import date

import pytest

from reportgen.core.model import RecordedResponse
from reportgen.sources.api import v3
from reportgen.sources.api.plan import answer_from

DECEMBER, JANUARY = 1764921600, 1767600000  # 2025-12-05T08:00Z, 2026-01-05T08:00Z


def told(after: int, before: int):
    """Read the cycles of an answer that tells one."""
    body = {"items": [{"after": after, "before": before}], "has_next_page": False}
    request = "/v3/enterprise/consumption/cycles?first=200"
    answer = RecordedResponse(
        request=request, status=200, fetched_at="2026-01-09T10:00:00Z", body=json.dumps(body)
    )
    return answer_from(v3.cycles(), {request: answer}, "responses.jsonl")


def test_a_cycle_ends_before_its_bound():
    known = told(DECEMBER, JANUARY)
    assert [cycle.end for cycle in known.cycles] == [date(2026, 1, 5)]
    assert known.warnings == ()


@pytest.mark.parametrize("before", [1767571199])  # 2026-01-04T23:59:59Z
def test_an_end_at_the_last_second_of_a_day_keeps_that_day_and_says_so(before):
    known = told(DECEMBER, before)
    (cycle,) = known.cycles
    assert (cycle.end, cycle.before) == (date(2026, 1, 5), before)
    assert [str(warning) for warning in known.warnings] == [
        (
            "GET /v3/enterprise/consumption/cycles: warning: a cycle ends at "
            "2026-01-04T23:59:59+00:00, the last second of a day; "
            "that day is taken for its last one"
        )
    ]


def test_an_end_a_second_before_the_boundary_has_its_label_already():
    assert told(DECEMBER, JANUARY - 1).cycles[0].end == date(2026, 1, 5)
