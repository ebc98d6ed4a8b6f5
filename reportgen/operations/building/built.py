"""What was built, held against what evidence and configuration come to now."""

import json
from pathlib import Path
from typing import Any

from reportgen.archive.folder import MANIFEST, STATEMENT
from reportgen.core.comparing.differences import of_statements, of_what_both_know
from reportgen.core.model import Statement
from reportgen.core.problem import Problem, Rejected
from reportgen.core.written.statement_json import statement_values
from reportgen.files import content_of

NOT_COMPARED = ("status", "variance", "year_to_date", "corrections")
"""What a statement may say otherwise without a line being another."""
Built = dict[str, Any]
"""What statement.json holds."""


def written_statement(folder: Path) -> Built:
    """Read what was built, or raise Rejected where nothing was."""
    path = folder / "statement.json"
    try:
        written = json.loads(content_of(path))
    except FileNotFoundError as error:
        message, hint = "this billing cycle has not been built", "run `reportgen build` first"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)]) from error
    except (ValueError, RecursionError) as error:
        raise _changed(path, "is not what was written there") from error
    return written if isinstance(written, dict) else {}


def refuse_changed(folder: Path, written: Built, statement: Statement) -> None:
    """Raise Rejected where evidence and configuration come to something else than was built.

    Of what is closed, names that only another version of the program writes are left out.
    """
    now = _comparable(json.loads(json.dumps(statement_values(statement))))
    then = _comparable(written)
    if now == then or ((folder / MANIFEST).exists() and _alike_where_both_tell(then, now)):
        return
    built = {center["code"]: center for center in then.get("cost_centers", [])}
    codes = [
        center["code"] for center in now["cost_centers"] if center != built.get(center["code"])
    ]
    first = f", first in {codes[0]}" if codes else ""
    message = f"evidence and configuration come to something else than was built{first}"
    raise _changed(folder / "statement.json", message)


def _alike_where_both_tell(then: Built, now: Built) -> bool:
    return not of_what_both_know(of_statements(STATEMENT, then, now), then, now)


def _changed(path: Path, message: str) -> Rejected:
    hint = "build again with `reportgen build`, then try again"
    return Rejected([Problem(source=str(path), message=message, hint=hint)])


def _comparable(values: Built) -> Built:
    """Leave out what says nothing of this cycle's charges."""
    kept = {key: value for key, value in values.items() if key not in NOT_COMPARED}
    centers = kept.get("cost_centers")
    if isinstance(centers, list) and all(
        isinstance(center, dict) and "code" in center for center in centers
    ):
        kept["cost_centers"] = [_comparable(center) for center in centers]
    else:
        kept.pop("cost_centers", None)
    return kept
