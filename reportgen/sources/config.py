"""The configuration: three YAML files and an HR export, read together, every problem reported at once."""

import os
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from reportgen.core.model import Mapping, RateCard, Rule
from reportgen.core.problem import Problem, Rejected, errors
from reportgen.sources.mapping import read_mapping
from reportgen.sources.ratecard import read_rates, two_ways
from reportgen.sources.schema import ChargebackFile, MappingFile, RatesFile, Section, UserFileSection, validate
from reportgen.sources.userfile import read_user_file
from reportgen.sources.yamldoc import Document, parse, read_text

FILE_NAME = "chargeback.yaml"
F = TypeVar("F", bound=Section)


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Everything that was configured, and the texts it was read from.

    `files` are the texts by the short name that stands in rules (`mapping.yaml:12`); `paths` lead from those names
    to the files as the user would open them.
    """

    settings: ChargebackFile
    mapping: Mapping
    rate_card: RateCard
    archive: Path
    archive_source: str
    invoice_number_source: str
    replay: Path | None
    templates: Path | None
    files: MappingOf[str, str]
    paths: MappingOf[str, str]
    warnings: tuple[Problem, ...] = ()

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Name files as the user would open them."""
        return _located(problems, self.paths)


def load(config: Path) -> Configuration:
    """Read a configuration by its chargeback.yaml or its folder, or raise Rejected with all problems."""
    path = config / FILE_NAME if config.is_dir() else config
    reader = _Reader(folder=path.parent)
    configuration = _read(reader, path.name)
    if configuration is None or errors(reader.problems):
        raise Rejected(_located(errors(reader.problems), reader.paths))
    archive_source = _opened(configuration.archive_source, reader.paths)
    warnings = tuple(_located(reader.problems, reader.paths))
    return replace(configuration, archive_source=archive_source, warnings=warnings)


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Reads files named relative to a folder, and keeps their texts, paths and problems."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def typed(self, section: type[F], written: str) -> tuple[F, Document] | None:
        """Read, parse and validate a YAML file."""
        try:
            name = self.text(written)
            document = parse(self.texts[name], name)
        except Rejected as rejected:
            self.problems += rejected.problems
            return None
        problems = two_ways(document) if section is RatesFile else []
        value, found = (None, []) if problems else validate(section, document)
        self.problems += [*problems, *found]
        return (value, document) if value else None

    def text(self, written: str) -> str:
        """Read a text file; give the short name it is kept under, or raise Rejected."""
        path = self.path(written)
        name = path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name
        while self.paths.get(name, str(path)) != str(path):
            name = f"_{name}"
        self.paths[name] = str(path)
        self.texts[name] = read_text(path, name)
        return name

    def path(self, written: str) -> Path:
        """Resolve a path that is relative to the folder, without making it absolute."""
        return Path(os.path.normpath(self.folder / written))


def _read(reader: _Reader, main: str) -> Configuration | None:
    found = reader.typed(ChargebackFile, main)
    if found is None:
        return None
    settings, document = found
    mapping = _mapping(reader, settings.mapping)
    rate_card = _rate_card(reader, settings.rates)
    if mapping is None or rate_card is None:
        return None
    return Configuration(
        settings=settings,
        mapping=mapping,
        rate_card=rate_card,
        archive=reader.path(settings.archive),
        archive_source=document.line("archive"),
        invoice_number_source=document.line("invoice", "number"),
        replay=reader.path(settings.source.replay) if settings.source.replay else None,
        templates=reader.path(settings.templates) if settings.templates else None,
        files=reader.texts,
        paths=reader.paths,
    )


def _mapping(reader: _Reader, written: str) -> Mapping | None:
    found = reader.typed(MappingFile, written)
    if found is None:
        return None
    file, document = found
    user_rules = _user_rules(reader, file.user_file, document) if file.user_file else []
    mapping, problems = read_mapping(file, document, user_rules)
    reader.problems += problems
    return mapping


def _user_rules(reader: _Reader, section: UserFileSection, document: Document) -> list[Rule]:
    try:
        name = reader.text(section.path)
    except Rejected as rejected:
        where = document.line("user_file", "path")
        reader.problems += [
            replace(problem, source=where, message=f"the user file {section.path} {problem.message}")
            for problem in rejected.problems
        ]
        return []
    rules, problems = read_user_file(section, reader.texts[name], name)
    reader.problems += problems
    return rules


def _rate_card(reader: _Reader, written: str) -> RateCard | None:
    found = reader.typed(RatesFile, written)
    if found is None:
        return None
    rate_card, problems = read_rates(*found)
    reader.problems += problems
    return rate_card


def _located(problems: Iterable[Problem], paths: MappingOf[str, str]) -> list[Problem]:
    """Name files as the user would open them, in the order of file and line, each problem once."""
    found = {replace(problem, source=_opened(problem.source, paths)) for problem in problems}
    return sorted(found, key=lambda problem: (_file_and_line(problem.source), problem))


def _opened(source: str, paths: MappingOf[str, str]) -> str:
    name, colon, line = source.rpartition(":")
    if colon and name in paths:
        return f"{paths[name]}:{line}"
    return paths.get(source, source)


def _file_and_line(source: str) -> tuple[str, int]:
    name, _, line = source.rpartition(":")
    return (name, int(line)) if line.isdigit() else (source, 0)
