"""The largest sessions of every cost center: asked about to be shown, and for nothing else.

A refusal here leaves no view out of the decomposition. Who is refused the first questions wholly
asks no further; a single session that is not found leaves the others to be asked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import replace

from reportgen.core.allocating.allocate import timeline_of
from reportgen.core.allocating.match import Matcher, Subject
from reportgen.core.allocating.usage import cells_of, holder_of
from reportgen.core.model import Directory, Mapping, Session, SessionsUnknown, SessionViews, View
from reportgen.core.problem import Problem
from reportgen.core.sessions.largest import Ranking, without_products, without_totals
from reportgen.sources.api.pages import Pages
from reportgen.sources.api.plan import Answer, Answers, Plan, Portion, Request
from reportgen.sources.api.reading import AT_A_TIME, Findings, Question, view_of
from reportgen.sources.api.views import ViewReader

FORBIDDEN = 403
MOST_IN_VAIN = 20
"""Questions: where as many in a row have no answer, no further one has."""


def ask_largest(
    findings: Findings,
    question: Question,
    known: Directory,
    unknown: SessionsUnknown,
    ask: Callable[[Session], Request],
) -> Plan[None]:
    """Ask about sessions until the largest of every cost center are known.

    `unknown` is what the lists of sessions make of that (`unknown_of`); `ask` gives the question
    about one.
    """
    if unknown in {"", "list incomplete"} and without_products(findings.views["enterprise"][""]):
        unknown = "no products"
        findings.warnings += (_without_products(len(known.sessions)),) if known.sessions else ()
    if unknown not in {"", "list incomplete"}:
        findings.sessions = SessionViews(wholly=unknown)
        return
    ranking = _ranking(findings, question, known)
    asking = _Asking(findings, ranking, ViewReader(question.cycle, question.tolerance))
    while session_ids := ranking.to_ask():
        for start in range(0, len(session_ids), AT_A_TIME):
            part = session_ids[start : start + AT_A_TIME]
            requests = {one: replace(ask(known.sessions[one]), shown=True) for one in part}
            following = len(session_ids) - start - len(part)
            findings.asked_to_show += len(requests)
            asking.keep(requests, (yield Portion(requests.values(), following)))
        if asking.over:
            break
    findings.sessions = asking.told(unknown)
    findings.warnings += asking.warnings


def unknown_of(question: Question, known: Directory, listed: SessionsUnknown) -> SessionsUnknown:
    """Say why nothing of the largest sessions can be known, or that their list is not whole."""
    if not question.largest or question.mapping is None:
        return "not wanted"
    if listed != "refused" and without_totals(known.sessions.values()):
        return "no totals"
    return listed


def wholeness(lists: Iterable[Pages]) -> SessionsUnknown:
    """Say whether all lists of sessions were refused, or one of them, or one broke off."""
    lists = list(lists)
    refused = [pages for pages in lists if pages.refused]
    if refused and len(refused) == len(lists):
        return "refused"
    return "list incomplete" if refused or any(one.broken_off() for one in lists) else ""


def _ranking(findings: Findings, question: Question, known: Directory) -> Ranking:
    """Sort sessions by the records that hold them; those that rules name are answered already."""
    mapping, views = question.mapping or Mapping(cost_centers=(), rules=()), findings.as_views()
    held: dict[Subject, list[Session]] = defaultdict(list)
    for session in known.sessions.values():
        held[holder_of(session, views, user_first=question.user_first)].append(session)
    torn = {
        holder_of(replace(session, principal=owner), views, user_first=question.user_first)
        for session in known.sessions.values()
        if len(session.claimed_by) > 1
        for owner in session.claimed_by
    }
    cells = cells_of(
        views, known, {*held, *torn}, user_first=question.user_first, tolerance=question.tolerance
    )
    matcher = Matcher(mapping.rules, known)
    bearers = {subject: timeline_of(matcher, mapping, subject) for subject in cells}
    ranking = Ranking(held, cells, bearers, question.cycle, question.largest, torn)
    for session_id, view in views.sessions.items():
        if session_id in findings.refused_sessions:
            ranking.no_answer(session_id, "refused half-way")
        else:
            ranking.answer(session_id, view)
    return ranking


class _Asking:
    """What became of the questions so far; `over` tells that no further one is worth asking.

    The answers have a reader of their own: what is odd about them moves no total.
    """

    def __init__(self, findings: Findings, ranking: Ranking, reader: ViewReader) -> None:
        self._ranking, self._reader = ranking, reader
        self._views: dict[str, View] = {
            session_id: view
            for session_id, view in findings.views["sessions"].items()
            if session_id not in findings.refused_sessions
        }
        self._answers, self._in_vain, self._unnamed = 0, 0, 0
        self._refused: Answer | None = None
        self.over, self.warnings = False, tuple[Problem, ...]()

    def keep(self, requests: MappingOf[str, Request], answers: Answers) -> None:
        """Take the answers to questions about sessions."""
        for session_id, request in requests.items():
            answer = answers.get(request.target)
            if answer is None:
                self._ranking.no_answer(session_id, "not asked")
            elif answer.body is None:
                self._ranking.no_answer(session_id, "refused half-way")
                self._refused = self._refused or answer
                self.over = self.over or answer.recorded.status == FORBIDDEN
            if answer is None or answer.body is None:
                self._in_vain += 1
            else:
                self._read(session_id, view_of(answer, self._reader))
        self.over = self.over or (not self._answers and self._in_vain >= MOST_IN_VAIN)

    def _read(self, session_id: str, view: View) -> None:
        """Take what a session used; without products it is not told from what else was used."""
        if without_products(view):
            self._ranking.no_answer(session_id, "no products")
            self._in_vain += 1
            self._unnamed += 1
        else:
            self._views[session_id] = view
            self._ranking.answer(session_id, view)
            self._answers += 1

    def told(self, wholly: SessionsUnknown) -> SessionViews:
        """Say what is known, and of which cost centers it is not enough."""
        unknown = self._ranking.unknown()
        if self.over and self._refused:
            reason: SessionsUnknown = "refused half-way" if self._answers else "refused"
            unknown = dict.fromkeys(unknown, reason)
        elif self.over and self._unnamed:
            unknown = dict.fromkeys(unknown, "no products")
        if self._refused and unknown:
            self.warnings += (_refused(self._refused, self._answers),)
        if self._unnamed and unknown:
            self.warnings += (_without_products(self._unnamed),)
        return SessionViews(views=self._views, unknown=unknown, wholly=wholly)


def _without_products(sessions: int) -> Problem:
    """Say that what sessions used cannot be told from other products."""
    of_sessions = "1 session" if sessions == 1 else f"{sessions:,} sessions"
    return Problem(
        source="the API's answers by day",
        message=f"name no products, so what {of_sessions} used is not known, nor shown",
        hint="nothing that is charged rests on it; ask the vendor, "
        "or write `invoice: {sessions: 0}`",
        warning=True,
        code="sessions-without-products",
    )


def _refused(first: Answer, answered: int) -> Problem:
    """Say that largest sessions are not known; what is charged does not rest on them."""
    others = f", though {answered} others were answered" if answered else ""
    return Problem(
        source=f"GET {first.recorded.request}",
        message=f"answered {first.recorded.status}{others}: "
        "the largest sessions of cost centers are not known for certain",
        hint="nothing that is charged rests on it; collect again once it is permitted, "
        "or write `invoice: {sessions: 0}`",
        warning=True,
        code="sessions-refused",
    )
