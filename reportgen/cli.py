"""The command line: arguments in, exit codes out; the only reader of the clock and the environment.

Only click is imported at the top: `--help` waits for nothing else.
"""

import os
import sys
from datetime import UTC, date, datetime
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reportgen import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from reportgen.commands.completion import Shell
    from reportgen.operations.completion import Offer
    from reportgen.operations.context import Context
    from reportgen.sources.config.json_schema import FileName

    Work = Callable[[Context], int]

POSIX = ("fcntl", "resource")
"""What the archive is locked with, and what bounds a template: Windows has neither."""
NOT_POSIX = "reportgen runs on Linux, macOS and other POSIX systems; on Windows, run it inside WSL"

TABLES = (".csv", ".xlsx")
HERE = "."
"""Where a configuration is looked for unless another place is named."""
CONFIG_VARIABLE = "REPORTGEN_CONFIG"
"""Names that other place for every command."""


def place(_context: click.Context, _argument: click.Parameter, value: str) -> Path:
    """Take where a configuration lies; a variable that is not set is not this folder."""
    if not value.strip():
        raise click.BadParameter("it is empty", param_hint="CONFIG")
    return Path(value)


def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Let the shell complete files and folders."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415

    return [CompletionItem(incomplete, type="file")]


def cycles_known(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete a billing cycle, from the archive; corrections where a command takes them."""
    from reportgen.operations.completion import cycles as known  # noqa: PLC0415

    archive = _archive(context)
    words = () if "path" in context.params else (("previous", ""), ("current", ""))
    kept = known(archive, corrections=context.info_name in {"diff", "export"}) if archive else []
    return _completing([*kept, *words], incomplete)


def layouts_known(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete the layout of a journal."""
    from reportgen.operations.completion import layouts  # noqa: PLC0415

    return _completing(layouts(), incomplete)


def cost_centers_known(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete the code of a cost center, from the statement of the cycle."""
    from reportgen.operations.completion import cost_centers  # noqa: PLC0415

    selector = context.params.get("selector")
    archive = _archive(context)
    charged = cost_centers(archive, selector) if archive else []
    ending = "=sent" if parameter.name == "settle" else ""
    return _completing([(code + ending, name) for code, name in charged], incomplete)


def config_or_invoice(
    context: click.Context, argument: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete INVOICE by the code of a cost center; CONFIG may stand in its place."""
    return cost_centers_known(context, argument, incomplete) or files(context, argument, incomplete)


def _archive(context: click.Context) -> Path | None:
    """Find the archive that is meant by what the command line has so far."""
    from reportgen.operations.completion import archive_of  # noqa: PLC0415

    # Where the value of an option is what is completed, click leaves arguments as they came.
    given = next(iter(context.args), None)
    if "path" in context.params:
        return Path(given or context.params["path"] or HERE)
    config, invoice = context.params.get("names") or (context.params.get("config"), "")
    if invoice and Path(invoice).exists():  # the invoice is yet to come
        config = invoice
    return archive_of(Path(given or config or _elsewhere()))


def _completing(offers: "list[Offer]", incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem  # noqa: PLC0415

    begun = (one for one in offers if one[0].startswith(incomplete))
    return [CompletionItem(word, help=said or None) for word, said in begun]


def _elsewhere() -> str:
    """Say where the configuration lies that nobody named."""
    return os.environ.get(CONFIG_VARIABLE) or HERE


CONFIG = click.argument(
    "config", default=HERE, envvar=CONFIG_VARIABLE, callback=place, shell_complete=files
)
CYCLE_HELP = "current, previous, a start date such as 2025-12-05, or a month such as 2025-12"
CYCLE = click.option(
    "--cycle",
    "selector",
    required=True,
    metavar="C",
    help=CYCLE_HELP,
    shell_complete=cycles_known,
)
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
FRESH = click.option(
    "--fresh", is_flag=True, help="Draw also what is as it was; without it that is kept."
)
ACCEPT_REFUSED = click.option(
    "--accept-refused",
    is_flag=True,
    help="Go on where the API refused half-way; the statement's first page says so.",
)
DAY = click.DateTime(["%Y-%m-%d"])
BOOKED_ON = ("posting_date", "split_periods", "until")
"""Options that each say on which days a journal books."""
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=lambda: min(os.cpu_count() or 1, 64),
    help="Processes that render; one per processor by default.",
)


def executor_named(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    """Take where an executor comes from."""
    module, colon, function = (value or "").partition(":")
    names = (*module.split("."), function)
    if value is not None and not (colon and all(map(str.isidentifier, names))):
        raise click.BadParameter("write it as module:callable, such as acme.farm:executor")
    return value or ""


def scheduler_named(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    """Take the address of a scheduler."""
    if value is not None:
        from urllib.parse import urlsplit  # noqa: PLC0415

        try:
            parts = urlsplit(value)
            well = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
        except ValueError:  # a port that is no number
            well = None
        if not well or value != f"{parts.scheme}://{parts.netloc}":
            raise click.BadParameter("write it as tcp://host:port, or as tls://host:port")
    return value or ""


def elsewhere(function: "Callable[..., None]") -> "Callable[..., None]":
    """Give a command the options that let others draw its documents."""
    executor = click.option(
        "--executor",
        callback=executor_named,
        metavar="MODULE:CALLABLE",
        help="Who draws instead of this machine: what it returns is a concurrent.futures.Executor.",
    )
    scheduler = click.option(
        "--scheduler",
        callback=scheduler_named,
        metavar="TCP://HOST:PORT",
        help="Let the workers of a Dask scheduler draw.",
    )
    return executor(scheduler(function))


def versions(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001
    """Write the versions that the bytes of documents depend on first; ends the program."""
    if not asked or context.resilient_parsing:
        return
    from reportgen.documents.pdf.engine import drawn_with  # noqa: PLC0415

    told = {"reportgen": __version__, **drawn_with()}
    click.echo("\n".join(f"{name} {version}" for name, version in told.items()))
    context.exit()


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


def words(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Take words that are recorded: one line that can be seen."""
    if value is None:
        return None
    if not value.strip() or not value.isprintable():
        raise click.BadParameter("write a line of words")
    return value.strip()


def named_place(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> Path | None:
    """Take where something is written; a variable that is not set is not this folder."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty")
    return None if value is None else Path(value)


def config_and_invoice(
    context: click.Context, argument: click.Parameter, values: tuple[str, ...]
) -> tuple[Path, str]:
    """Take INVOICE, and CONFIG before it where it is named; with a session there is none."""
    if context.params.get("session"):
        values = (*values, "")
    if not values:
        raise click.MissingParameter(param_hint="INVOICE", param_type="argument", ctx=context)
    *configs, invoice = values
    if len(configs) > 1:
        raise click.UsageError(f"got one name too many: {invoice}", context)
    return place(context, argument, configs[0] if configs else _elsewhere()), invoice


def sessions_known(
    context: click.Context, _option: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete the id of a session, from the statement of the cycle."""
    from reportgen.operations.completion import sessions  # noqa: PLC0415

    archive = _archive(context)
    listed = sessions(archive, context.params.get("selector")) if archive else []
    return _completing(listed, incomplete)


def codes_sent(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Take cost centers that are said to have got what was sent."""
    for value in values:
        if not value.endswith("=sent") or value == "=sent":
            raise click.BadParameter("write it as CC-1001=sent")
    return tuple(value.removesuffix("=sent") for value in values)


def as_date(
    _context: click.Context, _option: click.Parameter, value: datetime | None
) -> date | None:
    """Take the day of what click reads as a moment."""
    return value.date() if value else None


def table_name(
    _context: click.Context, _option: click.Parameter, value: Path | None
) -> Path | None:
    """Take a file whose name says what it is to be."""
    if value is not None and value.suffix.lower() not in TABLES:
        raise click.BadParameter(f"name a file that ends in {' or '.join(TABLES)}")
    return value


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
@elsewhere
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
@elsewhere
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
@elsewhere
@click.option("--prepared-by", callback=words, metavar="NAME", help="Who prepared the cycle.")
@click.option("--approved-by", callback=words, metavar="NAME", help="Who approved it.")
@click.option(
    "--accept",
    "reason",
    callback=words,
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
@elsewhere
@click.option(
    "--reason", required=True, callback=words, metavar="REASON", help="Why; every note says it."
)
@click.option(
    "--config",
    "edited",
    type=click.Path(path_type=Path),
    metavar="EDITED",
    help="An edited configuration, instead of the one the cycle was closed with.",
)
@click.option("--prepared-by", callback=words, metavar="NAME", help="Who prepared the correction.")
@click.option("--approved-by", callback=words, metavar="NAME", help="Who approved it.")
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
    "--seal", callback=words, metavar="HEX", help="A seal that was printed; needs --cycle."
)
@click.option(
    "--cycle",
    callback=words,
    metavar="C",
    help="The cycle that has the seal, or names it.",
    shell_complete=cycles_known,
)
@WORKERS
@elsewhere
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
