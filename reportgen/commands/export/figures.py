"""Files of a cycle's figures, or of those of many, for systems that go on with them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.archive.exported import Listed, export_into
from reportgen.archive.folder import locked
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.exports.material import ExportFormat
from reportgen.documents.templating.templates import opened
from reportgen.operations.building.exports import options_of
from reportgen.operations.building.outcome import disagreements, sound
from reportgen.operations.context import DONE, NOT_TIED_OUT, Context, WrongUsage
from reportgen.operations.sealed.exporting import Materials, Selection, place_of, selection_of
from reportgen.operations.sealed.handing_out import refuse_within_closed, tell_changed
from reportgen.sources.config.configuration import Configuration


def export_figures(
    configuration: Configuration,
    selector: str,
    form: ExportFormat,
    output: Path | None,
    wished: Mapping[str, Any],
    context: Context,
) -> int:
    """Write the files of a format, unless a closed cycle among them was changed since."""
    selection = selection_of(configuration, selector, context)
    if selection.faults:
        return tell_changed(configuration.archive, selection.faults, {"files": []}, context)
    options = replace(options_of(configuration), **wished)
    target = output or place_of(selection, configuration.archive)
    refuse_within_closed(target, "name another folder with --output")
    _refuse_no_folder(target)
    materials = Materials(
        configuration=configuration,
        selected=selection.selected,
        context=context,
        warn=lambda material: form.warnings(material, options),
        accrued=options.until is not None,
    )
    group = configuration.group_reads
    with (
        _named_as_given(configuration),
        _alone(selection, group=group),
        context.terminal.progress("Writing files"),
    ):
        pieces = form.write(materials, options)
        files = export_into(target, form.family(options), pieces, group=group)
    return _tell(target, files, selection, materials, context)


def _refuse_no_folder(target: Path) -> None:
    """Raise Rejected where what is to be a folder is something else."""
    if target.exists() and not target.is_dir():
        message, hint = "is no folder, and this format writes files into one", "name a folder"
        raise Rejected([Problem(source=str(target), message=message, hint=hint)])


@contextmanager
def _named_as_given(configuration: Configuration) -> Iterator[None]:
    """Name templates as the user would open them; an option that is the source is wrong usage."""
    try:
        yield
    except Rejected as rejected:
        problems = opened(rejected.problems, configuration.templates)
        if problems[0].source.startswith("--"):
            raise WrongUsage(problems[0]) from None
        raise Rejected(problems) from None


@contextmanager
def _alone(selection: Selection, *, group: bool) -> Iterator[None]:
    """Keep other runs away from the draft that is exported alone: it would be changed meanwhile."""
    only = selection.selected[0] if len(selection.selected) == 1 else None
    if only is None or only.link:
        yield
        return
    with locked(only.folder, group=group):
        yield


def _tell(
    target: Path,
    files: Sequence[Listed],
    selection: Selection,
    materials: Materials,
    context: Context,
) -> int:
    """Say what was written, and what is amiss in drafts among it; gives the exit code."""
    for one in files:
        context.terminal.result(f"Wrote {target / one.name}, sha256 {one.sha256}")
    context.terminal.values(
        {
            "folder": str(target),
            "cycles": [one.folder.name for one in selection.selected],
            "closed": selection.closed,
            "files": [
                {"file": str(target / one.name), "bytes": one.bytes, "sha256": one.sha256}
                for one in files
            ],
        }
    )
    for statement, folder in materials.drafts:
        context.terminal.problems(disagreements(statement, str(folder)))
    good = all(sound(statement) for statement, _ in materials.drafts)
    return DONE if good else NOT_TIED_OUT
