"""The command line: arguments in, exit codes out; the only reader of the clock and the environment.

Only click is imported at the top: `--help` waits for nothing else.
"""

import os
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reportgen import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.operations.context import Context

POSIX = ("fcntl", "resource")
"""What the archive is locked with, and what bounds a template: Windows has neither."""
NOT_POSIX = "reportgen runs on Linux, macOS and other POSIX systems; on Windows, run it inside WSL"

CONFIG = click.argument("config", type=click.Path(path_type=Path))
CYCLE_HELP = "current, previous, a start date such as 2025-12-05, or a month such as 2025-12"
CYCLE = click.option("--cycle", "selector", required=True, metavar="C", help=CYCLE_HELP)
JSON = click.option("--json", "machine", is_flag=True, help="Write the result as JSON to stdout.")
QUIET = click.option("--quiet", is_flag=True, help="Write nothing but problems to stderr.")
CONCURRENCY = click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Requests at a time.",
)
STRICT = click.option("--strict", is_flag=True, help="End with 5 where there was any warning.")
REFRESH = click.option("--refresh", is_flag=True, help="Ask again for what is stored.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=None,
    help="Processes that render; one per processor by default.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Turn a billing cycle of Devin ACU consumption into chargeback invoices that tie out.

    CONFIG is chargeback.yaml or the folder it lies in.
    """
    if not all(map(find_spec, POSIX)):
        raise click.ClickException(NOT_POSIX)


@main.command()
@click.argument("folder", metavar="DIR")
@JSON
@QUIET
def init(folder: str, *, machine: bool, quiet: bool) -> None:
    """Write a commented configuration to start from into DIR, and the templates of documents."""
    from reportgen.commands.init import init as command  # noqa: PLC0415

    if not folder.strip():  # a variable that is not set; a Path of it would be this folder
        raise click.BadParameter("it is empty", param_hint="DIR")
    _finish(lambda context: command(Path(folder), context), machine=machine, quiet=quiet)


@main.command()
@CONFIG
@click.option(
    "--cycle",
    "selector",
    metavar="C",
    help=f"Also look at the usage of a collected cycle: {CYCLE_HELP}.",
)
@STRICT
@JSON
@QUIET
def check(config: Path, selector: str | None, *, strict: bool, machine: bool, quiet: bool) -> None:
    """Report every problem of a configuration at once, with file and line."""
    from reportgen.commands.check import check as command  # noqa: PLC0415

    _finish(
        lambda context: command(config, selector, context),
        machine=machine,
        quiet=quiet,
        strict=strict,
    )


@main.command()
@CONFIG
@JSON
@QUIET
def cycles(config: Path, *, machine: bool, quiet: bool) -> None:
    """List the billing cycles that the API knows."""
    from reportgen.commands.cycles import cycles as command  # noqa: PLC0415

    _finish(lambda context: command(config, context), machine=machine, quiet=quiet)


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@REFRESH
@STRICT
@JSON
@QUIET
def collect(
    config: Path,
    selector: str,
    concurrency: int,
    *,
    refresh: bool,
    strict: bool,
    machine: bool,
    quiet: bool,
) -> None:
    """Ask the API for a cycle and keep its answers as evidence; resumes where it stopped."""
    from reportgen.commands.collect import collect as command  # noqa: PLC0415
    from reportgen.operations.collection import Effort  # noqa: PLC0415

    effort = Effort(concurrency=concurrency, refresh=refresh)
    _finish(
        lambda context: command(config, selector, context, effort),
        machine=machine,
        quiet=quiet,
        strict=strict,
    )


@main.command()
@CONFIG
@CYCLE
@WORKERS
@STRICT
@JSON
@QUIET
def build(
    config: Path, selector: str, workers: int | None, *, strict: bool, machine: bool, quiet: bool
) -> None:
    """Make ledger, invoices and statement from the evidence of a cycle: drafts, offline."""
    from reportgen.commands.build import build as command  # noqa: PLC0415

    _finish(
        lambda context: command(config, selector, context, _workers(workers)),
        machine=machine,
        quiet=quiet,
        strict=strict,
    )


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@REFRESH
@WORKERS
@STRICT
@JSON
@QUIET
def run(
    config: Path,
    selector: str,
    concurrency: int,
    workers: int | None,
    *,
    refresh: bool,
    strict: bool,
    machine: bool,
    quiet: bool,
) -> None:
    """Collect a cycle and build its documents: the main job."""
    from reportgen.commands.run import run as command  # noqa: PLC0415
    from reportgen.operations.collection import Effort  # noqa: PLC0415

    effort = Effort(concurrency=concurrency, refresh=refresh)
    _finish(
        lambda context: command(config, selector, context, effort, _workers(workers)),
        machine=machine,
        quiet=quiet,
        strict=strict,
    )


@main.command()
@CONFIG
@CYCLE
@click.argument("invoice")
@click.option(
    "--line",
    "only",
    type=click.IntRange(1),
    metavar="N",
    help="This line alone, with all its records.",
)
@JSON
@QUIET
def explain(
    config: Path, selector: str, invoice: str, only: int | None, *, machine: bool, quiet: bool
) -> None:
    """Trace each line of an invoice back to records, rules, rates and the API's answers; offline.

    INVOICE is the number of an invoice, or the code of its cost center.
    """
    from reportgen.commands.explain.explain import explain as command  # noqa: PLC0415

    _finish(
        lambda context: command(config, selector, invoice, context, only),
        machine=machine,
        quiet=quiet,
    )


@main.command()
@CONFIG
@CYCLE
@click.option(
    "--mapping", type=click.Path(path_type=Path), metavar="FILE", help="The edited mapping.yaml."
)
@click.option(
    "--rates", type=click.Path(path_type=Path), metavar="FILE", help="The edited rates.yaml."
)
@JSON
@QUIET
def diff(
    config: Path,
    selector: str,
    mapping: Path | None,
    rates: Path | None,
    *,
    machine: bool,
    quiet: bool,
) -> None:
    """Show what an edited mapping or rate card would move on a collected cycle."""
    from reportgen.commands.diff import diff as command  # noqa: PLC0415

    edited = {key: path for key, path in (("mapping", mapping), ("rates", rates)) if path}
    if not edited:
        raise click.UsageError("name the edited file with --mapping, --rates or both")
    _finish(
        lambda context: command(config, selector, edited, context), machine=machine, quiet=quiet
    )


def _workers(chosen: int | None) -> int:
    return chosen or os.cpu_count() or 1


def _finish(
    command: "Callable[[Context], int]", *, machine: bool, quiet: bool, strict: bool = False
) -> None:
    """Run a command with the clock and the environment, and leave with its exit code."""
    from reportgen.operations.context import Context  # noqa: PLC0415
    from reportgen.operations.failure import told  # noqa: PLC0415
    from reportgen.terminal import Terminal  # noqa: PLC0415

    terminal = Terminal(machine=machine, quiet=quiet)
    context = Context(
        now=lambda: datetime.now(UTC),
        environment=os.environ,
        terminal=terminal,
        arguments=sys.argv[1:],
        strict=strict,
    )
    sys.exit(told(command, context))
