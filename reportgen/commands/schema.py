"""`schema`: what editors check one of the three configuration files by."""

from reportgen.operations.context import DONE, Context
from reportgen.sources.config.json_schema import FileName, json_schema, written


def schema(name: FileName, context: Context) -> int:
    """Write the JSON Schema of a file."""
    context.terminal.document(written(name))
    context.terminal.values({"file": name, "schema": json_schema(name)})
    return DONE
