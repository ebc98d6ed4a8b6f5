"""A configuration to start from: where it may be written, what is in it, and how it appears.

The law it keeps: it never overwrites, and all files appear or none. Without the folder, one is
staged beside it and renamed in whole; in a folder that is there, its entries are.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from reportgen import resources
from reportgen.archive.draft import Stage
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.templating.templates import read_templates
from reportgen.sources.config.json_schema import ROOTS, written

FILES = ("chargeback.yaml", "mapping.yaml", "rates.yaml")
TEMPLATES, SCHEMAS = "templates", "schemas"
MODELINE = "# yaml-language-server: $schema={}\n"
"""By this line, on top of a file, an editor finds what to check it by."""
CYCLES = "????-??-??/inputs"
"""By what an archive is known: a billing cycle that was collected."""


def refuse_wrong_place(folder: Path) -> None:
    """Raise Rejected where the folder cannot be made or written to, or lies in an archive."""
    place = folder if os.path.lexists(folder) else folder.parent
    if not os.path.lexists(place):
        message, hint = "this folder does not exist", "make it first, or correct the path"
    elif not place.is_dir():
        message, hint = "this is not a folder", "name a folder, which may be there or not"
    elif not os.access(place, os.W_OK | os.X_OK):
        message, hint = "this folder cannot be written", "name one that you may write to"
    elif _in_archive(folder):
        message, hint = "this lies in an archive of billing cycles", "name a folder outside of it"
    else:
        return
    raise Rejected([Problem(source=str(place), message=message, hint=hint)])


def _in_archive(folder: Path) -> bool:
    """Tell whether a folder, or one above it, holds billing cycles."""
    real = folder.resolve()
    return any(any(place.glob(CYCLES)) for place in (real, *real.parents))


def refuse_in_the_way(folder: Path, names: Iterable[str]) -> None:
    """Raise Rejected with everything that stands where something would be written."""
    taken = [folder / name for name in names if os.path.lexists(folder / name)]
    hint = "name another folder, or move it away: nothing is ever overwritten"
    if taken:
        raise Rejected(
            Problem(source=str(path), message="this is there already", hint=hint) for path in taken
        )


def start_files() -> dict[str, bytes]:
    """Give every file by its name: the configuration with its schemas, and all templates."""
    start = resources.configs() / "start"
    contents: dict[str, bytes] = {}
    for kind, (_, name) in ROOTS.items():
        schema = f"{SCHEMAS}/{name.removesuffix('.yaml')}.schema.json"
        contents[name] = MODELINE.format(schema).encode() + (start / name).read_bytes()
        contents[schema] = written(kind).encode()
    templates = read_templates(None)
    return contents | {f"{TEMPLATES}/{name}": text.encode() for name, text in templates.items()}


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Give a folder to write files into, which appear in their place once all went well."""
    there = folder.is_dir()
    with TemporaryDirectory(prefix=".reportgen-", dir=folder if there else folder.parent) as beside:
        whole = Path(beside) / "whole"
        yield whole
        if there:
            move(sorted(whole.iterdir()), folder)
        else:
            whole.rename(folder)


def write_all(whole: Path, folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into the folder that appears as `folder`."""
    stage = Stage(whole, folder)
    for name, content in contents.items():
        stage.write(name, content)


def move(paths: Iterable[Path], folder: Path) -> None:
    """Rename files and folders into another folder; back again where one of them cannot be."""
    with ExitStack() as undo:
        for path in paths:
            undo.callback(path.rename(folder / path.name).rename, path)
        undo.pop_all()
