"""The cost centers that are declared: in the mapping, in a table, or in both.

What both say of one must be the same; what one of them leaves open the other fills.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from decimal import Decimal

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.hr.cost_centers import CenterRow
from reportgen.sources.config.schema import CostCenterSection, MappingFile
from reportgen.sources.config.yamldoc import YamlDocument


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredCenters:
    """What is said of each cost center, by code, and where it is declared first (file:line)."""

    sections: MappingOf[str, CostCenterSection]
    sources: MappingOf[str, str] = field(default_factory=dict)

    def line(self, document: YamlDocument, code: str, key: str) -> str:
        """Give file:line of what is said of a cost center: its row, where no key stands for it."""
        source = self.sources[code]
        in_mapping = source.startswith(f"{document.name}:")
        return document.line("cost_centers", code, key) if in_mapping else source


def declared(
    file: MappingFile, document: YamlDocument, rows: Iterable[CenterRow]
) -> tuple[DeclaredCenters, list[Problem]]:
    """Put together what the mapping and the rows of the table say, and name what contradicts."""
    sections = dict(file.cost_centers)
    sources = {code: document.line("cost_centers", code) for code in sections}
    problems: list[Problem] = []
    for row in rows:
        code, before = row.code, sections.get(row.code)
        if before is None:
            sections[code], sources[code] = row.section, row.source
            continue
        differ = [_unlike(code, *unlike) for unlike in _contradictions(before, row.section)]
        problems += [
            Problem(
                source=row.source,
                message=f"{message}, as {sources[code]} has it",
                hint="keep one of them, or let both say the same",
            )
            for message in differ
        ]
        sections[code] = _joined(before, row.section)
    return DeclaredCenters(sections=sections, sources=sources), problems


def none_declared(
    file: MappingFile, document: YamlDocument, rows: Sequence[CenterRow]
) -> list[Problem]:
    """Report a mapping without any cost center, in itself or in the table that it names."""
    if file.cost_centers or rows:
        return []
    if file.cost_center_file:
        message = "the table of cost centers holds none that can be read"
        hint = "write a row for each, below the names of the columns"
        return [Problem(source=document.line("cost_center_file"), message=message, hint=hint)]
    written = "cost_centers" in document.root.places
    message = '"cost_centers" is empty' if written else 'the key "cost_centers" is missing'
    hint = "write at least one entry, or name a table of them by `cost_center_file`"
    return [Problem(source=document.line("cost_centers"), message=message, hint=hint)]


def _contradictions(
    first: CostCenterSection, second: CostCenterSection
) -> Iterable[tuple[str, object, object]]:
    """Give the keys of which both say something else, fields one by one."""
    for key in CostCenterSection.model_fields:
        if key in first.model_fields_set & second.model_fields_set:
            one, other = getattr(first, key), getattr(second, key)
            if isinstance(one, dict) and isinstance(other, dict):
                both = [label for label in one if label in other and one[label] != other[label]]
                yield from ((label, one[label], other[label]) for label in both)
            elif one != other:
                yield key, one, other


def _unlike(code: str, key: str, before: object, here: object) -> str:
    return f"{quoted(key)} of {quoted(code)} is {_shown(here)} here, not {_shown(before)}"


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return quoted(", ".join(value) if isinstance(value, tuple) else value)


def _joined(first: CostCenterSection, second: CostCenterSection) -> CostCenterSection:
    """Fill what the first leaves open by what the second says."""
    added = {key: getattr(second, key) for key in second.model_fields_set - first.model_fields_set}
    fields = {**second.fields, **first.fields}
    return first.model_copy(update={**added, "fields": fields})
