"""A file with a table, whatever it was saved as: its first bytes tell, not its name."""

import re
from collections.abc import Sequence

from reportgen.core.problem import Problem, Rejected
from reportgen.sources.config.hr.delimited import read_delimited
from reportgen.sources.config.hr.table import Grid
from reportgen.sources.config.hr.workbook import OLD_OFFICE, ZIP, read_workbook

LARGEST_EXPORT = 64 * 1024 * 1024
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|html|table|[a-z]+:)", re.IGNORECASE)
"""How a web page begins; some systems save one under the name of a workbook."""


def read_grid(
    content: bytes, name: str, wanted: Sequence[str], sheet: str | None = None, line: str = ""
) -> Grid:
    """Give the rows of a file, or raise Rejected.

    `wanted` are the columns that are looked for, `sheet` the one of a workbook, named on `line`.
    """
    if content.startswith((ZIP, OLD_OFFICE)):
        return read_workbook(content, name, sheet, line)
    if MARKUP.match(content):
        message, hint = "is a web page or XML, not a table", "save it as .xlsx or CSV"
        raise Rejected([Problem(source=name, message=message, hint=hint)])
    return read_delimited(content, name, wanted)
