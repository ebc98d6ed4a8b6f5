"""All parts looked at, and told: each in a line, with its remedy.

Law: nothing is written but what is removed at once, nothing is sent to anybody, and all of it ends
within ten seconds.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from reportgen.commands.doctor.api import api, prepared
from reportgen.commands.doctor.archive import PART as ARCHIVE
from reportgen.commands.doctor.archive import archive
from reportgen.commands.doctor.finding import Finding, fine, told, untried
from reportgen.commands.doctor.looks import side_by_side
from reportgen.commands.doctor.machine import machine
from reportgen.commands.doctor.mail import MAIL, mail
from reportgen.commands.doctor.way import API
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import printable
from reportgen.documents.pdf import installed
from reportgen.operations.context import DONE, Context
from reportgen.operations.opening import refuse_archived
from reportgen.operations.unready import Unready
from reportgen.sources.config.configuration import Configuration, load_partly
from reportgen.sources.config.reader import MAIN_FILE

SECONDS = 6.0
"""For all that others answer; ten with what starts and ends the program."""
CONFIGURATION = "configuration"
NARROWEST = 40
"""Characters of a message in a line, however narrow the terminal is."""


def doctor(config: Path, context: Context) -> int:
    """Look at the machine and, with a configuration, at all that it names."""
    configuration, findings = _configured(config)
    looks = {}
    if configuration:
        connection, told_before = prepared(configuration, context)
        looks = {ARCHIVE: archive(configuration), API: iter(told_before)}
        if connection:
            looks[API] = api(configuration, connection, context)
        looks[MAIL] = mail(configuration, context)
    seen = side_by_side(looks, machine(configuration), SECONDS)
    return _tell([*findings, *seen], context)


def _configured(config: Path) -> tuple[Configuration | None, list[Finding]]:
    """Read the configuration, where there is one: a folder without is one to begin in."""
    if config.is_dir() and not (config / MAIN_FILE).exists():
        message = f"there is no {MAIN_FILE} in {config}, so only the machine is looked at"
        return None, [untried(CONFIGURATION, f"{message}; `reportgen init DIR` writes one")]
    try:
        refuse_archived(config)
    except Rejected as rejected:
        return None, [told(CONFIGURATION, problem) for problem in rejected.problems]
    configuration, problems = load_partly(config)
    if problems or configuration is None:
        return configuration, [told(CONFIGURATION, problem) for problem in problems]
    warnings = (told(CONFIGURATION, warning) for warning in configuration.warnings)
    return configuration, [fine(CONFIGURATION, str(config)), *warnings]


def _tell(findings: Sequence[Finding], context: Context) -> int:
    """Show every part; raises Unready where one is a problem."""
    terminal = context.terminal
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        for line in _lines(finding, width, terminal.columns):
            terminal.result(line)
    problems = [finding.problem for finding in findings if finding.health == "problem"]
    warnings = [finding.problem for finding in findings if finding.health == "warning"]
    terminal.result(_summary(problems, warnings))
    if terminal.machine:
        terminal.problems(warnings)
    checks = [_values(finding) for finding in findings]
    values = {"checks": checks, "versions": installed.versions()}
    if problems:
        raise Unready(problems, values)
    terminal.values({**values, "problems": []})
    return DONE


def _values(finding: Finding) -> dict[str, str]:
    return {
        "part": finding.part,
        "state": finding.health,
        "source": finding.source,
        "message": finding.message,
        "hint": finding.hint,
    }


def _lines(finding: Finding, width: int, columns: int) -> Iterator[str]:
    """Write what was seen, and the remedy below it."""
    head = f"{finding.health:<9}  {finding.part:<{width}}  "
    room = max(columns - len(head), NARROWEST)
    first, *more = wrap(printable(finding.message), room, break_on_hyphens=False) or [""]
    yield f"{head}{first}"
    yield from (f"{'':<{len(head)}}{line}" for line in more)
    if finding.hint:
        where = "" if finding.source == "reportgen" else f"{finding.source}: "
        yield printable(f"{'':<9}  {'':<{width}}  → {where}{finding.hint}")


def _summary(problems: Sequence[Problem], warnings: Sequence[Problem]) -> str:
    """Count what is to be mended."""
    counted = _count(len(problems), "problem") if problems else "No problems"
    return f"{counted}, {_count(len(warnings), 'warning')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
