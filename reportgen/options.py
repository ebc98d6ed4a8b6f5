"""What arguments and options take, and what a shell offers for them: shared by commands.

Only click is imported at the top: `--help` waits for nothing else. The environment is read by click
alone, where a parameter names a variable.
"""

import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reportgen import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from reportgen.operations.completion import Offer

TABLES = (".csv", ".xlsx")
HERE = "."
"""Where a configuration is looked for unless another place is named."""
CONFIG_VARIABLE = "REPORTGEN_CONFIG"
"""Names that other place for every command."""
_FOLDER = click.Argument(["config"], envvar=CONFIG_VARIABLE)


def place(_context: click.Context, _argument: click.Parameter, value: str) -> Path:
    """Take where a configuration lies; a variable that is not set is not this folder."""
    if not value.strip():
        raise click.BadParameter("it is empty", param_hint="CONFIG")
    return Path(value)


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
    return place(context, argument, configs[0] if configs else _unnamed(context)), invoice


def recorded(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Take words that are recorded: one line that can be seen."""
    if value is None:
        return None
    if not value.strip() or not value.isprintable():
        raise click.BadParameter("write a line of words")
    return value.strip()


def table_name(
    _context: click.Context, _option: click.Parameter, value: Path | None
) -> Path | None:
    """Take a file whose name says what it is to be."""
    if value is not None and value.suffix.lower() not in TABLES:
        raise click.BadParameter(f"name a file that ends in {' or '.join(TABLES)}")
    return value


def as_date(
    _context: click.Context, _option: click.Parameter, value: datetime | None
) -> date | None:
    """Take the day of what click reads as a moment."""
    return value.date() if value else None


def codes_sent(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Take cost centers that are said to have got what was sent."""
    for value in values:
        if not value.endswith("=sent") or value == "=sent":
            raise click.BadParameter("write it as CC-1001=sent")
    return tuple(value.removesuffix("=sent") for value in values)


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


def versions(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001
    """Write the versions that the bytes of documents depend on first; ends the program."""
    if not asked or context.resilient_parsing:
        return
    from reportgen.documents.pdf.installed import drawn_with  # noqa: PLC0415

    told = {"reportgen": __version__, **drawn_with()}
    click.echo("\n".join(f"{name} {version}" for name, version in told.items()))
    context.exit()


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


def sessions_known(
    context: click.Context, _option: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Complete the id of a session, from the statement of the cycle."""
    from reportgen.operations.completion import sessions  # noqa: PLC0415

    archive = _archive(context)
    listed = sessions(archive, context.params.get("selector")) if archive else []
    return _completing(listed, incomplete)


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
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=lambda: min(os.cpu_count() or 1, 64),
    help="Processes that render; one per processor by default.",
)


def drawn_elsewhere(function: "Callable[..., None]") -> "Callable[..., None]":
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
    return archive_of(Path(given or config or _unnamed(context)))


def _completing(offers: "list[Offer]", incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem  # noqa: PLC0415

    begun = (one for one in offers if one[0].startswith(incomplete))
    return [CompletionItem(word, help=said or None) for word, said in begun]


def _unnamed(context: click.Context) -> str:
    """Say where the configuration lies that nobody named."""
    return _FOLDER.resolve_envvar_value(context) or HERE
