"""How commands read a configuration, and what there is to be said of it before anything is done."""

from pathlib import Path

from reportgen.archive.closing import recovered
from reportgen.archive.folder import cycle_around
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.templating.catalog import untranslated
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration, load


def opened(config: Path, context: Context) -> Configuration:
    """Read a configuration to work with; raises Rejected, also for one that an archive keeps."""
    refuse_archived(config)
    return looked_at(config, context)


def looked_at(config: Path, context: Context) -> Configuration:
    """Read a configuration, and say how files of other systems were read; raises Rejected."""
    configuration = load(config)
    for note in configuration.notes:
        context.terminal.say(note)
    recover(configuration, context)
    return configuration


def refuse_archived(config: Path) -> None:
    """Raise Rejected for a configuration that a cycle keeps: its paths lead elsewhere from there.

    The API would be asked, and an archive written inside the archive.
    """
    if folder := cycle_around(config):
        message = "this is the configuration that a cycle was built with, as its archive keeps it"
        hint = (
            "name the one that you edit, outside of the archive; "
            f"`reportgen explain {folder} INVOICE` explains that cycle"
        )
        raise Rejected([Problem(source=str(config), message=message, hint=hint)])


def recover(configuration: Configuration, context: Context) -> None:
    """End a close that was interrupted, forward or back, and say so."""
    archive = configuration.archive
    context.terminal.problems(
        Problem(
            source=str(archive),
            message=said,
            hint="nothing is to be done",
            warning=True,
            code="close-recovered",
        )
        for said in recovered(archive, group=configuration.group_reads)
    )


def warnings_of(configuration: Configuration) -> list[Problem]:
    """Give the warnings of a configuration, those of its templates included.

    They are said before anything is collected or drawn. Raises Rejected for a template.
    """
    templates = read_templates(configuration.templates)
    return [*configuration.warnings, *untranslated(templates, configuration.locales)]
