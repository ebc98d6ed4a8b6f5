"""What the locales of a configuration lack: it is said before anything is collected or drawn."""

from reportgen.core.problem import Problem
from reportgen.documents.templating.catalog import untranslated
from reportgen.documents.templating.templates import read_templates
from reportgen.sources.config.configuration import Configuration


def warnings_of(configuration: Configuration) -> list[Problem]:
    """Give the warnings of a configuration and those that its templates tell; raises Rejected for a template."""
    return [
        *configuration.warnings,
        *untranslated(read_templates(configuration.templates), configuration.locales),
    ]
