"""Records the sample: `collect` runs against the model of the API, cycle by cycle.

`python samples/acme/record.py` writes responses.jsonl beside this file. The clock stands still, so
that the same world gives the same recording.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import collected
from reportgen.commands.collect import collect
from reportgen.core.model import RecordedResponse
from reportgen.operations.collecting.collection import Effort
from reportgen.operations.context import Context
from reportgen.terminal import Terminal

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "configs" / "example"
RECORDED_AT = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
CYCLES = ("2025-11-05", "2025-12-05")

sys.path.insert(0, str(HERE))
from model import serve  # noqa: E402 - the model lies beside this file, in no package
from world import World, build  # noqa: E402


def record(world: World, sessions: int = 10) -> bytes:
    """Collect both cycles from the model of a world and give their evidence, sorted by request.

    `sessions` is how many of the largest are asked about for each cost center.
    """
    context = Context(
        now=lambda: RECORDED_AT,
        environment={"DEVIN_API_TOKEN": "cog_sample"},
        terminal=Terminal(machine=False, quiet=True),
    )
    with tempfile.TemporaryDirectory() as folder, serve(world) as base_url:
        config = _configuration(Path(folder), base_url, sessions)
        for cycle in CYCLES:
            collect(config, cycle, context, Effort())
        responses: dict[str, RecordedResponse] = {}
        for path in collected(Path(folder) / "archive"):
            responses |= evidence.read(path)
    return evidence.encode(responses[request] for request in sorted(responses))


def _configuration(folder: Path, base_url: str, sessions: int) -> Path:
    """Copy the example, but ask the model instead of the recording."""
    for path in EXAMPLE.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    main = folder / "chargeback.yaml"
    lines = main.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.lstrip().startswith(("replay:", "archive:"))]
    text = "\n".join(lines).replace("https://api.devin.ai", base_url) + "\narchive: archive\n"
    text = text.replace("\ninvoice:\n", f"\ninvoice:\n  sessions: {sessions}\n")
    main.write_text(text, encoding="utf-8")
    return folder


if __name__ == "__main__":
    (HERE / "responses.jsonl").write_bytes(record(build()))
