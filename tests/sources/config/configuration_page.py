"""docs/configuration.md: every key of the three files, as the schema that editors use has it.

Keys, defaults and meanings are read from it; the examples are those it has, as they are written.
"""

from typing import Any

from reportgen.sources.config.json_schema import ROOTS, FileName, json_schema, keys
from reportgen.sources.config.meanings import MEANINGS

INTRODUCTION = """\
# Configuration

Every key of the three files, in the order in which they are read. `*` stands for a key of your
own, `[]` for each entry of a list. A key without a default may be left out, unless it is *required*
within its section. Paths are relative to the file that names them. Keys and passwords are never
written here: the keys that end in `_env` name variables of the environment.

`reportgen init DIR` writes the three files with comments, `reportgen check` names every mistake
with file and line, and `reportgen schema` writes what an editor checks them by. This page is made
from it by `pytest tests/sources/config/test_configuration_page.py --update-golden`.
"""


def page() -> str:
    """Write the whole page."""
    return "\n".join([INTRODUCTION, *(_file(name) for name in ROOTS)])


def _file(name: FileName) -> str:
    head = ["| key | default | example | meaning |", "| --- | --- | --- | --- |"]
    rows = [_row(name, *found) for found in keys(json_schema(name))]
    return "\n".join([f"## {ROOTS[name][1]}", "", *head, *rows, ""])


def _row(name: str, path: str, schema: dict[str, Any], needed: bool) -> str:
    example, meaning = MEANINGS[name][path][0], schema["description"]
    default = "*required*" if needed else _default(schema.get("default"))
    shown = f"`{path.rpartition('.')[2]}: {example}`".replace("[]:", ":").replace("*: ", "")
    return (
        "| "
        + " | ".join(text.replace("|", "\\|") for text in (f"`{path}`", default, shown, meaning))
        + " |"
    )


def _default(value: object) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`[{', '.join(map(str, value))}]`" if isinstance(value, list) else f"`{value}`"
