"""The configuration: three YAML files and an HR export, read together, every problem reported at once."""

import os
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from reportgen.core.model import Mapping, RateCard
from reportgen.core.problem import Problem, Rejected, errors
from reportgen.sources.config.currency import too_fine
from reportgen.sources.config.fees import undeclared_charged
from reportgen.sources.config.files import find_documents, find_logo, of_one_name
from reportgen.sources.config.hr_export import HrExport, read_user_file
from reportgen.sources.config.mapping import read_mapping
from reportgen.sources.config.messages import validate
from reportgen.sources.config.rates import not_one_way, read_rates
from reportgen.sources.config.schema import (
    ChargebackFile,
    MappingFile,
    RatesFile,
    Section,
)
from reportgen.sources.config.table_file import LARGEST_EXPORT, read_grid
from reportgen.sources.config.v2_limits import fit_to_v2
from reportgen.sources.config.yamldoc import (
    LARGEST_FILE,
    Scalar,
    YamlDocument,
    decoded,
    parse,
    read_bytes,
)

FILE_NAME = "chargeback.yaml"
F = TypeVar("F", bound=Section)


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Everything that was configured, and the files it was read from.

    `files` are by the short name that stands in rules (`mapping.yaml:12`), `texts` what people read
    in them, line by line, and `notes` how those of other systems were read; `paths` lead
    from those names to the files as the user would open them; `assets` lead from the names of files
    that travel with a cycle, such as the vendor's invoices, to the files, and `logo` to the picture
    that every document shows; `locales` lead from every locale to the first line that names it.
    """

    settings: ChargebackFile
    mapping: Mapping
    rate_card: RateCard
    archive: Path
    archive_source: str
    invoice_number_source: str
    token_sources: MappingOf[str, str]
    cycles_source: str
    replay: Path | None
    replay_source: str
    templates: Path | None
    files: MappingOf[str, bytes]
    texts: MappingOf[str, str]
    paths: MappingOf[str, str]
    assets: MappingOf[str, Path] = field(default_factory=dict)
    logo: Path | None = None
    locales: MappingOf[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def group_reads(self) -> bool:
        """Tell whether the owner's group may read the archive too."""
        return self.settings.archive_mode == "group"

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Name files as the user would open them."""
        return _located(problems, self.paths)


def load(config: Path, instead: MappingOf[str, Path] | None = None) -> Configuration:
    """Read a configuration by its chargeback.yaml or its folder, or raise Rejected with all problems.

    `instead` names files that are read for those under the keys `mapping` and `rates`.
    """
    path = config / FILE_NAME if config.is_dir() else config
    edited = {key: os.path.relpath(file, path.parent) for key, file in (instead or {}).items()}
    reader = _Reader(folder=path.parent, instead=edited)
    configuration = _read(reader, path.name)
    if configuration is None or errors(reader.problems):
        raise Rejected(_located(errors(reader.problems), reader.paths))
    return replace(
        configuration,
        archive_source=_opened(configuration.archive_source, reader.paths),
        token_sources={
            key: _opened(source, reader.paths)
            for key, source in configuration.token_sources.items()
        },
        cycles_source=_opened(configuration.cycles_source, reader.paths),
        replay_source=_opened(configuration.replay_source, reader.paths),
        locales={
            locale: _opened(source, reader.paths)
            for locale, source in configuration.locales.items()
        },
        warnings=tuple(_located(reader.problems, reader.paths)),
    )


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Reads files named relative to a folder, and keeps them and what is to be said of them."""

    folder: Path
    instead: MappingOf[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    locales: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parsed: dict[str, YamlDocument] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def document(self, written: str, named: str = "") -> YamlDocument | None:
        """Read and parse a YAML file, which the line `named` names."""
        try:
            name = self.file(written, named)
            self.texts[name] = decoded(self.files[name], name)
            return parse(self.texts[name], name)
        except Rejected as rejected:
            self.problems += rejected.problems
            return None

    def typed(self, section: type[F], document: YamlDocument | None) -> F | None:
        """Validate what a YAML file holds."""
        if document is None:
            return None
        value, found = validate(section, document)
        self.problems += found
        return value

    def file(
        self,
        written: str,
        named: str = "",
        folder: Path | None = None,
        largest: int = LARGEST_FILE,
    ) -> str:
        """Read a file; give the short name it is kept under, or raise Rejected."""
        path = self.path(written, folder)
        name = (
            path.relative_to(self.folder).as_posix()
            if path.is_relative_to(self.folder)
            else path.name
        )
        if ".." in Path(name).parts:
            name = path.name
        while self.paths.get(name, str(path)) != str(path):
            name = f"_{name}"
        self.paths[name] = str(path)
        try:
            self.files[name] = read_bytes(path, name, largest)
        except Rejected as rejected:
            raise Rejected(
                _named(problem, named, path) for problem in rejected.problems
            ) from rejected
        return name

    def path(self, written: str, folder: Path | None = None) -> Path:
        """Resolve a path that is relative to a folder, the reader's if none is named, without making it absolute."""
        return Path(os.path.normpath((folder or self.folder) / written))

    def folder_of(self, document: YamlDocument) -> Path:
        """Give the folder that the paths in a file are relative to."""
        return Path(self.paths[document.name]).parent


def _named(problem: Problem, named: str, path: Path) -> Problem:
    """Report a file that cannot be opened where it is named; the first file is named by the command alone."""
    if problem.source.rpartition(":")[2].isdigit():
        return problem
    if named:
        return replace(problem, source=named, message=f"the file {path} {problem.message}")
    return replace(problem, hint=f"name {FILE_NAME} or the folder it lies in")


def _read(reader: _Reader, main: str) -> Configuration | None:
    """Read the three files, each as far as it can be read, so that all problems are found at once."""
    document = reader.document(main)
    if document is None:
        return None
    settings = reader.typed(ChargebackFile, document)
    logo = _logo(reader, settings, document) if settings else None
    templates = _templates(reader, settings, document) if settings else None
    if settings:
        reader.locales[settings.invoice.locale] = document.line("invoice", "locale")
    mapping = _mapping(reader, document)
    rates = _rate_card(reader, document, mapping)
    if settings is None or mapping is None or rates is None:
        return None
    rate_card, assets = rates
    if logo and (
        problem := of_one_name(logo, assets.get(logo.name, logo), document.line("invoice", "logo"))
    ):
        reader.problems.append(problem)
    if settings.source.api == "v2":
        mapping, problems = fit_to_v2(mapping, rate_card)
        reader.problems += [*problems, *_v2_organizations(settings, document)]
    return Configuration(
        settings=settings,
        mapping=mapping,
        rate_card=rate_card,
        archive=reader.path(settings.archive),
        archive_source=document.line("archive"),
        invoice_number_source=document.line("invoice", "number"),
        token_sources={"": document.line("source", "token_env")}
        | {
            organization.id: document.line("source", "organizations", index, "token_env")
            for index, organization in enumerate(settings.source.organizations)
        },
        cycles_source=document.line("source"),
        replay=reader.path(settings.source.replay) if settings.source.replay else None,
        replay_source=document.line("source", "replay"),
        templates=templates,
        files=reader.files,
        texts=reader.texts,
        paths=reader.paths,
        assets=assets,
        logo=logo,
        locales=reader.locales,
        notes=tuple(reader.notes),
    )


def _templates(reader: _Reader, settings: ChargebackFile, document: YamlDocument) -> Path | None:
    if settings.templates is None:
        return None
    path = reader.path(settings.templates)
    if not path.is_dir():
        reason = "is no folder" if path.exists() else "does not exist"
        hint = "`reportgen init` writes a folder of templates; remove the line to use the built-in ones"
        reader.problems.append(
            Problem(
                source=document.line("templates"), message=f"the folder {path} {reason}", hint=hint
            )
        )
    return path


def _logo(reader: _Reader, settings: ChargebackFile, document: YamlDocument) -> Path | None:
    if settings.invoice.logo is None:
        return None
    found, problems = find_logo(
        settings.invoice.logo, document.line("invoice", "logo"), reader.folder
    )
    reader.problems += problems
    return found


def _v2_organizations(settings: ChargebackFile, document: YamlDocument) -> list[Problem]:
    if not settings.source.organizations:
        return []
    message = "v2 of the API has no credentials of organizations"
    return [
        Problem(
            source=document.line("source", "organizations"),
            message=message,
            hint="remove them, or read v3",
        )
    ]


def _linked(reader: _Reader, main: YamlDocument, key: str) -> YamlDocument | None:
    """Read the file that a key of the main file names, where it names one, or the one that is read instead."""
    if key in reader.instead:
        return reader.document(reader.instead[key], f"--{key}")
    _, value = main.root.places.get(key, (0, None))
    if isinstance(value, Scalar) and value.text.strip() and value.text.isprintable():
        return reader.document(value.text.strip(), main.line(key))
    return None


def _mapping(reader: _Reader, main: YamlDocument) -> Mapping | None:
    document = _linked(reader, main, "mapping")
    file = reader.typed(MappingFile, document)
    if file is None or document is None:
        return None
    for code, center in file.cost_centers.items():
        if center.locale:
            reader.locales.setdefault(center.locale, document.line("cost_centers", code, "locale"))
    export = _hr_export(reader, file, document) if file.user_file else None
    reader.parsed["mapping"] = document
    mapping, problems = read_mapping(file, document, export.rules if export else ())
    reader.problems += problems
    return replace(mapping, user_file=export.summary if export else None)


def _hr_export(reader: _Reader, file: MappingFile, document: YamlDocument) -> HrExport | None:
    section = file.user_file
    if section is None:
        return None
    try:
        name = reader.file(
            section.path,
            document.line("user_file", "path"),
            reader.folder_of(document),
            LARGEST_EXPORT,
        )
        line = document.line("user_file", "sheet")
        grid = read_grid(reader.files[name], name, section.columns(), section.sheet, line)
    except Rejected as rejected:
        reader.problems += rejected.problems
        return None
    reader.texts[name] = grid.text
    export, problems = read_user_file(section, grid, list(file.cost_centers))
    reader.problems += problems
    if export and export.taken:
        reader.notes.append(f"{reader.paths[name]}: {export.taken}")
    return export


def _rate_card(
    reader: _Reader, main: YamlDocument, mapping: Mapping | None
) -> tuple[RateCard, MappingOf[str, Path]] | None:
    """Read the rates and find the files they name; without a mapping nobody can tell which cost centers there are."""
    document = _linked(reader, main, "rates")
    file = reader.typed(RatesFile, document)
    reader.problems += not_one_way(document) if document else []
    if file is None or document is None:
        return None
    rate_card, problems = read_rates(file, document)
    assets, missing = find_documents(file, document, reader.folder_of(document))
    reader.problems += [*problems, *missing]
    if mapping:
        codes = [center.code for center in mapping.cost_centers]
        reader.problems += undeclared_charged(file, document, codes)
        reader.problems += _too_fine_budgets(mapping, file, reader.parsed["mapping"])
    return rate_card, assets


def _too_fine_budgets(
    mapping: Mapping, file: RatesFile, document: YamlDocument
) -> Iterator[Problem]:
    """Report budgets with more decimals than the currency has: 2.500 may be meant for 2,500."""
    for center in mapping.cost_centers:
        if center.cycle_budget is not None:
            line = document.line("cost_centers", center.code, "cycle_budget")
            name = f"the budget of {center.code}"
            yield from too_fine(center.cycle_budget, name, file.currency, file.decimals, line)


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
