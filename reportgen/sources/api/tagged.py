"""Sessions with tags that are looked for: asked about to be shown, and for nothing else.

All of them are asked about, as what tags come to is a sum. A list that has 0.0 for every session of
an organization tells nothing of them; of any other list, a session with 0.0 has used nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from reportgen.core.model import Directory, Session, SessionsUnknown, View
from reportgen.core.sessions.largest import without_totals
from reportgen.core.sessions.tags import tagged
from reportgen.sources.api.plan import Answer, Plan, Portion, Request
from reportgen.sources.api.reading import AT_A_TIME, Findings, Question, view_of
from reportgen.sources.api.views import ViewReader

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
    wanted = list(_wanted(question, known)) if lists != "refused" else []
    told = [one for one in wanted if one in views]
    left = [one for one in wanted if one not in views]
    reader = ViewReader(question.cycle, question.tolerance)
    silent: list[Answer | None] = []
    for part, following in _portions(left):
        requests = {one: replace(ask(known.sessions[one]), shown=True) for one in part}
        answers = yield Portion(requests.values(), following)
        for session_id, request in requests.items():
            answer = answers.get(request.target)
            if answer is None or answer.body is None:
                silent.append(answer)
            else:
                views[session_id] = view_of(answer, reader)
                told.append(session_id)
        if silent and not told:
            break
    unknown = _unknown(lists, silent, told)
    findings.sessions = replace(findings.sessions, views=views, tagged=unknown)


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


def _unknown(
    lists: SessionsUnknown, silent: Sequence[Answer | None], told: Iterable[str]
) -> SessionsUnknown:
    """Say why not all of them are known."""
    if None in silent:
        return "not asked"
    if silent:
        return "refused half-way" if any(told) else "refused"
    return lists
