"""What was not delivered, or may not have been: told in the end, for exit code 4."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reportgen.core.delivery import Dispatch
from reportgen.core.problem import Problem
from reportgen.core.text import printable


class Undelivered(Exception):  # noqa: N818 - not an error of the program
    """Something was refused, is to be sent or may have been; `values` are the result."""

    def __init__(self, problems: Iterable[Problem], values: Mapping[str, object]) -> None:
        """Hold what is told."""
        self.problems, self.values = tuple(problems), values
        super().__init__(self.problems)


def problems_of(dispatches: Sequence[Dispatch], outbox: Path) -> list[Problem]:
    """Say of each delivery what stands in its way, and what to do; what is only late, together."""
    pending = [one for one in dispatches if one.state == "pending"]
    return [
        *(_uncertain(one, outbox) for one in dispatches if one.state in {"uncertain", "in_flight"}),
        *(_refused(one, outbox) for one in dispatches if one.state == "failed"),
        *([_late(pending, outbox)] if pending else []),
    ]


def _uncertain(one: Dispatch, outbox: Path) -> Problem:
    code = one.delivery.cost_center
    message = f"nobody knows whether {_named(one)} was taken ({one.said}); its Message-ID is"
    hint = (
        "look for it in the server's log or ask there, then "
        f"`--settle {code}=sent`, or `--resend {code}`"
    )
    return Problem(source=str(outbox), message=f"{message} {one.message_id}", hint=hint)


def _refused(one: Dispatch, outbox: Path) -> Problem:
    hint = f"correct the contact and send again, or `--resend {one.delivery.cost_center}`"
    return Problem(source=str(outbox), message=f"{_named(one)} was refused: {one.said}", hint=hint)


def _late(pending: Sequence[Dispatch], outbox: Path) -> Problem:
    count = "1 message is" if len(pending) == 1 else f"{len(pending)} messages are"
    said = next((one.said for one in reversed(pending) if one.said), "")
    why = f"; the last answer was: {said}" if said else ""
    hint = "run `reportgen send` again: what was sent is not sent twice"
    return Problem(source=str(outbox), message=f"{count} still to be sent{why}", hint=hint)


def _named(one: Dispatch) -> str:
    delivery = one.delivery
    return printable(f"{delivery.number} ({delivery.cost_center}) to {delivery.recipient}")
