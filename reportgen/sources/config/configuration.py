"""The configuration: three YAML files and an HR export, read together and refused together."""

import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from pathlib import Path

from reportgen.core.booking.journal import Posting
from reportgen.core.model import Mapping, RateCard
from reportgen.core.problem import Problem, Rejected, errors
from reportgen.core.proving.close import Terms
from reportgen.sources.config.currency import too_fine
from reportgen.sources.config.email import lines_of_email, unsound_email
from reportgen.sources.config.fees import undeclared_charged
from reportgen.sources.config.files import (
    find_documents,
    find_fonts,
    find_logo,
    find_templates,
    of_one_name,
    short_name,
)
from reportgen.sources.config.hr.cost_centers import CenterRow, read_centers, wanted_columns
from reportgen.sources.config.hr.declared import DeclaredCenters, declared, none_declared
from reportgen.sources.config.hr.export import HrExport, read_user_file
from reportgen.sources.config.hr.table import Grid
from reportgen.sources.config.hr.table_file import LARGEST_EXPORT, read_grid
from reportgen.sources.config.journal import (
    lines_of_journal,
    posting_of,
    unknown_layout,
    unsaid,
)
from reportgen.sources.config.mapping import read_mapping
from reportgen.sources.config.plain_http import refuse_plain
from reportgen.sources.config.products import labelled_twice
from reportgen.sources.config.rates import not_one_way, read_rates
from reportgen.sources.config.reader import MAIN, MAIN_FILE, Reader, located, opened
from reportgen.sources.config.schema import (
    ChargebackFile,
    CostCenterFileSection,
    MappingFile,
    RatesFile,
    UserFileSection,
)
from reportgen.sources.config.unset import unset_contract, unset_enterprise
from reportgen.sources.config.v2_limits import fit_to_v2, refuse_organizations
from reportgen.sources.config.yamldoc import YamlDocument

NOTHING_MAPPED = Mapping(cost_centers=(), rules=())
NOTHING_RATED = RateCard(currency="XXX", decimals=2)
"""ISO 4217's code for no currency."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Everything that was configured, and the files it was read from.

    `files` are by the short name that stands in rules (`mapping.yaml:12`), `texts` what people read
    in them, line by line, and `notes` how those of other systems were read; `paths` lead from those
    names to the files as the user would open them. `assets` lead from the names of files that
    travel with a cycle, such as the vendor's invoices, to the files, and `logo` to the picture that
    every document shows. `fonts` are added to our own, by the line `fonts_source`. `locales` lead
    from every locale to the first line that names it, `keys` from what names a file to its short
    name: by them an archive finds its files again. `product_sources` are the lines of the products
    that have a label or a meaning, `email_sources` the lines of the keys below
    `email`, its own under ""; `posting` is how a cycle is booked, where that is said.
    """

    settings: ChargebackFile
    mapping: Mapping
    rate_card: RateCard
    archive: Path
    archive_source: str
    invoice_number_source: str
    token_sources: MappingOf[str, str]
    cycles_source: str
    base_url_source: str
    replay: Path | None
    replay_source: str
    files: MappingOf[str, bytes]
    texts: MappingOf[str, str]
    paths: MappingOf[str, str]
    keys: MappingOf[str, str] = field(default_factory=dict)
    templates: Path | None = None
    assets: MappingOf[str, Path] = field(default_factory=dict)
    logo: Path | None = None
    fonts: tuple[Path, ...] = ()
    fonts_source: str = ""
    locales: MappingOf[str, str] = field(default_factory=dict)
    product_sources: MappingOf[str, str] = field(default_factory=dict)
    email_sources: MappingOf[str, str] = field(default_factory=dict)
    posting: Posting | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def group_reads(self) -> bool:
        """Tell whether the owner's group may read the archive too."""
        return self.settings.archive_mode == "group"

    @property
    def terms(self) -> Terms:
        """Say what is asked of a close."""
        close = self.settings.close
        return Terms(
            settle_days=close.settle_days,
            approval=close.approval,
            unallocated_limit=close.unallocated_limit,
        )

    @property
    def main(self) -> str:
        """Name chargeback.yaml as the user would open it."""
        return self.opened(self.keys.get(MAIN, MAIN_FILE))

    def opened(self, source: str) -> str:
        """Name the file of a source as the user would open it."""
        return opened(source, self.paths)

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Name files as the user would open them."""
        return located(problems, self.paths)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Named:
    """What chargeback.yaml names for documents, as far as it could be read."""

    logo: Path | None
    templates: Path | None
    fonts: tuple[Path, ...]


def load(config: Path, instead: MappingOf[str, Path] | None = None) -> Configuration:
    """Read a configuration by its chargeback.yaml or its folder, or raise Rejected.

    `instead` names files that are read for those under the keys `mapping` and `rates`.
    """
    path = config / MAIN_FILE if config.is_dir() else config
    edited = {key: os.path.relpath(file, path.parent) for key, file in (instead or {}).items()}
    return _loaded(Reader(folder=path.parent, instead=edited), path.name)


def load_partly(config: Path) -> tuple[Configuration | None, list[Problem]]:
    """Read what a chargeback.yaml says, though mapping or rates cannot be read; gives all problems.

    What cannot be read is empty then, so nothing is to be charged by it. None where the mistakes
    are its own: what it says of where to go is not to be followed.
    """
    path = config / MAIN_FILE if config.is_dir() else config
    reader = Reader(folder=path.parent)
    configuration = _read(reader, path.name, partly=True)
    problems = errors(reader.problems)
    own = any(problem.source.partition(":")[0] == path.name for problem in problems)
    if configuration and not own:
        warnings = tuple(located(reader.problems, reader.paths)) if not problems else ()
        configuration = replace(configuration, warnings=warnings)
    return None if own else configuration, located(problems, reader.paths)


def load_settings(folder: Path) -> ChargebackFile:
    """Read chargeback.yaml alone, whether or not the files are there that it names.

    Raises Rejected.
    """
    reader = Reader(folder=folder)
    settings = reader.typed(ChargebackFile, reader.document(MAIN_FILE))
    if settings is None or errors(reader.problems):
        raise Rejected(located(errors(reader.problems), reader.paths))
    return settings


def load_archived(folder: Path, keys: MappingOf[str, str], assets: Path) -> Configuration:
    """Read a configuration as an archive keeps it, whatever paths it names; raises Rejected.

    `keys` lead from what names a file to its name in `folder`, as `Configuration.keys` had them.
    Templates are left to whoever reads the archive.
    """
    return _loaded(Reader(folder=folder, instead=keys, assets=assets), keys.get(MAIN, MAIN_FILE))


def _loaded(reader: Reader, main: str) -> Configuration:
    configuration = _read(reader, main)
    if configuration is None or errors(reader.problems):
        raise Rejected(located(errors(reader.problems), reader.paths))
    return replace(configuration, warnings=tuple(located(reader.problems, reader.paths)))


def _read(reader: Reader, main: str, *, partly: bool = False) -> Configuration | None:
    """Read the three files, each as far as it can be, so that all problems are told at once.

    With `partly`, nothing stands for a mapping or a rate card that cannot be read.
    """
    document = reader.document(main)
    if document is None:
        return None
    if problem := _of_another_kind(document):
        reader.problems.append(problem)
        return None
    settings = reader.typed(ChargebackFile, document)
    named = _named(reader, settings, document) if settings else None
    mapping = _mapping(reader, document)
    rates = _rate_card(reader, document, mapping)
    if partly:
        mapping, rates = mapping or NOTHING_MAPPED, rates or (NOTHING_RATED, {})
    if settings is None or named is None or mapping is None or rates is None:
        return None
    rate_card, assets = rates
    if named.logo and (problem := _taken(named.logo, assets, document)):
        reader.problems.append(problem)
    reader.problems += _contradictions(reader, settings, document, named.templates)
    if settings.source.api == "v2":
        mapping, problems = fit_to_v2(mapping, rate_card)
        reader.problems += [*problems, *refuse_organizations(settings, document)]
    configuration = _configuration(reader, document, settings, mapping, rate_card)
    return replace(
        configuration,
        templates=named.templates,
        assets=assets,
        logo=named.logo,
        fonts=named.fonts,
        fonts_source=reader.opened(document.line("invoice", "fonts")),
        email_sources={
            key: reader.opened(line)
            for key, line in lines_of_email(settings.email, document).items()
        },
        posting=_posting(reader, settings, document),
    )


def _named(reader: Reader, settings: ChargebackFile, document: YamlDocument) -> _Named:
    """Read what chargeback.yaml names for documents; the language is looked at later."""
    reader.locales[settings.invoice.locale] = document.line("invoice", "locale")
    return _Named(
        logo=_logo(reader, settings, document),
        templates=_templates(reader, settings, document),
        fonts=_fonts(reader, settings, document),
    )


def _contradictions(
    reader: Reader, settings: ChargebackFile, document: YamlDocument, templates: Path | None
) -> Iterator[Problem]:
    """Say what keys of chargeback.yaml must not say together, though each may say it alone."""
    yield from labelled_twice(settings.products, document)
    yield from unset_enterprise(settings, document)
    yield from refuse_plain(settings.source, document)
    yield from unsound_email(settings.email, document)
    yield from unsaid(settings.close.exports, document)
    if reader.assets is None:  # an archive has its own templates
        yield from unknown_layout(settings.journal, document, templates)


def _of_another_kind(document: YamlDocument) -> Problem | None:
    """Refuse a mapping or a rate card in the place of the file that names them."""
    keys = document.root.places.keys()
    for kind, file in (("mapping", MappingFile), ("rate card", RatesFile)):
        if keys and keys <= file.model_fields.keys():
            message = f"is a {kind}, where a configuration is wanted"
            hint = f"name the {MAIN_FILE} that names it, or the folder of that"
            return Problem(source=f"{document.name}:1", message=message, hint=hint)
    return None


def _configuration(
    reader: Reader,
    document: YamlDocument,
    settings: ChargebackFile,
    mapping: Mapping,
    rate_card: RateCard,
) -> Configuration:
    """Put together what was read, with the lines that messages name."""
    replay = settings.source.replay
    return Configuration(
        settings=settings,
        mapping=mapping,
        rate_card=rate_card,
        archive=reader.path(settings.archive),
        archive_source=reader.opened(document.line("archive")),
        invoice_number_source=document.line("invoice", "number"),
        token_sources=_token_sources(reader, settings, document),
        cycles_source=reader.opened(document.line("source")),
        base_url_source=reader.opened(document.line("source", "base_url")),
        replay=reader.path(replay) if replay else None,
        replay_source=reader.opened(document.line("source", "replay")),
        files=reader.files,
        texts=reader.texts,
        paths=reader.paths,
        keys=reader.keys,
        locales={locale: reader.opened(source) for locale, source in reader.locales.items()},
        product_sources={name: document.line("products", name) for name in settings.products},
        notes=tuple(reader.notes),
    )


def _token_sources(
    reader: Reader, settings: ChargebackFile, document: YamlDocument
) -> dict[str, str]:
    """Give the lines that name the tokens' variables, by organization; the enterprise is ""."""
    lines = {"": document.line("source", "token_env")}
    for index, organization in enumerate(settings.source.organizations):
        lines[organization.id] = document.line("source", "organizations", index, "token_env")
    return {organization: reader.opened(line) for organization, line in lines.items()}


def _posting(reader: Reader, settings: ChargebackFile, document: YamlDocument) -> Posting | None:
    if settings.journal is None:
        return None
    lines = {key: reader.opened(line) for key, line in lines_of_journal(document).items()}
    return posting_of(settings.journal, lines)


def _templates(reader: Reader, settings: ChargebackFile, document: YamlDocument) -> Path | None:
    if settings.templates is None or reader.assets:
        return None
    path = reader.path(settings.templates)
    reader.problems += find_templates(path, document.line("templates"))
    return path


def _fonts(reader: Reader, settings: ChargebackFile, document: YamlDocument) -> tuple[Path, ...]:
    if settings.invoice.fonts is None or reader.assets is not None:  # an archive keeps all fonts
        return ()
    line = document.line("invoice", "fonts")
    fonts, problems = find_fonts(reader.path(settings.invoice.fonts), line)
    reader.problems += problems
    return fonts


def _logo(reader: Reader, settings: ChargebackFile, document: YamlDocument) -> Path | None:
    if settings.invoice.logo is None:
        return None
    line = document.line("invoice", "logo")
    written, folder = settings.invoice.logo, reader.folder
    if reader.assets:
        written, folder = short_name(written), reader.assets
    logo, problems = find_logo(written, line, folder)
    reader.problems += problems
    return logo


def _taken(logo: Path, assets: MappingOf[str, Path], document: YamlDocument) -> Problem | None:
    """Report a logo that has the name of another file of the archive."""
    return of_one_name(logo, assets.get(logo.name, logo), document.line("invoice", "logo"))


def _mapping(reader: Reader, main: YamlDocument) -> Mapping | None:
    document = reader.linked(main, "mapping")
    file = reader.typed(MappingFile, document)
    centers = _centers(reader, file, document) if file and document else None
    if file is None or document is None or centers is None:
        return None
    for code, center in centers.sections.items():
        if center.locale:
            reader.locales.setdefault(center.locale, centers.line(document, code, "locale"))
    file = file.model_copy(update={"cost_centers": centers.sections})
    export = _hr_export(reader, file, document) if file.user_file else None
    mapping, problems = read_mapping(
        file, document, export.rules if export else (), centers.sources
    )
    reader.problems += problems
    return replace(mapping, user_file=export.summary if export else None)


def _centers(reader: Reader, file: MappingFile, document: YamlDocument) -> DeclaredCenters | None:
    """Give the cost centers of the mapping and of the table it names; none of an unread one."""
    rows: list[CenterRow] | None = []
    if section := file.cost_center_file:
        grid = _grid(reader, document, "cost_center_file", section, wanted_columns(section))
        rows, taken, problems = read_centers(section, grid) if grid else (None, "", [])
        reader.problems += problems
        if grid and rows is not None and taken:
            reader.notes.append(f"{reader.paths[grid.name]}: {taken}")
    if rows is None:
        return None
    centers, problems = declared(file, document, rows)
    reader.problems += [*none_declared(file, document, rows), *problems]
    return centers if centers.sections else None


def _grid(
    reader: Reader,
    document: YamlDocument,
    key: str,
    section: CostCenterFileSection | UserFileSection,
    wanted: Sequence[str],
) -> Grid | None:
    """Read the table that a key of the mapping names, in which some columns are wanted."""
    try:
        line, folder = document.line(key, "path"), reader.folder_of(document)
        name = reader.file(section.path, line, folder, LARGEST_EXPORT, key=key)
        sheet = document.line(key, "sheet")
        grid = read_grid(reader.files[name], name, wanted, section.sheet, sheet)
    except Rejected as rejected:
        reader.problems += rejected.problems
        return None
    reader.texts[name] = grid.text
    return grid


def _hr_export(reader: Reader, file: MappingFile, document: YamlDocument) -> HrExport | None:
    section = file.user_file
    if section is None:
        return None
    grid = _grid(reader, document, "user_file", section, section.columns())
    if grid is None:
        return None
    export, problems = read_user_file(section, grid, list(file.cost_centers))
    reader.problems += problems
    if export and export.taken:
        reader.notes.append(f"{reader.paths[grid.name]}: {export.taken}")
    return export


def _rate_card(
    reader: Reader, main: YamlDocument, mapping: Mapping | None
) -> tuple[RateCard, MappingOf[str, Path]] | None:
    """Read the rates and find the files they name.

    Without a mapping nobody can tell which cost centers there are.
    """
    document = reader.linked(main, "rates")
    file = reader.typed(RatesFile, document)
    reader.problems += not_one_way(document) if document else []
    if file is None or document is None:
        return None
    rate_card, problems = read_rates(file, document)
    assets, missing = find_documents(file, document, reader.folder_of(document), reader.assets)
    reader.problems += [*problems, *missing, *unset_contract(file, document)]
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
        for key, budget in (
            ("cycle_budget", center.cycle_budget),
            ("year_budget", center.year_budget),
        ):
            if budget is not None:
                own = center.source.startswith(f"{document.name}:")
                line = document.line("cost_centers", center.code, key) if own else center.source
                name = f"the budget of {center.code}"
                yield from too_fine(budget, name, file.currency, file.decimals, line)
