"""What stops a command becomes one line and an exit code, whatever it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import Context, WrongUsage
from reportgen.operations.failure import told
from reportgen.sources.api.client import ApiFailure
from reportgen.terminal import Terminal

PROBLEM = Problem(source="mapping.yaml:3", message="is wrong", hint="mend it")
CONTEXT = Context(now=lambda: datetime(2026, 1, 9, tzinfo=UTC), environment={}, terminal=Terminal())


def stopped_by(error, context=CONTEXT):
    def command(_):
        raise error

    return told(command, context)


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_a_clock_that_was_never_set_is_told_before_anything_is_done(year, capsys):
    context = replace(CONTEXT, now=lambda: datetime(year, 1, 1, tzinfo=UTC))
    assert stopped_by(AssertionError("it ran"), context) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("reportgen: the clock of this machine says ")
    assert line.endswith("-01-01; set it, then try again")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Rejected([PROBLEM, PROBLEM]), 1, "mapping.yaml:3: is wrong; mend it\n" * 2),
        (WrongUsage(PROBLEM), 2, "mapping.yaml:3: is wrong; mend it\n"),
        (ApiFailure(PROBLEM), 4, "mapping.yaml:3: is wrong; mend it\n"),
        (KeyboardInterrupt(), 130, "interrupted; run it again to go on\n"),
        (
            MemoryError(),
            1,
            (
                "reportgen: there is not enough memory; raise its limit (`ulimit -v`, or that of a "
                "container), then run the command again\n"
            ),
        ),
        (
            PermissionError(13, "Permission denied", "archive/2025-12-05"),
            1,
            "archive/2025-12-05: permission denied; mend that, then run the command again\n",
        ),
    ],
)
def test_a_failure_is_told_and_has_its_code(error, code, words, capsys):
    assert stopped_by(error) == code
    assert capsys.readouterr() == ("", words)


@pytest.mark.parametrize(
    ("error", "source", "message"),
    [
        (Rejected([PROBLEM]), "mapping.yaml:3", "is wrong"),
        (WrongUsage(PROBLEM), "mapping.yaml:3", "is wrong"),
        (ApiFailure(PROBLEM), "mapping.yaml:3", "is wrong"),
        (FileNotFoundError(2, "No such file or directory", "logo.svg"), "logo.svg", "no such file"),
    ],
)
def test_machines_are_told_the_same(error, source, message, capsys):
    assert stopped_by(error, replace(CONTEXT, terminal=Terminal(machine=True))) != 0
    said = capsys.readouterr()
    (problem,) = json.loads(said.out)["problems"]
    assert problem.keys() == {"source", "message", "hint"}
    assert problem["source"] == source
    assert problem["message"].startswith(message)
    assert said.err == "{source}: {message}; {hint}\n".format(**problem)


def test_a_line_stays_a_line():
    problem = Problem(source="a\nb.yaml:3", message="holds \u2028 and \x1b[31m", hint="mend\tit")
    assert str(problem) == "a\\nb.yaml:3: holds \\u2028 and \\u001b[31m; mend\\tit"


@pytest.mark.parametrize(
    ("warns", "strict", "ends", "code"),
    [
        (True, True, 0, 5),
        (True, False, 0, 0),
        (False, True, 0, 0),
        (True, True, 3, 3),
    ],
)
def test_warnings_count_where_that_is_asked_for(warns, strict, ends, code, capsys):
    def command(context):
        context.terminal.problems([replace(PROBLEM, warning=warns)])
        return ends

    assert told(command, replace(CONTEXT, terminal=Terminal(), strict=strict)) == code
    said = capsys.readouterr().err.splitlines()[1:]
    assert said == (["--strict: 1 warning, so this ends with 5"] if code == 5 else [])


@pytest.mark.parametrize("fails", [False, True])
def test_machines_are_told_every_warning_beside_the_result_whenever_it_was_told(fails, capsys):
    warning = replace(PROBLEM, warning=True, code="key-matches-nothing")

    def command(context):
        context.terminal.problems([warning])
        context.terminal.values({"folder": "archive"})
        context.terminal.problems([warning, replace(warning, code="pool-idle")])
        if fails:
            raise Rejected([PROBLEM])
        return 0

    assert told(command, replace(CONTEXT, terminal=Terminal(machine=True))) == int(fails)
    values = json.loads(capsys.readouterr().out)
    said = {"source": PROBLEM.source, "message": PROBLEM.message, "hint": PROBLEM.hint}
    assert values.pop("warnings") == [
        {"code": "key-matches-nothing", **said},
        {"code": "pool-idle", **said},
    ]
    assert values == ({"problems": [said]} if fails else {"folder": "archive"})
