"""Templates by name; what they may do is the sandbox's business, their words the catalogs'.

Templates are handed over as texts by name, so that rendering reads no file.
"""

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from jinja2 import FunctionLoader

from reportgen import resources
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import legible, said_by_system
from reportgen.documents.templating.catalog import catalog, check_catalog
from reportgen.documents.templating.errors import rejected
from reportgen.documents.templating.sandbox import Sandbox

LARGEST_TEMPLATE = 1_000_000
SUFFIXES = frozenset({".j2", ".css", ".po"})
_CALL = re.compile(r"\{%[-+]?\s*(?:include|import|from|extends)\b")
_AFTER = r"(?:as|import|with|without|ignore)\b"
_CALLED = re.compile(rf"{_CALL.pattern}\s*[\"']([^\"'\\]+)[\"']\s*(?:[-+]?%\}}|{_AFTER})")


def read_templates(overriding: Path | None) -> dict[str, str]:
    """Read the built-in templates and catalogs, and over them those of the user's folder.

    Raises Rejected with every file that cannot be a template.
    """
    templates = {name: _text(path) for name, path in _files(resources.templates())}
    problems: list[Problem] = []
    for name, path in _files(overriding) if overriding else ():
        try:
            templates[name] = _text(path)
            check_catalog(path, templates[name])
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(problems)
    return templates


def kept_templates(folder: Path) -> dict[str, str]:
    """Read the templates that an archive keeps, and no others; raises Rejected."""
    return {name: _text(path) for name, path in _files(folder)}


def used(templates: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Give the texts that some templates are filled with: their own, and those they call.

    One that works out whom it calls may call any.
    """
    texts: dict[str, str] = {}
    open_ = list(names)
    while open_:
        name = open_.pop()
        if name in templates and name not in texts:
            texts[name] = templates[name]
            called = _CALLED.findall(templates[name])
            if len(called) < len(_CALL.findall(templates[name])):
                return dict(templates)
            open_ += called
    return texts


def changed(templates: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Name those of some templates, and of what they call, that are not the built-in ones."""
    built_in = kept_templates(resources.templates())
    texts = used(templates, names)
    return [name for name, text in texts.items() if built_in.get(name) != text]


def opened(problems: Iterable[Problem], overriding: Path | None) -> list[Problem]:
    """Name the user's own templates as an editor opens them."""
    return [_opened(problem, overriding) if overriding else problem for problem in problems]


def environment(templates: Mapping[str, str], locale: str, *, autoescape: bool = True) -> Sandbox:
    """Make the environment of one locale over a set of templates."""
    sandbox = Sandbox(FunctionLoader(lambda name: _named(templates, name)), autoescape=autoescape)
    words = catalog(templates, locale)
    sandbox.install_words(words.gettext, words.ngettext)
    return sandbox


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give what is named like a template, whatever it may be; raises Rejected for a folder."""
    walked = os.walk(folder, onerror=_refuse_folder)
    paths = (Path(place, name) for place, folders, names in walked for name in (*folders, *names))
    for path in sorted(paths):
        if path.suffix in SUFFIXES or (path.is_symlink() and path.is_dir()):
            yield path.relative_to(folder).as_posix(), path


def _refuse_folder(error: OSError) -> None:
    """Raise Rejected for a folder that is not listed: its templates would be the built-in ones."""
    said = f"cannot be read: {said_by_system(error)}"
    hint = "allow it to be read; until then nobody knows which templates are yours"
    raise rejected(str(error.filename), said, hint) from error


def _text(path: Path) -> str:
    """Read a template; raises Rejected with what it is instead."""
    try:
        _check_kind(path)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise rejected(
            str(path), f"is not UTF-8 from byte {error.start + 1} on", "save it as UTF-8"
        ) from None
    except OSError as error:
        leads_nowhere = error.errno in {errno.ENOENT, errno.ELOOP}
        reason = "is a link that leads nowhere" if leads_nowhere else "cannot be read"
        said = f"{reason}: {said_by_system(error)}"
        raise rejected(str(path), said, "mend it, or remove it to use the built-in one") from None


def _check_kind(path: Path) -> None:
    """Raise Rejected for what is no file, or too large for a template."""
    if legible(path.name) != path.name:
        raise rejected(str(path), "has a name that is not UTF-8", "rename it")
    if path.is_dir():
        kind = "a link to a folder, which is not followed" if path.is_symlink() else "a folder"
        raise rejected(
            str(path), f"is {kind}", "put the templates themselves into the folder of templates"
        )
    size = path.stat().st_size
    if size > LARGEST_TEMPLATE or not path.is_file():
        raise rejected(
            str(path), "is no text of at most 1 MB", "remove it from the folder of templates"
        )


def _opened(problem: Problem, folder: Path) -> Problem:
    name, colon, line = problem.source.rpartition(":")
    path = folder / (name if line.isdigit() else problem.source)
    if path.suffix not in SUFFIXES or not path.is_file():
        return problem
    return replace(problem, source=f"{path}{colon}{line}" if line.isdigit() else str(path))


def _named(templates: Mapping[str, str], name: str) -> tuple[str, str, None] | None:
    """Give a template with its name as its file, so that an error tells where it arose."""
    return (templates[name], name, None) if name in templates else None
