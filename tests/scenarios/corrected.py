"""Two closed cycles that were corrected: November once, December twice, by hand-written figures.

Ada is told with 3.333 ACUs more of cascade, on the first day of each cycle. By the rules of the
small configuration she is A-1's alone, at 1.75; with a fee of 2.5 % of its usage amounts:

    November.c1    her usage of November restated: A-1 pays more
    December.c1    by an edited mapping she is C-3's, which had no invoice
    December.c2    her usage of December restated: by the mapping of December.c1, C-3 pays more
"""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess

from tests.scenarios.job import (
    DECEMBER,
    NOVEMBER,
    SMALL_RECORDING,
    STATEMENT,
    Job,
    Json,
    plain,
    small,
)

TICKET, MISTAKE, LATER = "Restated (ticket 4713)", "Ada works for the kiosk", "Restated again"
ADA = "users/email%7C64f0009e3779b1009e37?"
STARTS = {NOVEMBER: "time_after=1762329600", DECEMBER: "time_after=1764921600"}
MORE = 3.333
NOTE = "credit_note.html.j2", "credit_note.xlsx.j2", *STATEMENT
"""What makes the notes, and the statements that name them."""
FEE = "fees: [{name: Support, percent: 2.5%, to: [A-1]}]\n"


def restated(*cycles: str) -> Callable[[Iterable[Json]], list[Json]]:
    """Let Ada have used more, in her own view and in the enterprise's."""

    def change(lines: Iterable[Json]) -> list[Json]:
        return [_told(line) if _is_hers(line["request"], cycles) else line for line in lines]

    return change


def _is_hers(request: str, cycles: Iterable[str]) -> bool:
    whole = "/v3/enterprise/consumption/daily"
    return any(STARTS[cycle] in request for cycle in cycles) and (
        f"{whole}?" in request or f"{whole}/{ADA}" in request
    )


def _told(line: Json) -> Json:
    body = json.loads(line["body"])
    day = body["consumption_by_date"][0]
    day["acus"] += MORE
    day["acus_by_product"]["cascade"] += MORE
    body["total_acus"] += MORE
    return line | {"body": json.dumps(body)}


def replay(job: Job, *cycles: str) -> None:
    """Replay a recording in which some cycles are restated from now on."""
    lines = [json.loads(line) for line in SMALL_RECORDING.read_text(encoding="utf-8").splitlines()]
    text = "".join(json.dumps(line) + "\n" for line in restated(*cycles)(lines))
    (job.folder / "responses.jsonl").write_text(text, encoding="utf-8")


def ready(folder: Path, *drawn: str) -> Job:
    """Write a small configuration that replays a recording of its own, and collect nothing yet."""
    job = plain(small(folder), *drawn)
    job.record(restated())
    with (folder / "rates.yaml").open("a", encoding="utf-8") as file:
        file.write(FEE)
    return job


def edited(job: Job) -> Path:
    """Write the configuration anew, with another rule for Ada."""
    folder = job.folder / "edited"
    folder.mkdir()
    for name in ("chargeback.yaml", "mapping.yaml", "rates.yaml"):
        text = (job.folder / name).read_text(encoding="utf-8")
        text = text.replace("ada@acme.example: A-1", "ada@acme.example: C-3")
        text = text.replace("archive: archive", "archive: ../archive")
        text = text.replace("templates: templates", "templates: ../templates")
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def correct(job: Job, *options: str, cycle: str = DECEMBER, reason: str = TICKET) -> Json:
    """Correct a cycle, and give what was said for machines."""
    done = job.here("correct", "--reason", reason, "--json", *options, cycle=cycle)
    assert done.returncode == 0, done.stderr
    values: Json = json.loads(done.stdout)
    return values


def closed(job: Job, cycle: str = DECEMBER) -> None:
    for command in (("collect",), ("close", "--accept", "nobody asked")):
        succeeded(job.here(*command, cycle=cycle))


def succeeded(done: CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def correct_all(folder: Path, *drawn: str) -> None:
    job = ready(folder, *drawn)
    closed(job, NOVEMBER)
    replay(job, NOVEMBER)
    correct(job, cycle=NOVEMBER)
    closed(job, DECEMBER)
    correct(job, "--config", str(edited(job)), "--prepared-by", "Grace", reason=MISTAKE)
    replay(job, NOVEMBER, DECEMBER)
    correct(job, reason=LATER)


def amount_of(values: Iterable[Json]) -> Decimal:
    return sum((Decimal(one["amount"]) for one in values), Decimal(0))
