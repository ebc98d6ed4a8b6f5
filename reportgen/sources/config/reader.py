"""Files of a configuration: found relative to a folder, kept under short names.

What is wrong with them is collected, so that all files are read as far as they can be, and every
problem is told at once.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from reportgen.core.problem import Problem, Rejected, file_and_line
from reportgen.sources.config.messages import validate
from reportgen.sources.config.schema import Section
from reportgen.sources.config.yamldoc import (
    LARGEST_FILE,
    Scalar,
    YamlDocument,
    decoded,
    parse,
    read_bytes,
)

MAIN_FILE = "chargeback.yaml"
MAIN = "configuration"
"""Stands among the keys for the main file, which none names."""
F = TypeVar("F", bound=Section)


@dataclass(kw_only=True, slots=True)
class Reader:
    """Reads files named relative to a folder, and keeps them and what is to be said of them.

    `instead` names files that are read for those under some keys, and `assets` a folder that holds
    what else is named: so an archive is read, wherever its files once lay. `files` are by their
    short names, `keys` lead from keys to these, `texts` are what people read in them; `paths` lead
    from short names to the files as the user would open them, `locales` from every locale to the
    first line that names it, `parsed` from the keys of the main file to the files that they name.
    """

    folder: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    assets: Path | None = None
    keys: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    locales: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parsed: dict[str, YamlDocument] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def document(self, written: str, named: str = "", key: str = MAIN) -> YamlDocument | None:
        """Read and parse a YAML file, which the line `named` names under a key."""
        try:
            name = self.file(written, named, key=key)
            self.texts[name] = decoded(self.files[name], name)
            return parse(self.texts[name], name)
        except Rejected as rejected:
            self.problems += rejected.problems
            return None

    def linked(self, main: YamlDocument, key: str) -> YamlDocument | None:
        """Read the file that a key names, if it names one, or the one that is read instead."""
        document = self._linked(main, key)
        if document:
            self.parsed[key] = document
        return document

    def typed(self, section: type[F], document: YamlDocument | None) -> F | None:
        """Validate what a YAML file holds."""
        if document is None:
            return None
        value, problems = validate(section, document)
        self.problems += problems
        return value

    def file(
        self,
        written: str,
        named: str = "",
        folder: Path | None = None,
        largest: int = LARGEST_FILE,
        *,
        key: str,
    ) -> str:
        """Read a file; give the short name it is kept under, or raise Rejected."""
        archived = self.instead.get(key) if self.assets else None
        path = self.path(archived) if archived else self.path(written, folder)
        name = self._short_name(path)
        self.paths[name], self.keys[key] = str(path), name
        try:
            self.files[name] = read_bytes(path, name, largest)
        except Rejected as rejected:
            raise Rejected(
                _named(problem, named, path) for problem in rejected.problems
            ) from rejected
        return name

    def path(self, written: str, folder: Path | None = None) -> Path:
        """Resolve a path against a folder, or the reader's own, without making it absolute."""
        return Path(os.path.normpath((folder or self.folder) / written))

    def folder_of(self, document: YamlDocument) -> Path:
        """Give the folder that the paths in a file are relative to."""
        return Path(self.paths[document.name]).parent

    def opened(self, source: str) -> str:
        """Name the file of a source as the user would open it."""
        return opened(source, self.paths)

    def _linked(self, main: YamlDocument, key: str) -> YamlDocument | None:
        if key in self.instead:
            return self.document(self.instead[key], f"--{key}", key)
        _, value = main.root.places.get(key, (0, None))
        if isinstance(value, Scalar) and value.text.strip() and value.text.isprintable():
            return self.document(value.text.strip(), main.line(key), key)
        return None

    def _short_name(self, path: Path) -> str:
        """Give the path within the folder, or the name where it lies elsewhere; each name once."""
        inside = (
            path.is_relative_to(self.folder) and ".." not in path.relative_to(self.folder).parts
        )
        name = path.relative_to(self.folder).as_posix() if inside else path.name
        while self.paths.get(name, str(path)) != str(path):
            name = f"_{name}"
        return name


def located(problems: Iterable[Problem], paths: Mapping[str, str]) -> list[Problem]:
    """Name files as the user would open them, in the order of file and line, each problem once."""
    placed = {replace(problem, source=opened(problem.source, paths)) for problem in problems}
    return sorted(placed, key=lambda problem: (file_and_line(problem.source), problem))


def _named(problem: Problem, named: str, path: Path) -> Problem:
    """Report a file that cannot be opened where it is named: the first is by the command alone."""
    if problem.source.rpartition(":")[2].isdigit():
        return problem
    if named:
        return replace(problem, source=named, message=f"the file {path} {problem.message}")
    return replace(problem, hint=f"name {MAIN_FILE} or the folder it lies in")


def opened(source: str, paths: Mapping[str, str]) -> str:
    """Name the file of a source as the user would open it, by the paths of short names."""
    name, colon, line = source.rpartition(":")
    if colon and name in paths:
        return f"{paths[name]}:{line}"
    return paths.get(source, source)
