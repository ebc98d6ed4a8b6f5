"""`init --discover`: a first configuration, with everybody and everything that a cycle tells.

The cycle is collected into the folder as it appears: all of it is there in the end, or nothing.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from reportgen.core.model import CASCADE_TERMINAL, DEVIN
from reportgen.core.money import ZERO
from reportgen.core.problem import Problem, Rejected
from reportgen.core.written.people import ListedPerson
from reportgen.core.written.people_file import people_csv
from reportgen.derive import Derived, Inputs, derive
from reportgen.operations.building.inputs import stored_inputs
from reportgen.operations.collecting.collection import Effort, choose, collected_anew
from reportgen.operations.context import DONE, Context
from reportgen.operations.discovering import (
    BEARER,
    CENTERS_FILE,
    PEOPLE_FILE,
    centers_csv,
    configuration_text,
    mapping_text,
    rates_text,
)
from reportgen.operations.people import people_of, user_file_line
from reportgen.operations.starting import (
    FILES,
    SCHEMAS,
    TEMPLATES,
    appearing,
    refuse_in_the_way,
    refuse_wrong_place,
    start_files,
    write_all,
)
from reportgen.sources.api.client import ApiFailure
from reportgen.sources.config.configuration import Configuration, load, load_settings
from reportgen.sources.config.messages import mistakes_in
from reportgen.sources.config.schema import SourceSection

MAIN, MAPPING, RATES = FILES
ARCHIVE = "archive"
UNKNOWN = {CASCADE_TERMINAL: ZERO, DEVIN: ZERO}
"""Products before a cycle tells which there are; v2 needs a price for each of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """The folder, the one that appears in its place, and whether it has a configuration already."""

    folder: Path
    whole: Path
    configured: bool


def discover(folder: Path, written: Mapping[str, str], selector: str, context: Context) -> int:
    """Collect a cycle and write a configuration of it; raises Rejected where that cannot be.

    `written` says where consumption is read from, by the keys of `source`, but for a folder that
    has a configuration which says so.
    """
    refuse_wrong_place(folder)
    configured = (folder / MAIN).is_file()
    ours = (MAPPING, RATES, TEMPLATES, SCHEMAS, CENTERS_FILE, PEOPLE_FILE, ARCHIVE)
    refuse_in_the_way(folder, ours if configured else (MAIN, *ours))
    source = _source_of(folder, written) if configured else _source(written)
    contents = start_files()
    with appearing(folder) as whole:
        place = _Place(folder=folder, whole=whole, configured=configured)
        try:
            listed, derived = _discovered(place, contents, source, selector, context)
        except Rejected as rejected:
            raise Rejected(_located(one, place) for one in rejected.problems) from rejected
        except ApiFailure as failure:
            raise ApiFailure(_of_nothing_kept(failure.problem), failure.status) from failure
        names = sorted(str(path.relative_to(whole)) for path in whole.iterdir())
    _tell(folder, listed, derived, context)
    context.terminal.values(
        {
            "folder": str(folder),
            "files": names,
            "cycle": str(derived.statement.heading.cycle.start),
            "people": len(listed),
        }
    )
    return DONE


def _source(written: Mapping[str, str]) -> SourceSection:
    """Read what the command says of the API; raises Rejected."""
    source, mistakes = mistakes_in(SourceSection, dict(written))
    if source is None:
        raise Rejected(
            Problem(source=f"--{key.replace('_', '-')}", message=message, hint=hint)
            for key, message, hint in mistakes
        )
    return source


def _source_of(folder: Path, written: Mapping[str, str]) -> SourceSection:
    """Read where a configuration that is there already has consumption from; raises Rejected."""
    if written:
        message = "this is there already, and says how the API is asked"
        hint = f"leave out --{next(iter(written)).replace('_', '-')}, or name another folder"
        raise Rejected([Problem(source=str(folder / MAIN), message=message, hint=hint)])
    settings = load_settings(folder)
    if (settings.mapping, settings.rates) != (MAPPING, RATES):
        message = f"names other files than {MAPPING} and {RATES}, which are written here"
        hint = "name these, or leave it out: a new one is written then"
        raise Rejected([Problem(source=str(folder / MAIN), message=message, hint=hint)])
    return settings.source


def _discovered(
    place: _Place,
    contents: dict[str, bytes],
    source: SourceSection,
    selector: str,
    context: Context,
) -> tuple[list[ListedPerson], Derived]:
    """Collect the cycle by a first configuration, then write the one that knows it."""
    files = _texts(contents)
    files[MAIN] = configuration_text(files[MAIN], source)
    first = files | {RATES: rates_text(files[RATES], UNKNOWN, selector)}
    write_all(place.whole, place.folder, contents | _encoded(first))
    inputs = _collected(_collecting(place, source), selector, context)
    derived = derive(inputs)
    listed = people_of(inputs, derived)
    people = place.whole / PEOPLE_FILE
    unknown = UNKNOWN if source.api == "v2" else {}
    write_all(place.whole, place.folder, _encoded(_known(files, derived, listed, people, unknown)))
    people.chmod(0o600)
    load(place.whole)
    if place.configured:
        (place.whole / MAIN).unlink()
        if load_settings(place.folder).archive != ARCHIVE:
            shutil.rmtree(place.whole / ARCHIVE)
    return listed, derived


def _collected(configuration: Configuration, selector: str, context: Context) -> Inputs:
    effort = Effort()
    chosen = choose(configuration, selector, context, effort)
    collected_anew(configuration, chosen, context, effort)
    return stored_inputs(configuration, chosen.cycle, context)


def _known(
    files: Mapping[str, str],
    derived: Derived,
    listed: Sequence[ListedPerson],
    people: Path,
    unknown: Mapping[str, Decimal],
) -> dict[str, str]:
    """Give the configuration that knows what a cycle tells: everybody, and every product."""
    heading = derived.statement.heading
    products = {**unknown, **derived.statement.control_by_product}
    return {
        MAIN: files[MAIN],
        MAPPING: mapping_text(files[MAPPING], derived, user_file_line(people, people)),
        RATES: rates_text(files[RATES], products, str(heading.cycle.start)),
        CENTERS_FILE: centers_csv(),
        PEOPLE_FILE: people_csv(listed, heading.decimals),
    }


def _collecting(place: _Place, source: SourceSection) -> Configuration:
    """Give the configuration that the cycle is collected by, with all keys of its source."""
    configuration = load(place.whole)
    settings = configuration.settings.model_copy(update={"source": source})
    replay = place.folder / source.replay if source.replay else None
    named = str(place.folder / MAIN)
    tokens = dict.fromkeys(["", *(one.id for one in source.organizations)], named)
    return replace(configuration, settings=settings, replay=replay, token_sources=tokens)


def _texts(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: contents[name].decode() for name in FILES}


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in texts.items()}


def _located(problem: Problem, place: _Place) -> Problem:
    """Name the folder that was asked for, not the one that would have appeared in its place."""
    whole, folder = str(place.whole), str(place.folder)
    return replace(
        problem,
        source=problem.source.replace(whole, folder),
        message=problem.message.replace(whole, folder),
    )


def _of_nothing_kept(problem: Problem) -> Problem:
    """Name the option where a setting is named, and that the folder does not appear."""
    hint = problem.hint.replace("what was collected is kept", "nothing was written")
    return replace(problem, hint=hint.replace("`base_url`", "--base-url"))


def _tell(folder: Path, listed: list[ListedPerson], derived: Derived, context: Context) -> None:
    """Say what was written, and what is to be done in which order."""
    result, cycle = context.terminal.result, derived.statement.heading.cycle.start
    people = "1 person" if len(listed) == 1 else f"{len(listed)} people"
    result(f"Wrote {folder}: {people} used ACUs in the billing cycle of {cycle}. Now")
    steps = (
        f"{folder / CENTERS_FILE}: a row for each cost center; {BEARER} bears all that is left",
        f"{folder / PEOPLE_FILE}: fill the column cost_center",
        f"{folder / RATES}: currency, contract and prices, as your order form has them",
        f"{folder / MAIN}: `enterprise`, as it shall stand on every document",
        f"`reportgen check {folder} --cycle {cycle}` says what is wrong or missing",
        f"`reportgen build {folder} --cycle {cycle}` makes the drafts",
    )
    for number, step in enumerate(steps, start=1):
        result(f"  {number}. {step}")
    result(
        f"{folder / MAPPING} lists organizations, service users and tags, to be charged as well."
    )
