"""How commands read a configuration: what was taken for granted in files of others is said once."""

from pathlib import Path

from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration, load


def opened(config: Path, context: Context) -> Configuration:
    """Read a configuration, and say how files of other systems were read; raises Rejected."""
    configuration = load(config)
    for note in configuration.notes:
        context.terminal.say(note)
    return configuration
