"""How a closed cycle stands: derived once more from the folder that it stands by."""

import json
from pathlib import Path

from reportgen.archive.folder import STATEMENT
from reportgen.archive.manifest import read
from reportgen.archive.untrusted import statement_of
from reportgen.core.charging.credit_notes import standing_of
from reportgen.core.comparing.differences import of_statements, of_what_both_know
from reportgen.core.model import Standing
from reportgen.core.problem import Problem, Rejected
from reportgen.core.written.statement_json import statement_json
from reportgen.derive import Derived, Inputs, derive
from reportgen.files import content_of


def stands(folder: Path, inputs: Inputs, derived: Derived) -> Standing:
    """Give a cycle as it stands by a sealed folder, of whose inputs it was derived."""
    seal = read(folder).seal
    start, correcting = inputs.cycle.start.isoformat(), inputs.correcting
    name = f"{start}.c{correcting.number}" if correcting else start
    return standing_of(name, seal, derived.statement, derived.charges, derived.notes)


def derived_as_sealed(folder: Path, inputs: Inputs) -> Derived:
    """Derive a sealed folder once more; raises Rejected where it comes to something else now.

    What only one version of the program writes is left out: it charges nobody.
    """
    derived = derive(inputs)
    written = statement_of(content_of(folder / STATEMENT))
    made = json.loads(statement_json(derived.statement))
    changed = of_what_both_know(of_statements(STATEMENT, written, made), written, made)
    if changed:
        message = f"its inputs come to something else than was sealed; {changed[0]}"
        hint = "nothing is corrected upon it: see `reportgen verify`"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)])
    return derived
