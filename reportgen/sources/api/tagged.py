"""Sessions with tags that are looked for: asked about to be shown, and for nothing else.

All of them are asked about, as what tags come to is a sum. A list that has 0.0 for every session of
an organization tells nothing of them; of any other list, a session with 0.0 has used nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from typing import NamedTuple

from reportgen.core.model import Directory, Session, SessionsUnknown, View
from reportgen.core.problem import Problem
from reportgen.core.sessions.largest import without_products, without_totals
from reportgen.core.sessions.tags import tagged
from reportgen.core.text import quoted
from reportgen.sources.api.plan import Answer, Plan, Portion, Request
from reportgen.sources.api.reading import AT_A_TIME, Findings, Question, view_of
from reportgen.sources.api.views import ViewReader

MOST_NAMED = 3
FIRST = 20
"""Questions: where none of as many is answered, no further one is asked."""


def ask_tagged(
    findings: Findings,
    question: Question,
    known: Directory,
    lists: SessionsUnknown,
    ask: Callable[[Session], Request],
) -> Plan[None]:
    """Ask about every session with such a tag that may have used something, and is not known yet.

    `lists` says whether the lists of sessions were refused or broke off; `ask` gives the question
    about one.
    """
    if not question.tags:
        return
    views = _answered(findings) | dict(findings.sessions.views)
    lists = "no products" if without_products(findings.views["enterprise"][""]) else lists
    wanted = [] if lists in {"refused", "no products"} else list(_wanted(question, known))
    told = [one for one in wanted if one in views]
    left = [one for one in wanted if one not in views]
    reader = ViewReader(question.cycle, question.tolerance)
    silent: list[_Silent] = []
    for part, following in _portions(left):
        requests = {one: replace(ask(known.sessions[one]), shown=True) for one in part}
        findings.asked_to_show += len(requests)
        answers = yield Portion(requests.values(), following)
        for session_id, request in requests.items():
            answer = answers.get(request.target)
            view = view_of(answer, reader) if answer and answer.body is not None else None
            if view is None or without_products(view):
                silent.append(_Silent(answer, view))
            else:
                views[session_id] = view
                told.append(session_id)
        if silent and not told:
            break
    unknown = _unknown(lists, silent, told)
    findings.sessions = replace(findings.sessions, views=views, tagged=unknown)
    if unknown and unknown != "not asked":
        findings.warnings += (_untold(question.tags, unknown, len(silent), len(wanted)),)


def _answered(findings: Findings) -> dict[str, View]:
    """Give what is known of sessions that rules name."""
    refused = findings.refused_sessions
    return {one: view for one, view in findings.views["sessions"].items() if one not in refused}


def _wanted(question: Question, known: Directory) -> Iterator[str]:
    """Name the sessions that have such a tag, but for those that have used nothing."""
    by_org: dict[str, list[Session]] = defaultdict(list)
    for session in known.sessions.values():
        by_org[session.org_id].append(session)
    untold = {org_id for org_id, sessions in by_org.items() if without_totals(sessions)}
    for session_id in sorted(tagged(known.sessions.values(), question.tags)):
        session = known.sessions[session_id]
        if session.lifetime_acus is None or session.lifetime_acus or session.org_id in untold:
            yield session_id


def _portions(session_ids: Sequence[str]) -> Iterator[tuple[Sequence[str], int]]:
    """Yield a few to begin with, then the others in parts, each with how many follow."""
    start, size = 0, FIRST
    while part := session_ids[start : start + size]:
        start, size = start + len(part), AT_A_TIME
        yield part, len(session_ids) - start


class _Silent(NamedTuple):
    """An answer that tells nothing: none, a refusal, or a view that names no product."""

    answer: Answer | None
    view: View | None


def _unknown(
    lists: SessionsUnknown, silent: Sequence[_Silent], told: Sequence[str]
) -> SessionsUnknown:
    """Say why not all of them are known."""
    if any(one.answer is None for one in silent):
        return "not asked"
    if any(one.view is None for one in silent):
        return "refused half-way" if told else "refused"
    return "no products" if silent else lists


REASONS: MappingOf[SessionsUnknown, str] = {
    "list incomplete": "the API's list of sessions is not whole",
    "no products": "the API's answers name no products",
}


def _untold(tags: Sequence[str], unknown: SessionsUnknown, silent: int, wanted: int) -> Problem:
    """Say that usage by tag is not known; what is charged does not rest on it."""
    reason = REASONS.get(unknown, "the API refused what sessions used")
    of_them = f" of {silent:,} out of {wanted:,} sessions" if silent else ""
    patterns = ", ".join(map(quoted, tags[:MOST_NAMED])) + (" …" if tags[MOST_NAMED:] else "")
    return Problem(
        source="`invoice: {tags: …}`",
        message=f"usage by tags like {patterns} is not known{of_them}: {reason}",
        hint="nothing that is charged rests on it; what is not known stands with all other usage",
        warning=True,
        code="tags-unknown",
    )
