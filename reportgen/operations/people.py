"""The list of people of a cycle: who used ACUs, and the file in which they get a cost center."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from reportgen.core.model import CostCenter
from reportgen.core.written.people import ListedPerson, people
from reportgen.core.written.people_file import TO_FILL, people_csv
from reportgen.derive import Derived, Inputs
from reportgen.documents.xlsx.people import people_xlsx

WORKBOOK = ".xlsx"
USER_FILE_COLUMNS = {
    "user": "user_id",
    "cost_center": TO_FILL,
    "share": "share",
    "from": "from",
    "until": "until",
    "name": "name",
}
"""What `user_file` has to say of the columns of the list."""


def people_of(inputs: Inputs, derived: Derived) -> list[ListedPerson]:
    """List who used ACUs in a cycle, as it is derived."""
    return people(
        derived.allocations,
        derived.charges,
        inputs.configuration.mapping,
        derived.directory,
        decimals=derived.statement.heading.decimals,
        day=inputs.cycle.previous_day(),
    )


def people_file(
    name: str, listed: Sequence[ListedPerson], centers: Sequence[CostCenter], decimals: int
) -> bytes:
    """Write the list as a workbook or as CSV, as the name of the file has it."""
    if name.lower().endswith(WORKBOOK):
        return people_xlsx(listed, centers, decimals)
    return people_csv(listed, decimals).encode()


def user_file_line(file: Path, mapping: Path) -> str:
    """Give the line of the mapping that makes the list its user file."""
    columns = ", ".join(f"{key}: {column}" for key, column in USER_FILE_COLUMNS.items())
    path = os.path.relpath(file, mapping.parent)
    plain = re.fullmatch(r"[\w./][\w./-]*", path)
    return (
        f"user_file: {{path: {path if plain else json.dumps(path, ensure_ascii=False)}, {columns}}}"
    )
