"""The rules of the house, read from the source: who imports whom, what the core may do, how long.

A failure names file and line. What is allowed by way of exception is listed here, one by one.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reportgen.cli import main

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "reportgen"

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"core"}),
    frozenset({"sources", "archive", "documents", "delivery"}),
    frozenset({"derive"}),
    frozenset({"terminal"}),
    frozenset({"operations"}),
    frozenset({"commands", "options"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""Each floor stands on those before it. But for the first, its rooms know nothing of each other."""
INSIDE: dict[str, tuple[frozenset[str], ...]] = {
    "core": (
        frozenset({"money", "cycle", "problem", "text", "packed"}),
        frozenset({"model"}),
        frozenset({"allocating", "delivery"}),
        frozenset({"charging"}),
        frozenset({"sessions", "comparing", "proving", "booking"}),
        frozenset({"written"}),
    ),
    "sources": (frozenset({"config"}), frozenset({"api"})),
    "documents": (
        frozenset({"content", "markup", "digest", "limits"}),
        frozenset({"templating"}),
        frozenset({"pdf", "xlsx", "exports", "tasks"}),
        frozenset({"keys", "render"}),
        frozenset({"mail"}),
    ),
    "operations": (
        frozenset({"context", "opening", "cycles", "connect"})
        | frozenset(
            {"failure", "bug_report", "interruption", "undelivered", "unready", "unreached"}
        ),
        frozenset({"collecting"}),
        frozenset({"building"}),
        frozenset({"sealed"}),
        frozenset({"mail"}),
    ),
}
"""The floors inside a room; those that stand side by side know nothing of each other either,
but for what all operations share."""
EVERYWHERE_BUT_CORE = {"", "resources", "files"}
"""The version in `reportgen/__init__.py`, where files lie and how they are opened: these import
nothing of ours."""

LONGEST_FUNCTION = 50
IMPURE_MODULES = {
    *(
        "asyncio",
        "atexit",
        "ctypes",
        "fileinput",
        "getpass",
        "glob",
        "http",
        "importlib",
        "io",
        "locale",
        "logging",
    ),
    *(
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "random",
        "secrets",
        "shutil",
        "signal",
        "site",
        "socket",
        "ssl",
    ),
    *(
        "statistics",
        "subprocess",
        "sys",
        "sysconfig",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
        "zoneinfo",
    ),
}
ALLOWED_IMPORTS = {("core/written/tables.py", "io")}  # StringIO, which is memory
IMPURE_NAMES = {
    "__import__",
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "exit",
    "input",
    "open",
    "print",
    "quit",
}
CLOCKS = {"now", "today", "utcnow"}
CONTEXTS = {"getcontext", "setcontext", "localcontext"}

ARITHMETIC = {"core/money.py", "core/cycle.py"}
"""Where numbers and days are reckoned with; elsewhere in the core `money` does it."""
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
ROUNDING_BUILTINS = {"abs", "divmod", "pow", "round", "sum"}
"""They round in the context of the caller; `Decimal.copy_abs` does not."""
ALLOWED_OPERATIONS = {
    ("core/allocating/allocate.py", "bisect_right(self.starts, day) - 1"),  # places in a list
    ("core/allocating/allocate.py", "index - 1"),
    ("core/allocating/allocate.py", "len(users) - 1"),  # a count
    ("core/text.py", "LONGEST_QUOTE - 1"),
    ("core/text.py", "sum"),  # columns of a text
    ("core/text.py", "sum"),  # a width, in columns
    ("core/delivery.py", "one.series + 1"),  # a count
    ("core/booking/journal.py", "most - 1"),  # a count
    ("core/charging/rate.py", "index - 1"),
    ("core/packed.py", "count + len(coded[0])"),  # a count
    ("core/packed.py", "index - begin"),  # places in a list
    (
        "core/allocating/usage.py",
        "rivals.at(cell, acus) - known.get(org_id, set())",
    ),  # a difference of sets
    ("core/allocating/usage.py", "-tolerance"),  # a setting, compared
    (
        "core/allocating/match.py",
        "subjects += [(org_id, '', '', '') for org_id in directory.organizations]",
    ),  # a list
}
ALLOWED_FLOATS = {("core/text.py", "0.6")}  # how alike two words are
EXACT_SOURCES = ("fees", "fields", "mapping", "pools", "rates", "resolved", "scalars", "shares")
NO_FLOATS = (
    "core/",
    "archive/",
    "derive.py",
    *(f"sources/config/{name}.py" for name in EXACT_SOURCES),
)


@cache
def modules() -> dict[str, Path]:
    """Give every module by its name without `reportgen.`; a package is its `__init__`."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def inside(*folders: str) -> Iterator[Path]:
    return (path for path in modules().values() if named(path).startswith(folders))


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def report(findings: Iterable[tuple[Path, ast.AST, str]], rule: str) -> None:
    """Fail with a line for each finding."""
    lines = [
        f"reportgen/{named(path)}:{getattr(node, 'lineno', 1)}: {text}"
        for path, node, text in findings
    ]
    assert not lines, f"{rule}\n" + "\n".join(lines)


# Who imports whom


def imported(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Give every module that a file imports anywhere in it, for types only included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                below = f"{node.module}.{alias.name}".removeprefix("reportgen.")
                yield node, f"reportgen.{below}" if below in modules() else str(node.module)


def ours(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node, name in imported(path):
        if name.split(".")[0] == "reportgen":
            yield node, name.removeprefix("reportgen").removeprefix(".")


def floor_and_room(module: str, floors: tuple[frozenset[str], ...]) -> tuple[int, str]:
    for floor, rooms in enumerate(floors):
        for room in (module, module.partition(".")[0]):
            if room in rooms:
                return floor, room
    raise AssertionError(f"{module} has no floor: add it to the design and to this test")


def stands_on(importer: str, target: str, floors: tuple[frozenset[str], ...], ground: int) -> bool:
    """Tell whether a module may look at another; on the `ground` floor rooms see each other."""
    (floor, room), (below, other) = (floor_and_room(name, floors) for name in (importer, target))
    return below < floor or (below == floor and (floor == ground or room == other))


def may_import(importer: str, target: str) -> bool:
    if target in EVERYWHERE_BUT_CORE:
        return not importer.startswith("core")
    if importer in EVERYWHERE_BUT_CORE:
        return False
    room, _, inside = importer.partition(".")
    same_room, _, target_inside = target.partition(".")
    if room == same_room and room in INSIDE and inside and target_inside:
        ground = 0 if room in {"core", "operations"} else -1
        return stands_on(inside, target_inside, INSIDE[room], ground)
    if "commands" in {room, same_room} and room == same_room:
        return command_of(importer) == command_of(target)
    return stands_on(importer, target, FLOORS, ground=0)


def command_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("core.allocating.usage", "core.money", True),
        ("core.money", "core.model", False),
        ("core.model", "core.allocating.match", False),
        ("core.allocating.match", "core.allocating.allocate", True),
        ("core.allocating.match", "core.charging.rate", False),
        ("core.proving.tieout", "core.charging.invoice", True),
        ("core.proving.statement", "core.comparing.compare", False),
        ("core.allocating.match", "resources", False),
        ("core.problem", "core.text", True),
        ("sources.api.v3", "sources.api.plan", True),
        ("sources.api.v3", "sources.config.schema", True),
        ("sources.config.schema", "sources.api.v3", False),
        ("sources.api.v3", "archive.evidence", False),
        ("delivery.session", "core.problem", True),
        ("delivery.session", "documents.mail", False),
        ("delivery.session", "sources.config.schema", False),
        ("operations.mail.courier", "delivery.session", True),
        ("documents.pdf.pdf", "resources", True),
        ("documents.pdf.pdf", "derive", False),
        ("documents.pdf.pdf", "documents.markup", True),
        ("documents.pdf.pdf", "documents.xlsx.rows", False),
        ("documents.content.invoice", "documents.markup", False),
        ("documents.content.invoice", "documents.templating.filters", False),
        ("documents.templating.filters", "documents.content.charges", True),
        ("documents.mail", "documents.render", True),
        ("documents.render", "documents.mail", False),
        ("derive", "documents.templating.templates", True),
        ("terminal", "core.problem", True),
        ("operations.building.inputs", "terminal", True),
        ("operations.failure", "operations.context", True),
        ("operations.sealed.sealing", "operations.building.artifacts", True),
        ("operations.building.artifacts", "operations.sealed.sealing", False),
        ("operations.sealed.pack", "operations.mail.letters", False),
        ("operations.building.inputs", "commands.build", False),
        ("commands.build", "operations.building.inputs", True),
        ("commands.build", "terminal", True),
        ("commands.run", "commands.build", False),
        ("commands.explain.text", "commands.explain.values", True),
        ("terminal", "commands.build", False),
        ("commands.build", "cli", False),
        ("resources", "core.problem", False),
        ("archive.evidence", "files", True),
        ("core.allocating.match", "files", False),
        ("options", "operations.completion", True),
        ("options", "commands.build", False),
        ("commands.build", "options", False),
        ("options", "cli", False),
        ("cli", "options", True),
        ("cli", "", True),
    ],
)
def test_the_rule_itself(importer, target, allowed):
    assert may_import(importer, target) is allowed


def test_rooms_import_only_what_they_stand_on():
    report(
        (
            (path, node, f"{module} may not import {target or 'reportgen'}")
            for module, path in modules().items()
            for node, target in ours(path)
            if not may_import(module, target)
        ),
        "core < sources | archive | documents | delivery "
        "< derive < terminal < operations < commands | options < cli; "
        "money cycle problem text < model < allocating < charging "
        "< sessions | comparing | proving | booking < written; "
        "sources.config < sources.api; "
        "content | markup < templating < pdf | xlsx < render < mail; "
        "collecting < building < sealed < mail",
    )


def test_no_import_goes_in_a_circle_not_even_for_types():
    graph = {module: {target for _, target in ours(path)} for module, path in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_the_hr_export_is_read_for_the_configuration_alone():
    """Its room stands on what any key of the configuration is read with, and that not on it."""
    room, reader = "sources.config.hr", "sources.config.configuration"
    report(
        (
            (path, node, f"imports {target}")
            for name, path in modules().items()
            for node, target in ours(path)
            if (target.startswith(room) and name != reader and not name.startswith(room))
            or (name.startswith(room) and target == reader)
        ),
        f"{room} is known to {reader} alone, and does not know it.",
    )


# What the core may do


def test_the_core_imports_the_standard_library_and_itself():
    allowed = sys.stdlib_module_names - IMPURE_MODULES
    report(
        (
            (path, node, f"imports {name}")
            for path in inside("core/")
            for node, name in imported(path)
            if not name.startswith("reportgen.core")
            and name.split(".")[0] not in allowed
            and (named(path), name) not in ALLOWED_IMPORTS
        ),
        "The core imports itself and the standard library, but nothing that looks at the machine.",
    )


def test_the_core_sees_no_clock_file_or_context():
    def impure(node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return node.id in IMPURE_NAMES
        if isinstance(node, ast.alias):
            return node.name in CONTEXTS
        return isinstance(node, ast.Attribute) and node.attr in CLOCKS | CONTEXTS

    report(
        (
            (path, node, ast.unparse(node))
            for path in inside("core/")
            for node in ast.walk(tree(path))
            if impure(node)
        ),
        "The core reads no clock, file, network, environment or locale, prints nothing, "
        "and leaves contexts alone.",
    )


def reckonings(path: Path) -> Iterator[ast.AST]:
    for node in ast.walk(tree(path)):
        match node:
            case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if isinstance(
                operator, OPERATORS
            ):
                yield node
            case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(
                operand, ast.Constant
            ):
                yield node
            case ast.Name(id=name) if name in ROUNDING_BUILTINS:
                yield node


def test_the_core_reckons_in_money_alone():
    report(
        (
            (path, node, ast.unparse(node))
            for path in inside("core/")
            if named(path) not in ARITHMETIC
            for node in reckonings(path)
            if (named(path), ast.unparse(node)) not in ALLOWED_OPERATIONS
        ),
        "Quantities are reckoned with by money.add, subtract, multiply, total, apportion; "
        "text is made by f-strings; "
        "abs, sum, round and the minus sign round in the context of the caller.",
    )


def test_every_exception_is_still_needed():
    used = {
        (named(path), ast.unparse(node)) for path in inside("core/") for node in reckonings(path)
    }
    assert used >= ALLOWED_OPERATIONS


def test_there_are_no_floats_where_money_is_handled():
    def is_float(node: ast.AST) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, float | complex)
        return isinstance(node, ast.Name) and node.id in {"float", "complex"}

    report(
        (
            (path, node, ast.unparse(node))
            for path in inside(*NO_FLOATS)
            for node in ast.walk(tree(path))
            if is_float(node) and (named(path), ast.unparse(node)) not in ALLOWED_FLOATS
        ),
        "Quantities, prices and amounts are Decimal from text or int.",
    )


def test_the_places_named_here_exist():
    names = {named(path) for path in modules().values()}
    assert {name for name, _ in ALLOWED_OPERATIONS} | ARITHMETIC <= names
    assert all(any(name.startswith(place) for name in names) for place in NO_FLOATS)


# How it is written


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        one for one in ast.walk(node) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_long():
    report(
        (
            (path, node, f"{node.name} has {lines(node)} lines")
            for path in modules().values()
            for node in functions(tree(path))
            if lines(node) > LONGEST_FUNCTION
        ),
        f"A function has at most {LONGEST_FUNCTION} lines.",
    )


SAYS_NOTHING = {"data", "found", "helper", "info", "item", "manager", "misc", "utils"}


def given_names(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree(path)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node, name


def test_no_name_says_nothing():
    report(
        (
            (path, node, f"{name} could be anything")
            for path in modules().values()
            for node, name in given_names(path)
            if name.strip("_").lower() in SAYS_NOTHING
        ),
        "A name is one of the field, or says what it holds.",
    )
    assert SAYS_NOTHING.isdisjoint(path.stem for path in modules().values())


def public(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Give a module, its public classes and functions, and the public methods of those classes."""
    yield tree(path), "module"
    for node in tree(path).body:
        if isinstance(
            node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and not node.name.startswith("_"):
            yield node, node.name
            for one in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(
                    one, ast.FunctionDef | ast.AsyncFunctionDef
                ) and not one.name.startswith("_"):
                    yield one, f"{node.name}.{one.name}"


def test_what_is_public_has_a_docstring():
    report(
        (
            (path, node, f"{name} has no docstring")
            for path in modules().values()
            for node, name in public(path)
            if not ast.get_docstring(node)  # type: ignore[arg-type]
        ),
        "Every module, and every public class, function and method, has a docstring.",
    )


def types(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Give the public classes and type aliases of a module; one letter alone is a type variable."""
    for node in tree(path).body:
        assigned = [node.name] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.Assign):
            assigned = [one.id for one in node.targets if isinstance(one, ast.Name)]
        yield from ((node, name) for name in assigned if re.fullmatch("[A-Z][A-Za-z]*[a-z]+", name))


def test_a_type_has_one_meaning():
    named: dict[str, list[tuple[Path, ast.AST]]] = defaultdict(list)
    for path in modules().values():
        for node, name in types(path):
            named[name].append((path, node))
    report(
        (
            (path, node, f"{name} is the name of {len(places)} types")
            for name, places in named.items()
            for path, node in places[1:]
        ),
        "Two modules give no two types the same name.",
    )


# What `--help` costs, and what it says


def loaded(code: str) -> set[str]:
    """Run code in a fresh interpreter and give the modules that it has loaded in the end."""
    tell = "import sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"], check=True, capture_output=True, text=True
    )
    return set(done.stderr.split())


def test_help_imports_click_and_the_command_line_alone():
    names = loaded(
        "from reportgen.cli import main\nmain(['--help'], standalone_mode=False)"
    ) - loaded("")
    assert {name for name in names if name.split(".")[0] == "reportgen"} == {
        "reportgen",
        "reportgen.cli",
        "reportgen.options",
    }
    allowed = {*sys.stdlib_module_names, "click", "reportgen"}
    assert {name for name in names if name.split(".")[0] not in allowed} == set()


@pytest.mark.parametrize("hidden", ["fcntl", "resource"])
def test_a_system_that_is_not_posix_is_told_so_before_an_import_fails(hidden):
    code = f"import sys\nsys.modules[{hidden!r}] = None\nfrom reportgen.cli import main\nmain()"
    command = [sys.executable, "-c", code, "run", ".", "--cycle", "previous"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    words = "reportgen runs on Linux, macOS and other POSIX systems; on Windows, run it inside WSL"
    assert done.stderr == f"Error: {words}\n"


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from commands(below, f"{name} {word}".strip())


COMMANDS = dict(commands(main))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name):
    command = COMMANDS[name]
    assert command.help
    assert [
        one.name for one in command.params if isinstance(one, click.Option) and not one.help
    ] == []
    done = CliRunner().invoke(main, [*name.split(), "--help"])
    assert done.exit_code == 0
    assert command.help.split()[0] in done.output


def test_the_list_of_commands_says_the_whole_of_what_each_does():
    _, _, rows = CliRunner().invoke(main, ["--help"]).output.partition("\nCommands:\n")
    listed = " ".join(rows.split())
    assert "..." not in listed
    for name, command in main.commands.items():
        first, _, _ = " ".join(str(command.help).split()).partition(". ")
        assert f"{name} {first.removesuffix('.')}" in listed


def test_commands_hold_one_file_or_folder_for_each_command():
    rooms = {path.relative_to(PACKAGE / "commands").parts[0] for path in inside("commands/")}
    assert {room.removesuffix(".py") for room in rooms} == {*COMMANDS, "__init__"} - {""}


# How failures are told


def test_every_warning_has_a_code_and_machines_can_look_it_up():
    documented = re.findall(
        r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/warnings.md").read_text(), re.MULTILINE
    )
    used, findings = set(), []
    for path in inside(""):
        for node in ast.walk(tree(path)):
            given = {key.arg: key.value for key in getattr(node, "keywords", ())}
            if "warning" in given and "code" not in given:
                findings.append((path, node, "a warning without a code"))
            if "warning" in given and isinstance(given.get("code"), ast.Constant):
                used.add(given["code"].value)
    report(findings, "a warning has a code")
    assert used <= set(documented)
    assert documented == sorted(set(documented))


def test_one_place_turns_what_stops_a_command_into_an_exit_code():
    codes = {"PROBLEMS", "USAGE", "UNREACHABLE"}
    report(
        (
            (path, node, f"reads the exit code {node.id}")
            for path in inside("cli.py", "commands/", "operations/")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in codes
            if named(path) != "operations/failure.py"
        ),
        "A command raises what stops it; operations/failure.py tells it and gives the exit code.",
    )
