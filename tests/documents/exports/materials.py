"""What exports are made of, in tests: drawn worlds, and the enterprise with everything in it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.model import Allocation, Directory, Issue, Usage
from reportgen.core.written.privacy import ShownAllocations
from reportgen.documents.exports.formats import FORMATS
from reportgen.documents.exports.material import Material, Options
from tests.core.test_laws import CYCLE, FIRST, Made, World, allocation, usage_of
from tests.documents import beech, grove

COLLECTED = "2026-01-09T10:00:00Z"
ISSUE = Issue(issued=date(2026, 1, 9))


def material_of(
    world: World,
    found: Made,
    allocations: Iterable[Allocation] | None = None,
    usage: Usage | None = None,
) -> Material:
    """Give what is exported of a drawn world; with `allocations` of others than its parts."""
    usage = usage or usage_of(world)
    whole, _ = whole_cycle(world.card, usage.control, FIRST)
    parts = [allocation(one) for one in world.parts] if allocations is None else allocations
    priced = tuple(rate(parts, world.card, whole))
    charges, _ = charge_cycle(
        priced, usage.control, world.mapping, world.card, whole=whole, cycle=CYCLE
    )
    heading = replace(found.result.heading, effective_prices=not world.card.prices)
    return Material(
        folder=CYCLE.start.isoformat(),
        period=CYCLE,
        seal=None,
        statement=replace(found.result, heading=heading),
        allocations=priced,
        charges=charges,
        directory=Directory(),
        rules=world.mapping,
        card=world.card,
        users="names",
        collected_at=COLLECTED,
        templates={},
    )


def of_grove(*, closed: bool = False, users="names", **changed: object) -> Material:
    """Give the enterprise with fees, transfers and a pool."""
    derived = grove.derived(is_open=False, **changed)
    statement = derived.statement
    if closed:
        heading = replace(statement.heading, status="closed", issue=ISSUE)
        statement = replace(statement, heading=heading)
    recover = bool(changed.get("recover"))
    return Material(
        folder=grove.CYCLE.start.isoformat(),
        period=grove.CYCLE,
        seal=None,
        statement=statement,
        allocations=ShownAllocations(
            allocations=derived.allocations, directory=derived.directory, users=users
        ),
        charges=derived.charges,
        directory=derived.directory,
        rules=beech.configuration().mapping,
        card=grove.card(**({"prices": {}} if recover else {})),
        users=users,
        collected_at=COLLECTED,
        templates={},
    )


def written(kind, *materials: Material, **options: object) -> dict[str, bytes]:
    """Write an export, and give its files whole."""
    files: dict[str, bytearray] = {}
    for name, content in FORMATS[kind].write(materials, Options(**options)):
        files.setdefault(name, bytearray()).extend(content)
    return {name: bytes(content) for name, content in files.items()}
