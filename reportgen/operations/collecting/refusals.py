"""What the API refused: listed, with what it leaves unexplained; half-way, nothing is made of it.

A kind of view that was refused half-way stops whoever collects or builds, unless it is accepted.
What was accepted stands in `inputs/accepted.json`, so that documents can be built again.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from reportgen.archive.folder import ACCEPTED
from reportgen.core.model import MissingView, Usage
from reportgen.core.money import shown, total
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system
from reportgen.operations.context import Context
from reportgen.sources.api.client import ApiFailure
from reportgen.sources.api.refusals import FORBIDDEN, half_way

SCHEMA = "reportgen.accepted/1"


class _Accepted(msgspec.Struct):
    refused: list[str]
    schema: str = SCHEMA


def read_accepted(folder: Path) -> frozenset[str]:
    """Read which kinds of view were accepted as refused half-way in a cycle; raises Rejected."""
    path = folder / ACCEPTED
    hint = "remove the file, then collect the cycle again"
    try:
        return frozenset(msgspec.json.decode(path.read_bytes(), type=_Accepted).refused)
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        message = f"cannot be read: {said_by_system(error)}"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)]) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        message = f"is not what was written there: a JSON object of {SCHEMA}"
        raise Rejected([Problem(source=str(path), message=message, hint=hint)]) from error


def encode_accepted(kinds: Iterable[str]) -> bytes:
    """Write which kinds of view were accepted."""
    written = msgspec.json.encode(_Accepted(refused=sorted(kinds)))
    return msgspec.json.format(written, indent=2) + b"\n"


def broken_off(views: Iterable[MissingView]) -> frozenset[str]:
    """Name the kinds of view that were refused half-way."""
    return frozenset(view.request for view in half_way(views))


def tell_missing(
    views: Sequence[MissingView], unexplained: str, source: str, context: Context
) -> None:
    """List what the API did not give, and the ACUs that this leaves unexplained."""
    context.terminal.problems(coarser(view, source) for view in views)
    if views:
        context.terminal.result(f"What is missing leaves {unexplained}")


def refuse_half_way(
    views: Iterable[MissingView], accepted: frozenset[str], unexplained: str
) -> None:
    """Raise ApiFailure where a kind of view was refused half-way, and that was not accepted."""
    refused = [view for view in half_way(views) if view.request not in accepted]
    if not refused:
        return
    first, *others = refused
    kinds = "kind of view" if len(others) == 1 else "kinds of view"
    more = f", and so {'was' if len(others) == 1 else 'were'} {len(others)} more {kinds}"
    raise ApiFailure(
        Problem(
            source=f"GET {first.request}",
            message=f"was {first.message}{more if others else ''}; this leaves {unexplained}",
            hint="collect again once it is permitted, or take what there is with --accept-refused",
        )
    )


def unexplained_in(usage: Usage) -> str:
    """Say how many ACUs are nobody's that is known, gross."""
    nobodys = [record for record in usage.records if not record.principal_id]
    without_a_user = total(record.quantity.copy_abs() for record in nobodys)
    without_both = total(record.quantity.copy_abs() for record in nobodys if not record.org_id)
    whole = total(usage.control.values())
    return (
        f"{shown(without_a_user)} of {shown(whole)} ACUs without a user, "
        f"{shown(without_both)} of them without an organization"
    )


def coarser(view: MissingView, source: str) -> Problem:
    """Say what is missing, and how it can be had."""
    finer = "collect with --refresh once the list is whole"
    if view.reason == "not asked":
        finer = "role assignments or sessions that name organizations leave fewer pairs open"
    elif view.reason == "unaskable":
        finer = "ask the vendor who that is"
    elif view.status == FORBIDDEN:
        finer = "collect again once it is permitted"
    elif view.status:
        finer = "collect with --refresh once it is there"
    return Problem(
        source=source,
        message=f"{view.text}: the decomposition is coarser",
        hint=f"nobody is charged twice; {finer}",
        warning=True,
        code="view-missing",
    )
