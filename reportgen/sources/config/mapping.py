"""mapping.yaml turned into cost centers, rules and pools."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from datetime import date
from functools import partial
from typing import Literal

from reportgen.core.allocating.match import session_key
from reportgen.core.model import CostCenter, DatedSplit, Level, Mapping, Rule, Share, Split
from reportgen.core.money import ONE
from reportgen.core.problem import Problem
from reportgen.core.text import address, quoted, visible
from reportgen.sources.config.dates import out_of_order
from reportgen.sources.config.fields import DatedTarget, Target
from reportgen.sources.config.pools import read_pools
from reportgen.sources.config.schema import CostCenterSection, MappingFile
from reportgen.sources.config.shares import read_shares, undeclared
from reportgen.sources.config.yamldoc import YamlDocument

RuleSection = Literal["users", "service_users", "sessions", "tags", "orgs"]
LEVELS: MappingOf[str, Level] = {
    "sessions": "session",
    "tags": "tag",
    "users": "user",
    "user_file": "user",
    "service_users": "user",
    "orgs": "org",
}
"""The level at which the rules of a section are asked."""
WORDS = {"user_file": "the user file", "service_users": "service users"}
RULE_SECTIONS: tuple[RuleSection, ...] = ("users", "service_users", "sessions", "tags", "orgs")


def read_mapping(
    file: MappingFile,
    source: YamlDocument,
    user_rules: Iterable[Rule],
    declared: MappingOf[str, str],
) -> tuple[Mapping, list[Problem]]:
    """Give the mapping, with the rules of the HR export, and what is wrong without usage.

    `declared` are file:line of all cost centers, by code.
    """
    rules, rule_problems = _rules(file, source)
    pools, pool_problems = read_pools(file, source)
    mapping = Mapping(
        cost_centers=tuple(
            _cost_center(code, file.cost_centers[code], declared[code])
            for code in sorted(file.cost_centers)
        ),
        rules=tuple(sorted((*user_rules, *rules), key=lambda rule: (rule.section, rule.key))),
        precedence=file.precedence,
        unallocated=file.unallocated,
        unallocated_source=source.line("unallocated"),
        pools=pools,
    )
    return mapping, [
        *_twice_ignoring_case(file, source, declared),
        *_sessions_twice(file, source),
        *_unused_sections(file, source),
        *rule_problems,
        *pool_problems,
        *_unknown_targets(mapping, source),
        *_closed_targets(mapping, source),
    ]


def single(code: str) -> Split | None:
    """Give the split of one cost center; `none` is no split."""
    return None if code == "none" else Split(shares=(Share(code, ONE, "1"),))


def _cost_center(code: str, section: CostCenterSection, source: str) -> CostCenter:
    written = section.model_dump()
    fields = tuple(written.pop("fields").items())
    return CostCenter(code=code, source=source, fields=fields, **written)


def _rules(file: MappingFile, source: YamlDocument) -> tuple[list[Rule], list[Problem]]:
    rules, problems = [], []
    for section in RULE_SECTIONS:
        for key, value in getattr(file, section).items():
            rule, wrong = _rule(section, key, value, source)
            rules.append(rule)
            problems += wrong
    return rules, problems


def _rule(
    section: RuleSection, key: str, value: DatedTarget, source: YamlDocument
) -> tuple[Rule, list[Problem]]:
    problems: list[Problem] = []
    values = []
    for start, target in _by_start(value):
        line = partial(source.line, section, key, *_dated(start))
        split, mistakes = (
            (single(target), []) if isinstance(target, str) else read_shares(target, key, line)
        )
        values.append(DatedSplit(start=start, split=split, source=line()))
        problems += mistakes
    rule = Rule(section=section, key=key, values=tuple(values), source=source.line(section, key))
    return rule, [*problems, *out_of_order(values, key)]


def _by_start(value: DatedTarget) -> list[tuple[date, Target]]:
    """Give the values with the day each holds from, the first there is for one without a date."""
    if isinstance(value, str):
        return [(date.min, value)]
    dated = [(key, target) for key, target in value.items() if isinstance(key, date)]
    return dated or [(date.min, {str(code): str(share) for code, share in value.items()})]


def _dated(start: date) -> tuple[str, ...]:
    """Give the step that leads to a dated value, none where a value has no date."""
    return () if start == date.min else (start.isoformat(),)


def _twice_ignoring_case(
    file: MappingFile, source: YamlDocument, declared: MappingOf[str, str]
) -> Iterator[Problem]:
    """Report codes that differ in upper and lower case alone, and keys that mean the same user."""
    centers = {code: code.casefold() for code in file.cost_centers}
    users = {key: address(key) if "@" in key else visible(key) for key in file.users}
    for section, compared in (("cost_centers", centers), ("users", users)):
        first: dict[str, str] = {}
        for key, same in compared.items():
            if other := first.get(same):
                unlike = (
                    "upper and lower case"
                    if key.casefold() == other.casefold()
                    else "what nobody sees"
                )
                line, place = (
                    declared[one] if section == "cost_centers" else source.line(section, one)
                    for one in (key, other)
                )
                message = f"{quoted(key)} and {quoted(other)} ({place}) differ in {unlike} alone"
                yield Problem(source=line, message=message, hint="keep one of them")
            first.setdefault(same, key)


def _sessions_twice(file: MappingFile, source: YamlDocument) -> Iterator[Problem]:
    """Report a session that is named with and without its prefix."""
    first: dict[str, str] = {}
    for key in file.sessions:
        if other := first.get(session_key(key)):
            place = source.line("sessions", other)
            message = f"{quoted(key)} and {quoted(other)} ({place}) are the same session"
            yield Problem(
                source=source.line("sessions", key), message=message, hint="keep one of them"
            )
        first.setdefault(session_key(key), key)


def _unused_sections(file: MappingFile, source: YamlDocument) -> Iterator[Problem]:
    """Warn of rules of a level that the precedence does not name: nothing ever asks them."""
    for section, level in LEVELS.items():
        if getattr(file, section) and level not in file.precedence:
            message = f"the rules for {WORDS.get(section, section)} are not used"
            hint = (
                "add `precedence: [session, tag, user, org]`; mind that people edit their own tags"
                if section == "tags"
                else f"add `{level}` to `precedence`, or leave them out"
            )
            yield Problem(
                source=source.line(section),
                message=message,
                hint=hint,
                warning=True,
                code="rules-unused",
            )


def _unknown_targets(mapping: Mapping, source: YamlDocument) -> Iterator[Problem]:
    codes = {center.code: None for center in mapping.cost_centers}
    for rule, value, code in _targets(mapping):
        if code not in codes:
            yield undeclared(code, codes, _line(rule, value, code, source))
    if mapping.unallocated and mapping.unallocated not in codes:
        yield undeclared(mapping.unallocated, codes, mapping.unallocated_source)


def _closed_targets(mapping: Mapping, source: YamlDocument) -> Iterator[Problem]:
    closed = {center.code: center.closed for center in mapping.cost_centers if center.closed}
    for rule, value, code in _targets(mapping):
        if code in closed and value.start > closed[code]:
            message = f"cost center {quoted(code)} is closed after {closed[code]}, "
            message += f"but named from {value.start} on"
            yield Problem(
                source=_line(rule, value, code, source),
                message=message,
                hint="name another cost center, or move `closed`",
            )


def _targets(mapping: Mapping) -> Iterator[tuple[Rule, DatedSplit, str]]:
    """Give every cost center that a rule names, with the rule and its value.

    Rows of the HR export are looked at where usage needs them.
    """
    for rule in mapping.rules:
        if rule.section == "user_file":
            continue
        for value in rule.values:
            for share in value.split.shares if value.split else ():
                yield rule, value, share.cost_center


def _line(rule: Rule, value: DatedSplit, code: str, source: YamlDocument) -> str:
    """Find the line on which a value names a cost center."""
    return source.line(rule.section, rule.key, *_dated(value.start), code)
