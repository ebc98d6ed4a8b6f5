"""The recording: what the sample world answers, as the program collects it."""

import pytest

from reportgen.archive import evidence
from reportgen.core.model import RecordedResponse
from reportgen.core.written.statement_json import statement_json
from tests.fakeapi.sample import build, model, record
from tests.scenarios.collecting.live import Live
from tests.scenarios.job import RECORDING, SMALL_RECORDING, example
from tests.scenarios.small_world import small_world


def bodies(responses: dict[str, RecordedResponse]) -> dict[str, str]:
    return {request: response.body for request, response in responses.items()}


@pytest.mark.heavy
def test_collected_live_or_replayed_the_statement_is_the_same_to_the_byte(tmp_path):
    job = example(tmp_path / "live")
    live = Live(job.folder, {"DEVIN_API_TOKEN": "cog_any"})
    replayed = statement_json(live.derived(evidence.read(RECORDING)).statement)
    with model.serve(build()) as base_url:
        job.edit("chargeback.yaml", "https://api.devin.ai", base_url)
        job.edit("chargeback.yaml", "  replay:", "  # replay:")
        collected = statement_json(live.collected().statement)
    assert collected == replayed
    assert bodies(evidence.read(live.evidence)).items() <= bodies(evidence.read(RECORDING)).items()


@pytest.mark.heavy
def test_the_small_recording_is_what_the_small_world_answers():
    assert record(small_world(), sessions=0) == SMALL_RECORDING.read_bytes()
