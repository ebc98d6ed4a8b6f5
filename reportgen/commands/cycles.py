"""`cycles`: the billing cycles that the API knows."""

from pathlib import Path

from reportgen.operations.collection import credentials, drive
from reportgen.operations.connect import connect
from reportgen.operations.context import DONE, Context
from reportgen.operations.cycles import told_cycles
from reportgen.sources.api import source as api
from reportgen.sources.config.configuration import load


def cycles(config: Path, context: Context) -> int:
    """List the billing cycles that the API knows."""
    configuration = load(config)
    context.terminal.problems(configuration.warnings)
    connection, _ = connect(configuration, context, 1)
    told = drive(api.cycles(configuration.settings.source), connection, {})
    for line in credentials(configuration, connection):
        context.terminal.say(line)
    found = told_cycles(configuration, told, context)
    rows = [
        (str(cycle.start), str(cycle.end), str((cycle.end - cycle.start).days)) for cycle in found
    ]
    context.terminal.table(("start", "end", "days"), rows, numbers=("days",))
    context.terminal.values(
        [{"start": start, "end": end, "days": int(days)} for start, end, days in rows]
    )
    return DONE
