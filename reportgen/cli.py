"""The command line: arguments in, exit codes out; the only reader of the clock and the environment.

Only click is imported at the top: `--help` waits for nothing else.
"""

import os
import sys
from datetime import UTC, datetime
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reportgen.options import (
    ACCEPT_REFUSED,
    CONCURRENCY,
    CONFIG,
    CYCLE,
    CYCLE_HELP,
    DAY,
    FRESH,
    JSON,
    QUIET,
    REFRESH,
    STRICT,
    WORKERS,
    as_date,
    codes_sent,
    config_and_invoice,
    config_or_invoice,
    cost_centers_known,
    cycles_known,
    drawn_elsewhere,
    layouts_known,
    named_place,
    recorded,
    sessions_known,
    table_name,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportgen.commands.completion import Shell
    from reportgen.operations.context import Context
    from reportgen.sources.config.json_schema import FileName

    Work = Callable[[Context], int]

POSIX = ("fcntl", "resource")
"""What the archive is locked with, and what bounds a template: Windows has neither."""
NOT_POSIX = "reportgen runs on Linux, macOS and other POSIX systems; on Windows, run it inside WSL"
BOOKED_ON = ("posting_date", "split_periods", "until")
"""Options that each say on which days a journal books."""


class Commands(click.Group):
    """Lists every command with the whole of its first sentence: click alone cuts it off."""

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a command with what it does in as many lines as that takes."""
        whole = {"limit": sys.maxsize}
        rows = [(name, one.get_short_help_str(**whole)) for name, one in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=versions,
    help="Show the versions of the program and of what draws its documents.",
)
def main() -> None:
    """Turn a billing cycle of Devin ACU consumption into chargeback invoices that tie out.

    CONFIG is chargeback.yaml or the folder it lies in; without it that is what REPORTGEN_CONFIG
    names, else the current folder.
    """
    if not all(map(find_spec, POSIX)):
        raise click.ClickException(NOT_POSIX)


def finishing(function: "Callable[..., Work]") -> "Callable[..., None]":
    """Give a command the options that all have, and run the work it returns to its exit code."""

    @JSON
    @QUIET
    @wraps(function)
    def finished(
        *arguments: object,
        machine: bool,
        quiet: bool,
        strict: bool = False,
        executor: str = "",
        scheduler: str = "",
        **options: object,
    ) -> None:
        if executor and scheduler:
            raise click.UsageError("--executor and --scheduler both say who draws: name one")
        work = function(*arguments, **options)
        drawn_by = executor, scheduler
        sys.exit(_exit_code(work, drawn_by, machine=machine, quiet=quiet, strict=strict))

    return finished


@main.command()
@click.argument("folder", metavar="DIR")
@click.option(
    "--discover",
    is_flag=True,
    help="Ask the API for a cycle, and write who and what used ACUs into the configuration.",
)
@click.option("--base-url", metavar="URL", help="With --discover: where the API is.")
@click.option("--api", type=click.Choice(["v3", "v2"]), help="With --discover: which API.")
@click.option("--token-env", metavar="NAME", help="With --discover: the token's variable.")
@click.option("--cycle", metavar="C", help="With --discover: which cycle; by default previous.")
@finishing
def init(folder: str, *, discover: bool, cycle: str | None, **source: str | None) -> "Work":
    """Write a commented configuration to start from into DIR, and the templates of documents.

    With --discover also everybody and everything that used ACUs in the last closed billing cycle;
    where DIR has a chargeback.yaml, the API is asked as that says.
    """
    if not folder.strip():  # a variable that is not set; a Path of it would be this folder
        raise click.BadParameter("it is empty", param_hint="DIR")
    written = {key: value for key, value in source.items() if value is not None}
    if discover:
        from reportgen.commands.init.discover import discover as discovering  # noqa: PLC0415

        return lambda context: discovering(Path(folder), written, cycle or "previous", context)
    if written or cycle:
        raise click.UsageError("--base-url, --api, --token-env and --cycle need --discover")
    from reportgen.commands.init.init import init as command  # noqa: PLC0415

    return lambda context: command(Path(folder), context)


@main.command()
@CONFIG
@click.option(
    "--cycle",
    "selector",
    metavar="C",
    help=f"Also look at the usage of a collected cycle: {CYCLE_HELP}.",
    shell_complete=cycles_known,
)
@STRICT
@finishing
def check(config: Path, selector: str | None) -> "Work":
    """Report every problem of a configuration at once, with file and line."""
    from reportgen.commands.check import check as command  # noqa: PLC0415

    return lambda context: command(config, selector, context)


@main.command()
@CONFIG
@finishing
def doctor(config: Path) -> "Work":
    """Look whether this machine can do it: libraries, fonts, archive, clock, API, token, mail.

    Without a configuration the machine alone is looked at. Nothing is kept, and nothing is sent.
    """
    from reportgen.commands.doctor.doctor import doctor as command  # noqa: PLC0415

    return lambda context: command(config, context)


@main.command()
@CONFIG
@finishing
def cycles(config: Path) -> "Work":
    """List the billing cycles that the API knows."""
    from reportgen.commands.cycles import cycles as command  # noqa: PLC0415

    return lambda context: command(config, context)


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@REFRESH
@ACCEPT_REFUSED
@STRICT
@finishing
def collect(
    config: Path, selector: str, concurrency: int, *, refresh: bool, accept_refused: bool
) -> "Work":
    """Ask the API for a cycle and keep its answers as evidence; resumes where it stopped."""
    from reportgen.commands.collect import collect as command  # noqa: PLC0415
    from reportgen.operations.collecting.collection import Effort  # noqa: PLC0415

    effort = Effort(concurrency=concurrency, refresh=refresh, accept_refused=accept_refused)
    return lambda context: command(config, selector, context, effort)


@main.command()
@CONFIG
@CYCLE
@WORKERS
@drawn_elsewhere
@FRESH
@STRICT
@finishing
def build(config: Path, selector: str, workers: int, *, fresh: bool) -> "Work":
    """Make ledger, invoices and statement from the evidence of a cycle: drafts, offline."""
    from reportgen.commands.build import build as command  # noqa: PLC0415

    return lambda context: command(config, selector, context, workers, fresh=fresh)


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@REFRESH
@ACCEPT_REFUSED
@WORKERS
@drawn_elsewhere
@FRESH
@STRICT
@click.option(
    "--unless-closed",
    is_flag=True,
    help="Do nothing where the cycle is closed, which else is refused: for what runs daily.",
)
@finishing
def run(
    config: Path,
    selector: str,
    concurrency: int,
    workers: int,
    *,
    refresh: bool,
    accept_refused: bool,
    fresh: bool,
    unless_closed: bool,
) -> "Work":
    """Collect a cycle and build its documents: the main job."""
    from reportgen.commands.run import run as command  # noqa: PLC0415
    from reportgen.operations.collecting.collection import Effort  # noqa: PLC0415

    effort = Effort(concurrency=concurrency, refresh=refresh, accept_refused=accept_refused)
    draw = {"fresh": fresh, "unless_closed": unless_closed}
    return lambda context: command(config, selector, context, effort, workers, **draw)


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@REFRESH
@WORKERS
@drawn_elsewhere
@click.option("--prepared-by", callback=recorded, metavar="NAME", help="Who prepared the cycle.")
@click.option("--approved-by", callback=recorded, metavar="NAME", help="Who approved it.")
@click.option(
    "--accept",
    "reason",
    callback=recorded,
    metavar="REASON",
    help="Why it is closed in spite of what speaks against it; the reason is recorded.",
)
@click.option("--dry-run", is_flag=True, help="Say what would refuse, and write nothing.")
@finishing
def close(
    config: Path,
    selector: str,
    concurrency: int,
    workers: int,
    *,
    refresh: bool,
    dry_run: bool,
    reason: str | None,
    **names: str | None,
) -> "Work":
    """Close a cycle for good: final documents, sealed, and read-only from then on."""
    from reportgen.commands.close import Decision  # noqa: PLC0415
    from reportgen.commands.close import close as command  # noqa: PLC0415
    from reportgen.core.proving.close import People  # noqa: PLC0415
    from reportgen.operations.collecting.collection import Effort  # noqa: PLC0415

    if refresh and dry_run:
        raise click.UsageError("--dry-run writes nothing, and --refresh collects")
    decision = Decision(people=People(**names), reason=reason, dry_run=dry_run)
    effort = Effort(concurrency=concurrency, refresh=refresh)
    return lambda context: command(config, selector, context, effort, decision, workers)


@main.command()
@CONFIG
@CYCLE
@CONCURRENCY
@ACCEPT_REFUSED
@WORKERS
@drawn_elsewhere
@click.option(
    "--reason", required=True, callback=recorded, metavar="REASON", help="Why; every note says it."
)
@click.option(
    "--config",
    "edited",
    type=click.Path(path_type=Path),
    metavar="EDITED",
    help="An edited configuration, instead of the one the cycle was closed with.",
)
@click.option(
    "--prepared-by", callback=recorded, metavar="NAME", help="Who prepared the correction."
)
@click.option("--approved-by", callback=recorded, metavar="NAME", help="Who approved it.")
@click.option("--dry-run", is_flag=True, help="Say what would be issued, and write nothing.")
@finishing
def correct(
    config: Path,
    selector: str,
    concurrency: int,
    workers: int,
    *,
    reason: str,
    edited: Path | None,
    dry_run: bool,
    accept_refused: bool,
    **names: str | None,
) -> "Work":
    """Collect a closed cycle again, and issue credit and debit notes for what changed."""
    from reportgen.commands.correct import Order  # noqa: PLC0415
    from reportgen.commands.correct import correct as command  # noqa: PLC0415
    from reportgen.core.proving.close import People  # noqa: PLC0415
    from reportgen.operations.collecting.collection import Effort  # noqa: PLC0415

    order = Order(reason=reason, people=People(**names), edited=edited, dry_run=dry_run)
    effort = Effort(concurrency=concurrency, accept_refused=accept_refused)
    return lambda context: command(config, selector, context, effort, order, workers)


@main.command()
@click.argument(
    "names",
    nargs=-1,
    metavar="[CONFIG] INVOICE",
    callback=config_and_invoice,
    shell_complete=config_or_invoice,
)
@click.option(
    "--cycle",
    "selector",
    metavar="C",
    help=f"{CYCLE_HELP}; not needed with a cycle's folder.",
    shell_complete=cycles_known,
)
@click.option(
    "--line",
    "only",
    type=click.IntRange(1),
    metavar="N",
    help="This line alone, with all its records.",
)
@click.option(
    "--session",
    metavar="ID",
    is_eager=True,
    help="This session instead of an invoice: who bears it, by which rule, what it cost, by day.",
    shell_complete=sessions_known,
)
@finishing
def explain(
    names: tuple[Path, str], selector: str | None, only: int | None, session: str | None
) -> "Work":
    """Trace each line of an invoice back to records, rules, rates and the API's answers; offline.

    INVOICE is the number of an invoice, or the code of its cost center. CONFIG may also be the
    folder of a cycle in an archive, which is explained as it stands.
    """
    from reportgen.commands.explain.explain import explain as command  # noqa: PLC0415
    from reportgen.commands.explain.explain import explain_session  # noqa: PLC0415

    config, invoice = names
    if session:
        if only:
            raise click.UsageError("--line is of an invoice, and --session of none: leave one out")
        return lambda context: explain_session(config, selector, session, context)
    return lambda context: command(config, selector, invoice, context, only)


@main.command()
@CONFIG
@CYCLE
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    callback=table_name,
    metavar="PATH",
    help="Write people.csv or people.xlsx, by the end of its name, instead of CSV to stdout.",
)
@finishing
def people(config: Path, selector: str, output: Path | None) -> "Work":
    """List who used ACUs, as a file in which each of them gets a cost center; offline.

    Fill the column cost_center, and name the file as `user_file` in mapping.yaml.
    """
    from reportgen.commands.people import people as command  # noqa: PLC0415

    return lambda context: command(config, selector, output, context)


@main.command()
@CONFIG
@CYCLE
@click.option(
    "--mapping", type=click.Path(path_type=Path), metavar="FILE", help="The edited mapping.yaml."
)
@click.option(
    "--rates", type=click.Path(path_type=Path), metavar="FILE", help="The edited rates.yaml."
)
@finishing
def diff(config: Path, selector: str, mapping: Path | None, rates: Path | None) -> "Work":
    """Show what an edited mapping or rate card would move on a cycle, or what a correction moved.

    Without an edited file C is a correction, such as 2025-12-05.c1.
    """
    from reportgen.commands.diff.diff import diff as command  # noqa: PLC0415

    edited = {key: path for key, path in (("mapping", mapping), ("rates", rates)) if path}
    if not edited and ".c" not in selector:
        raise click.UsageError(
            "name the edited file with --mapping, --rates or both, or a correction with --cycle"
        )
    return lambda context: command(config, selector, edited, context)


@main.command()
@click.argument("path", metavar="ARCHIVE[/CYCLE]", type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True, help="Check hashes and chain alone; draw nothing.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Draw N documents again, chosen at random, instead of all.",
)
@click.option("--seed", type=click.IntRange(0), metavar="S", help="Choose those of an earlier run.")
@click.option(
    "--seal", callback=recorded, metavar="HEX", help="A seal that was printed; needs --cycle."
)
@click.option(
    "--cycle",
    callback=recorded,
    metavar="C",
    help="The cycle that has the seal, or names it.",
    shell_complete=cycles_known,
)
@WORKERS
@drawn_elsewhere
@STRICT
@finishing
def verify(
    path: Path,
    workers: int,
    *,
    quick: bool,
    sample: int | None,
    seed: int | None,
    seal: str | None,
    cycle: str | None,
) -> "Work":
    """Prove a closed archive, or a cycle of it, from its own files alone; offline."""
    from reportgen.commands.verify import Scope  # noqa: PLC0415
    from reportgen.commands.verify import verify as command  # noqa: PLC0415

    if quick and sample:
        raise click.UsageError("--quick draws nothing, so there is nothing for --sample to choose")
    if seed is not None and not sample:
        raise click.UsageError("--seed repeats the choice of --sample")
    scope = Scope(quick=quick, sample=sample, seed=seed, seal=seal, cycle=cycle)
    return lambda context: command(path, scope, context, workers)


@main.command()
@CONFIG
@click.option(
    "--cycle",
    "selector",
    required=True,
    metavar="C",
    help=f"{CYCLE_HELP}, a correction such as 2025-12-05.c1, or a range "
    "2025-07-05..2026-06-05 (not for audit).",
    shell_complete=cycles_known,
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["audit", "csv", "focus", "journal", "parquet"]),
    required=True,
    help="audit: a zip for auditors, with all that a closed cycle was made of, to be checked by "
    "itself. csv, parquet: ledger, invoice lines and tie-out. focus: charges by the FinOps Open "
    "Cost and Usage Specification. journal: what a ledger books of it.",
)
@click.option(
    "--output",
    callback=named_place,
    metavar="PATH",
    help="Where to write it: of audit a file, else a folder. Without it a draft's files go to "
    "exports/ in its folder, those of closed cycles to exports/ beside the cycles.",
)
@click.option(
    "--focus-version",
    type=click.Choice(["1.2", "1.4"]),
    help="Of focus: the version of the specification; by default that of `focus:`, else 1.2.",
)
@click.option(
    "--layout",
    metavar="NAME",
    shell_complete=layouts_known,
    help="Of a journal: generic, oracle-fbdi, netsuite, dynamics365, workday, sap, or your own.",
)
@click.option(
    "--posting-date",
    type=DAY,
    callback=as_date,
    metavar="DATE",
    help="Of a journal: book on this day, instead of the cycle's last, or the day of a correction.",
)
@click.option(
    "--split-periods",
    is_flag=True,
    default=None,
    help="Of a journal: book in each calendar month what was used in it.",
)
@click.option(
    "--until",
    type=DAY,
    callback=as_date,
    metavar="DATE",
    help="Of a draft's journal: accrue what was used before this day, and take it back on it.",
)
@click.option(
    "--max-lines",
    type=click.IntRange(2),
    metavar="N",
    help="Of a journal: so many lines a file at most, each of which balances.",
)
@click.option(
    "--excel",
    is_flag=True,
    default=None,
    help="Of csv: tables that Excel opens as they are, amounts to the cent.",
)
@click.option(
    "--locale",
    metavar="L",
    help="With --excel: the language of Excel, such as de or en_GB; else that of documents.",
)
@STRICT
@finishing
def export(
    config: Path, selector: str, kind: str, output: Path | None, **options: object
) -> "Work":
    """Write a cycle for others: for auditors, or its figures for finance systems; offline."""
    from reportgen.commands.export.export import export as command  # noqa: PLC0415

    days = [f"--{name.replace('_', '-')}" for name in BOOKED_ON if options[name]]
    if len(days) > 1:
        raise click.UsageError(f"{' and '.join(days)} each say when it is booked: choose one")
    if options["locale"] and not options["excel"]:
        raise click.UsageError("--locale says how Excel reads: add --excel")
    wished = {name: value for name, value in options.items() if value is not None}
    return lambda context: command(config, selector, kind, output, wished, context)


@main.command()
@CONFIG
@click.option(
    "--cycle",
    "selector",
    metavar="C",
    help=f"{CYCLE_HELP}; not needed to --check.",
    shell_complete=cycles_known,
)
@click.option(
    "--only",
    multiple=True,
    metavar="CC",
    help="Mail this cost center alone; may be repeated.",
    shell_complete=cost_centers_known,
)
@click.option("--to", metavar="ADDRESS", help="Mail all to one address, and record nothing.")
@click.option("--dry-run", is_flag=True, help="Write the messages as files, and send nothing.")
@click.option("--check", "try_out", is_flag=True, help="Sign in to the mail server, send nothing.")
@click.option("--status", is_flag=True, help="Show what was sent to whom, and what was not.")
@click.option(
    "--resend",
    multiple=True,
    metavar="CC",
    help="Send a cost center again what is uncertain or was refused, else what was sent.",
    shell_complete=cost_centers_known,
)
@click.option(
    "--settle",
    multiple=True,
    callback=codes_sent,
    metavar="CC=sent",
    help="Take what is uncertain for sent, as you have seen that it arrived.",
    shell_complete=cost_centers_known,
)
@click.option("--preliminary", is_flag=True, help="Mail the draft of a cycle that is not closed.")
@WORKERS
@STRICT
@finishing
def send(
    config: Path,
    selector: str | None,
    workers: int,
    *,
    to: str | None,
    try_out: bool,
    **asked: object,
) -> "Work":
    """Mail each cost center its sealed documents, once."""
    from reportgen.commands.send.errand import Wish  # noqa: PLC0415
    from reportgen.commands.send.send import send as command  # noqa: PLC0415

    exclusive = (to, try_out, *(asked[name] for name in ("status", "dry_run", "resend", "settle")))
    if sum(map(bool, exclusive)) > 1:
        options = "--to, --check, --status, --dry-run, --resend, --settle"
        raise click.UsageError(f"one of {options} at a time")
    if asked["only"] and (asked["resend"] or asked["settle"]):
        raise click.UsageError("--resend and --settle name their cost centers themselves")
    if selector is None and not try_out:
        raise click.UsageError("say which billing cycle with --cycle")
    wish = Wish(to=to, check=try_out, **asked)  # type: ignore[arg-type]
    return lambda context: command(config, selector or "", wish, context, workers)


@main.command()
@click.argument(
    "name",
    type=click.Choice(["configuration", "mapping", "rates"]),
    metavar="[configuration|mapping|rates]",
    default="configuration",
)
@finishing
def schema(name: "FileName") -> "Work":
    """Write the JSON Schema (draft-07) that editors check a configuration file by.

    `init` writes those of all three beside the configuration, for its version.
    """
    from reportgen.commands.schema import schema as command  # noqa: PLC0415

    return lambda context: command(name, context)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@finishing
def completion(shell: "Shell") -> "Work":
    """Write what a shell runs to complete commands, options, cycles and cost centers.

    bash: eval "$(reportgen completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc with zsh;
    fish: reportgen completion fish > ~/.config/fish/completions/reportgen.fish
    """
    from reportgen.commands.completion import completion as command  # noqa: PLC0415

    return lambda context: command(shell, context)


def _exit_code(
    work: "Work", drawn_by: tuple[str, str], *, machine: bool, quiet: bool, strict: bool
) -> int:
    """Run the work of a command with the clock, the environment and the terminal."""
    from reportgen.operations.context import Context  # noqa: PLC0415
    from reportgen.operations.failure import told  # noqa: PLC0415
    from reportgen.terminal import Terminal  # noqa: PLC0415

    executor, scheduler = drawn_by
    context = Context(
        now=lambda: datetime.now(UTC),
        environment=os.environ,
        terminal=Terminal(machine=machine, quiet=quiet),
        arguments=sys.argv[1:],
        strict=strict,
        executor=executor,
        scheduler=scheduler,
    )
    return told(work, context)


def _remember_help() -> None:
    """Give every command the help that stands in its source."""
    import ast  # noqa: PLC0415 - as under `python -OO` alone

    for node in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name in {"main", *main.commands}:
            main.commands.get(node.name, main).help = ast.get_docstring(node)


if sys.flags.optimize > 1:  # Python was told to forget docstrings, which click takes for help
    _remember_help()
