"""`completion`: what a shell has to run so that it completes commands, cycles and cost centers."""

from typing import Literal

import click
from click.shell_completion import get_completion_class

from reportgen.operations.context import DONE, Context

Shell = Literal["bash", "zsh", "fish"]
PROGRAM, VARIABLE = "reportgen", "_REPORTGEN_COMPLETE"
"""What the shell completes, and the variable by which click is asked."""


def completion(shell: Shell, context: Context) -> int:
    """Write the script for a shell."""
    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover - click knows all three
        raise LookupError(shell)
    script = kind(click.Command(PROGRAM), {}, PROGRAM, VARIABLE).source()
    context.terminal.document(script)
    context.terminal.values({"shell": shell, "script": script})
    return DONE
