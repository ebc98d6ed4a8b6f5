"""Which rules of the mapping match whom.

Within the level `user`: the id beats the e-mail beats the user file beats a pattern. E-mails are
compared as `text.address` writes them, in one case and without what nobody sees; a pattern with `*`
is compared with that, else with the id.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from operator import attrgetter

from reportgen.core.model import Directory, Level, Mapping, Principal, Rule, Session, UsageRecord
from reportgen.core.problem import Problem, file_and_line
from reportgen.core.text import address, quoted, some, visible

Subject = tuple[str, str, str, str]
"""Organization, principal kind, principal id, session: what decides which rules match."""
subject_of: Callable[[UsageRecord], Subject] = attrgetter(
    "org_id", "principal_kind", "principal_id", "session_id"
)
"""Gives the subject of a record."""

ADDRESS = re.compile(r"[^\s@<>:;,()]+@[^\s@<>:;,()]+\.[^\s@<>:;,()]+")
"""An e-mail address, wherever in a key it stands."""
SESSION_PREFIX = "devin-"
MOST_KEYS = 20
"""How many keys without a match are named each on a line of its own."""


class Matcher:
    """The rules of a mapping, indexed: which of them match a subject, level by level."""

    def __init__(self, rules: Iterable[Rule], directory: Directory) -> None:
        """Index the rules; their order in the files does not matter."""
        self._directory = directory
        self._by_key: dict[tuple[str, str], Rule] = {}
        self._patterns: list[tuple[re.Pattern[str], Rule]] = []
        for rule in sorted(rules, key=lambda rule: (rule.section, rule.key)):
            if is_pattern(rule):
                self._patterns.append((_compiled(rule.key), rule))
            for key in _keys(rule):
                self._by_key[rule.section, key] = rule

    def candidates(self, level: Level, subject: Subject) -> list[Rule]:
        """List the rules of a level that match, the one that ranks first at the front."""
        org_id, kind, principal_id, session_id = subject
        if level == "session":
            return self._with_keys(("sessions", session_id))
        if level == "tag":
            return self._with_keys(*(("tags", tag) for tag in self._tags(session_id)))
        if level == "org":
            return self._with_keys(("orgs", org_id))
        if kind == "service_user":
            return self._with_keys(("service_users", principal_id))
        return [*self._exact(principal_id), *self.patterns(principal_id)] if kind else []

    def patterns(self, user_id: str) -> list[Rule]:
        """List the patterns that match a user."""
        text = self._email(user_id) or address(user_id)
        return [rule for pattern, rule in self._patterns if pattern.fullmatch(text)]

    def exact_since(self, user_id: str, day: date) -> bool:
        """Tell whether an exact key decides a user from a day on, so that no pattern counts."""
        return any(_speaks_since(rule, day) for rule in self._exact(user_id))

    def _exact(self, user_id: str) -> list[Rule]:
        email = self._email(user_id)
        return self._with_keys(
            ("users", user_id), ("users", email), ("user_file", user_id), ("user_file", email)
        )

    def _email(self, user_id: str) -> str:
        entry = self._directory.entries.get(Principal("user", user_id))
        return address(entry.email or "") if entry else ""

    def _tags(self, session_id: str) -> list[str]:
        session = self._directory.sessions.get(session_id)
        return sorted(set(session.tags)) if session else []

    def _with_keys(self, *keys: tuple[str, str]) -> list[Rule]:
        rules = (self._by_key[key] for key in dict.fromkeys(keys) if key[1] and key in self._by_key)
        return list({id(rule): rule for rule in rules}.values())


def is_pattern(rule: Rule) -> bool:
    """Tell whether a rule's key is a pattern; only those of users are."""
    return rule.section == "users" and "*" in rule.key


def session_key(session_id: str) -> str:
    """Write a session id as the consumption API wants it, with its prefix."""
    return session_id if session_id.startswith(SESSION_PREFIX) else f"{SESSION_PREFIX}{session_id}"


def active_rules(mapping: Mapping) -> tuple[Rule, ...]:
    """Give the rules that can decide anything: for tags only where the precedence names them."""
    return tuple(
        rule for rule in mapping.rules if rule.section != "tags" or "tag" in mapping.precedence
    )


def sessions_named(
    rules: Iterable[Rule], sessions: Iterable[Session]
) -> list[tuple[Rule, Session]]:
    """Pair the session and tag rules with the sessions they name."""
    by_key: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.section in {"sessions", "tags"}:
            for key in _keys(rule):
                by_key[rule.section, key].append(rule)
    return [
        (rule, session)
        for session in sessions
        for key in (
            ("sessions", session.session_id),
            *(("tags", tag) for tag in sorted({*session.tags})),
        )
        for rule in by_key.get(key, ())
    ]


def uncollected_sessions(
    mapping: Mapping, directory: Directory, collected: AbstractSet[str]
) -> list[Problem]:
    """Report session and tag rules whose session's own consumption is not in the evidence."""
    return [
        Problem(
            source=rule.source,
            message=f"the consumption of session {quoted(session.session_id)}, "
            f"which {quoted(rule.key)} names, "
            "was not collected",
            hint="run `reportgen collect` for this cycle again",
        )
        for rule, session in sessions_named(active_rules(mapping), directory.sessions.values())
        if session.session_id not in collected
    ]


def conflicting_tags(mapping: Mapping, directory: Directory) -> list[Problem]:
    """Warn of sessions whose tags lead to different cost centers: such tags match nothing."""
    by_session: dict[str, list[Rule]] = {}
    for rule, session in sessions_named(active_rules(mapping), directory.sessions.values()):
        if rule.section == "tags":
            by_session.setdefault(session.session_id, []).append(rule)
    return [
        _conflict(session_id, sorted(rules, key=lambda rule: rule.key))
        for session_id, rules in sorted(by_session.items())
        if len({tuple((value.start, value.split) for value in rule.values) for rule in rules}) > 1
    ]


def unowned_sessions(mapping: Mapping, directory: Directory) -> list[Problem]:
    """Warn of session and tag rules for a session whose owner the API does not tell."""
    return [
        Problem(
            source=rule.source,
            message=f"the API does not tell whose session {quoted(session.session_id)} is",
            hint="what it used is charged by this rule "
            "only where it cannot be somebody's ACUs already",
            warning=True,
            code="session-owner-unknown",
        )
        for rule, session in sessions_named(active_rules(mapping), directory.sessions.values())
        if session.principal is None
    ]


def unmatched_rules(
    mapping: Mapping, directory: Directory, told: AbstractSet[str] = frozenset()
) -> list[Problem]:
    """Warn of keys that match nobody and nothing the API knows; of many, and of rows, in one line.

    `told` are keys of the HR export that another warning names.
    """
    seen = set(_seen(mapping, directory))
    unmatched = [rule for rule in mapping.rules if (rule.section, rule.key) not in seen]
    keys = [rule for rule in unmatched if rule.section != "user_file"]
    rows = [rule for rule in unmatched if rule.section == "user_file" and rule.key not in told]
    whole = not any(section == "user_file" for section, _ in seen)
    return [*_unmatched_keys(keys), *_unmatched_rows(rows, whole=whole)]


def _unmatched_keys(rules: list[Rule]) -> list[Problem]:
    """Warn of each key with its line; so many that nobody would read them are one warning."""
    if len(rules) > MOST_KEYS:
        rules = sorted(rules, key=lambda rule: file_and_line(rule.source))
        names = some(rules, lambda rule: f"{quoted(rule.key)} in {rule.section}")
        message = f"{len(rules)} keys match nothing in this cycle: {names}"
        hint = "correct them, or leave them if they are kept for later"
        return [
            Problem(
                source=rules[0].source,
                message=message,
                hint=hint,
                warning=True,
                code="key-matches-nothing",
            )
        ]
    return [
        Problem(
            source=rule.source,
            message=f"{quoted(rule.key)} in {rule.section} matches nothing in this cycle",
            hint=_meant(rule.key) or "correct the key, or leave it if it is kept for later",
            warning=True,
            code="key-matches-nothing",
        )
        for rule in rules
    ]


def _meant(key: str) -> str:
    """Say what to write where an address has something around it; nothing of other keys."""
    within = ADDRESS.search(key)
    alone = within and within[0] != key and "*" not in key and "|" not in key
    return f"write the address alone: {quoted(within[0])}" if within and alone else ""


def _unmatched_rows(rules: list[Rule], *, whole: bool) -> list[Problem]:
    """Warn of rows in one line; where they are the `whole` file, it may be read wrongly."""
    if not rules:
        return []
    rules = sorted(rules, key=lambda rule: file_and_line(rule.source))
    names = some(rules, lambda rule: quoted(rule.key))
    message = f"{names} of the user file {'match' if rules[1:] else 'matches'} nobody in this cycle"
    hint = "correct them, or leave them if they are kept for later"
    if whole:
        message = f"the user file matches nobody in this cycle: {names} in it"
        hint = "name the column of user ids or e-mail addresses as `user`"
    return [
        Problem(
            source=rules[0].source,
            message=message,
            hint=hint,
            warning=True,
            code="user-file-matches-nobody",
        )
    ]


def _seen(mapping: Mapping, directory: Directory) -> Iterator[tuple[str, str]]:
    """Give section and key of every rule that matches a known user, organization or session."""
    matcher = Matcher(mapping.rules, directory)
    subjects: list[Subject] = [("", *principal, "") for principal in directory.entries]
    subjects += [(org_id, "", "", "") for org_id in directory.organizations]
    for subject in subjects:
        for level in ("user", "org"):
            yield from ((rule.section, rule.key) for rule in matcher.candidates(level, subject))
    for rule, _ in sessions_named(mapping.rules, directory.sessions.values()):
        yield rule.section, rule.key


def _conflict(session_id: str, rules: list[Rule]) -> Problem:
    keys = " and ".join(quoted(rule.key) for rule in rules)
    return Problem(
        source=rules[0].source,
        message=f"session {quoted(session_id)} carries the tags {keys}, "
        "which lead to different cost centers",
        hint="none of them is used; name the session under `sessions`",
        warning=True,
        code="tags-contradict",
    )


def _keys(rule: Rule) -> set[str]:
    if is_pattern(rule):
        return set()
    if rule.section == "sessions":
        return {session_key(rule.key)}
    if rule.section in {"users", "user_file"}:
        key = visible(rule.key)
        return {key, address(key)} if "@" in key else {key}
    return {rule.key}


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, address(pattern).split("*"))), re.DOTALL)


def _speaks_since(rule: Rule, day: date) -> bool:
    """Tell whether a rule says something on every day from one on."""
    begun = [value for value in rule.values if value.start <= day]
    later = rule.values[len(begun) :]
    return bool(begun) and not any(value.silent for value in (*begun[-1:], *later))
