"""`export`: what is made of a cycle for others: a pack for auditors, or files of its figures."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from reportgen.commands.export.audit import export_pack
from reportgen.commands.export.figures import export_figures
from reportgen.core.model import ExportName
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.documents.exports.formats import FORMATS
from reportgen.operations.context import Context, WrongUsage
from reportgen.operations.opening import recover, refuse_archived
from reportgen.sources.config.configuration import load


def export(
    config: Path,
    selector: str,
    kind: ExportName | str,
    output: Path | None,
    wished: Mapping[str, Any],
    context: Context,
) -> int:
    """Write what is asked for; `wished` are the options that were given, by their names."""
    form = {name: FORMATS[name] for name in get_args(ExportName)}.get(kind)
    _refuse_options(kind, wished.keys() - (form.options if form else ()))
    refuse_archived(config)
    configuration = load(config)
    recover(configuration, context)
    if form is None:
        return export_pack(configuration, selector, output, context)
    return export_figures(configuration, selector, form, output, wished, context)


def _refuse_options(kind: str, unknown: Collection[str]) -> None:
    """Raise WrongUsage for an option that the format knows nothing of."""
    for name in sorted(unknown):
        takers = [other for other, form in FORMATS.items() if name in form.options]
        message = f"says nothing to --format {kind}"
        hint = f"it is for {', '.join(map(quoted, takers))}"
        raise WrongUsage(Problem(source=f"--{name.replace('_', '-')}", message=message, hint=hint))
