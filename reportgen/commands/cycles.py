"""`cycles`: the billing cycles that the API knows."""

from pathlib import Path

from reportgen.operations.connect import connect, credentials, drive
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import told_cycles
from reportgen.operations.opening import refuse_archived
from reportgen.sources.api import versions as api
from reportgen.sources.config.configuration import load


def cycles(config: Path, context: Context) -> int:
    """List the billing cycles that the API knows."""
    refuse_archived(config)
    configuration = load(config)
    context.terminal.problems(configuration.warnings)
    connection, _ = connect(configuration, context, 1)
    told = drive(api.cycles(configuration.settings.source), connection, {})
    for line in credentials(configuration, connection):
        context.terminal.say(line)
    known = told_cycles(configuration, told, context)
    rows = [(str(cycle.start), str(cycle.end), str(cycle.length())) for cycle in known]
    context.terminal.table(("start", "end", "days"), rows, numbers=("days",))
    context.terminal.values(
        {
            "cycles": [
                {"start": str(cycle.start), "end": str(cycle.end), "days": cycle.length()}
                for cycle in known
            ]
        }
    )
    return DONE
