"""How commands read a configuration, and what there is to be said of it before anything is done."""

from pathlib import Path

from reportgen.core.problem import Problem
from reportgen.documents.templating.catalog import untranslated
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration, load


def opened(config: Path, context: Context) -> Configuration:
    """Read a configuration, and say how files of other systems were read; raises Rejected."""
    configuration = load(config)
    for note in configuration.notes:
        context.terminal.say(note)
    return configuration


def warnings_of(configuration: Configuration) -> list[Problem]:
    """Give the warnings of a configuration, those of its templates included.

    They are said before anything is collected or drawn. Raises Rejected for a template.
    """
    templates = read_templates(configuration.templates)
    return [*configuration.warnings, *untranslated(templates, configuration.locales)]
