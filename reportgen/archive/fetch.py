"""One fetch of a cycle: resumed where it stopped, and never mixed with another.

What was refused to the credential (403) is asked again by whoever goes on.

The first fetch grows in the evidence itself. A later one, asked for again or because the cycle was
still running, is kept apart and joins the evidence when it is whole; until then everything else
goes by what was collected before.
"""

from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from reportgen.archive import evidence
from reportgen.archive.folder import EVIDENCE, FETCHING
from reportgen.core.cycle import BillingCycle, is_over
from reportgen.core.model import RecordedResponse

FORBIDDEN = 403
STALE = timedelta(hours=1)
"""After so long an interrupted fetch of a running cycle begins anew: its days have grown since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetch:
    """Where the answers go as they arrive, and those that are there already.

    `size` is that of the evidence before (bytes): what comes after it is new. `before` are the
    answers that the file has already, whether they are asked for again or not.
    """

    path: Path
    size: int = 0
    known: Mapping[str, RecordedResponse] = field(default_factory=dict)
    before: Mapping[str, RecordedResponse] = field(default_factory=dict)

    def says(self, response: RecordedResponse, cycle: BillingCycle, always: Container[str]) -> bool:
        """Tell whether an answer says what is stored, so that nothing need be written.

        Of what grows while the cycle runs only an answer after its end is as good; of the requests
        that are `always` asked any is.
        """
        stored = self.before.get(response.request)
        return (
            stored is not None
            and (stored.status, stored.body) == (response.status, response.body)
            and (response.request in always or is_over(cycle, stored.fetched_at))
        )


def begun(
    folder: Path, cycle: BillingCycle, control: AbstractSet[str], *, now: datetime, refresh: bool
) -> Fetch:
    """Go on with an interrupted fetch, or begin one; `control` asks for the control total."""
    whole, apart = folder / EVIDENCE, folder / FETCHING
    if evidence.repair(apart):
        answers = evidence.stored(apart)
        if all(_holds(response, cycle, now) for response in answers.values()):
            known = evidence.stored(apart, keep=_stays)
            return Fetch(path=apart, size=evidence.repair(whole), known=known)
    apart.unlink(missing_ok=True)
    size = evidence.repair(whole)
    if not size:
        return Fetch(path=whole)
    if refresh:
        return Fetch(path=apart, size=size)
    final = evidence.stored(
        whole, keep=lambda response: _stays(response) and is_over(cycle, response.fetched_at)
    )
    before = evidence.stored(whole)
    if (control & before.keys()) - final.keys():
        return Fetch(path=apart, size=size)
    return Fetch(path=whole, size=size, known=final, before=before)


@contextmanager
def ended(folder: Path, fetch: Fetch) -> Iterator[tuple[Path, int]]:
    """Join a later fetch, now that it is whole, to the evidence.

    Before that happens, gives the joined file, and its size (bytes) without the later fetch.
    """
    whole, apart = folder / EVIDENCE, folder / FETCHING
    if fetch.path == whole:
        yield whole, fetch.size
        return
    both = apart.with_suffix(".joined")
    try:
        evidence.joined(whole, apart, both)
        yield both, fetch.size
        both.replace(whole)
    finally:
        both.unlink(missing_ok=True)
    apart.unlink()


def interrupted(folder: Path) -> bool:
    """Tell whether a later fetch was begun and is not whole."""
    return (folder / FETCHING).exists()


def _stays(response: RecordedResponse) -> bool:
    """Tell whether an answer holds for the fetches to come: a refusal to the credential does not.

    That something is not found says something of what was asked for, and stays.
    """
    return response.status != FORBIDDEN


def _holds(response: RecordedResponse, cycle: BillingCycle, now: datetime) -> bool:
    """Tell whether an answer is still as good as one asked for now."""
    if is_over(cycle, response.fetched_at):
        return True
    return (
        not is_over(cycle, now.isoformat())
        and now - datetime.fromisoformat(response.fetched_at) < STALE
    )
