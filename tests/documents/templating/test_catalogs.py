"""The catalogs of the documents: every word of the templates is there, fit, and used.

A language is one file, `templates/locale/<language>.po`; whatever is found there is held against
the templates here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from gettext import c2py
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from babel import Locale
from babel.messages.plurals import get_plural
from babel.messages.pofile import PoFileError, read_po
from jinja2 import nodes
from jinja2.ext import babel_extract

from reportgen import resources
from reportgen.archive import evidence
from reportgen.core.allocating.allocate import CAUSES
from reportgen.core.model import Discrepancy, Invoice, MissingView, Statement
from reportgen.derive import Derived, Inputs, derive
from reportgen.documents.content import labels
from reportgen.documents.render import filled
from reportgen.documents.tasks import Design, Task, tasks_of
from reportgen.documents.templating.catalog import catalog
from reportgen.documents.templating.templates import environment, read_templates
from reportgen.sources.api import v3
from reportgen.sources.api.plan import answer_from
from reportgen.sources.config.configuration import load
from tests.documents import correspondence, grove
from tests.weight import heavy_but

TEMPLATES = read_templates(None)
SOURCES = {name: text for name, text in TEMPLATES.items() if name.endswith(".j2")}
CATALOGS = sorted(Path(name).stem for name in TEMPLATES if name.endswith(".po"))
FUNCTIONS = ("_", "gettext", "ngettext")
DYNAMIC = {"cause": tuple(CAUSES.values())}
"""What `_()` is given at run time, by the name of the variable."""

LISTED = (labels.HOLDERS, labels.KINDS, labels.BASES, labels.PULL_REQUEST_STATES)
"""What workbooks call the codes in their lists."""
LEFT = (
    *(labels.NO_HOLDER, labels.NO_DEPARTMENT, labels.NO_ENTITY, labels.NO_DAY, labels.NO_TAG),
    *(labels.ONE_PERSON, "%(count)s people"),
)

PLACE = re.compile(r"%\((\w+)\)s")
SHEET = re.compile(r"<table title=\"\{\{ _\('([^']+)'\) \}\}\"")
SHEET_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
SHEET_UNITS = 31
FIRST_DAY = date(2025, 12, 5)


@cache
def messages() -> frozenset[str]:
    """Every word that is put through `_()`."""
    options = {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
    found = [
        message
        for text in SOURCES.values()
        for _, _, message, _ in babel_extract(BytesIO(text.encode()), FUNCTIONS, (), options)
    ]
    single = [message for message in found if isinstance(message, str)]
    parts = [
        part for message in found if isinstance(message, tuple) for part in message
    ]  # with placeholders
    known = [
        word
        for found in (*DYNAMIC.values(), *(table.values() for table in LISTED), LEFT)
        for word in found
    ]
    return frozenset(filter(None, (*single, *parts, *known)))


def sheets() -> dict[str, list[str]]:
    """The names of the sheets of each workbook, in English."""
    found = {name: SHEET.findall(text) for name, text in SOURCES.items()}
    return {name: titles for name, titles in found.items() if titles}


def forms_of(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    """Give the forms of a word: one, or one for each number that a language tells apart."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def problems(text: str, language: str) -> Iterator[str]:
    """Name everything that is wrong with a catalog."""
    try:
        catalog = read_po(BytesIO(text.encode()), abort_invalid=True)
    except PoFileError as error:
        yield f"not a catalog: {error}"
        return
    for field in (
        f"Language: {language}",
        "Content-Type: text/plain; charset=UTF-8",
        "Plural-Forms: nplurals=",
    ):
        if f'"{field}' not in text:
            yield f"header lacks: {field}"
    entries = {word: entry for entry in catalog if entry.id for word in forms_of(entry.id)}
    words = {
        word: translation
        for entry in catalog
        if entry.id
        for word, translation in zip_longest(
            forms_of(entry.id), forms_of(entry.string), fillvalue=forms_of(entry.string)[0]
        )
        if translation
    }
    yield from (f"missing: {word}" for word in sorted(messages() - words.keys()))
    yield from (f"stale: {word}" for word in sorted(entries.keys() - messages()))
    yield from (f"stale: {entry.id}" for entry in catalog.obsolete.values())
    yield from (f"fuzzy: {word}" for word, entry in entries.items() if entry.fuzzy)
    for word in entries:
        if len(re.findall(f"^msgid {re.escape(_quoted(word))}$", text, re.MULTILINE)) > 1:
            yield f"twice: {word}"
    for word, translation in words.items():
        yield from _unfit(word, translation)
    for workbook, titles in sheets().items():
        yield from _sheet_problems(workbook, [words.get(title, title) for title in titles])
    for line in re.findall(r"^#: .*:[0-9]+\b.*$", text, re.MULTILINE):
        yield f"a line number goes stale: {line}"


def _unfit(word: str, translation: str) -> Iterator[str]:
    if sorted(PLACE.findall(word)) != sorted(PLACE.findall(translation)):
        yield f"placeholders differ: {word} -> {translation}"
    if "%" in PLACE.sub("", translation).replace("%%", ""):
        yield f"a % that is neither %% nor a placeholder: {translation}"
    # A translation goes into XHTML, its attributes and CSS strings as it is.
    if (
        set('<>&"\\') & set(translation)
        or not translation.isprintable()
        or translation != translation.strip()
    ):
        yield f'holds one of < > & " \\, a control character, or space around it: {translation}'


def _sheet_problems(workbook: str, titles: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for title in titles:
        if len(title.encode("utf-16-le")) > 2 * SHEET_UNITS:
            yield f"sheet name over {SHEET_UNITS} characters: {title}"
        if SHEET_FORBIDDEN.search(title) or title.startswith("'") or title.endswith("'"):
            yield f"sheet name with a character that Excel refuses: {title}"
        if title.casefold() in seen | {"history"}:
            yield f"sheet name twice in {workbook}, or reserved: {title}"
        seen.add(title.casefold())


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_there_are_catalogs():
    assert {"de", "es", "fr", "ja", "zh"} <= set(CATALOGS)
    assert [Locale.parse(language) for language in CATALOGS]


@pytest.mark.quick(2)
@pytest.mark.parametrize("language", CATALOGS)
def test_catalog_is_complete_and_fit(language):
    assert list(problems(TEMPLATES[f"locale/{language}.po"], language)) == []


@pytest.mark.parametrize("language", CATALOGS)
def test_plurals_are_those_of_the_language(language):
    entries = read_po(BytesIO(TEMPLATES[f"locale/{language}.po"].encode()))
    known = get_plural(language)
    forms, expected = c2py(entries.plural_expr), c2py(known.plural_expr)
    assert entries.num_plurals == known.num_plurals
    assert [forms(count) for count in range(201)] == [expected(count) for count in range(201)]


OTHER_FORMS = re.compile(r"(?<![\w-])\d{4}[-/]\d\d[-/]\d\d|\b\d\d\.\d\d\.\d{4}")


@pytest.mark.heavy
@pytest.mark.parametrize("language", heavy_but(1, ["en", *CATALOGS]))
def test_days_on_a_page_have_one_form(language):
    """ISO dates stand in numbers of invoices alone, and in names of files."""
    design = replace(grove.design(), locale=language)
    derived = grove.derived()
    for task in tasks_of(derived.statement, derived.directory, design):
        if not task.path.endswith((".pdf", ".html")):
            continue
        text = " ".join(_texts(fromstring(filled(task, design))))  # noqa: S314 - our own
        assert OTHER_FORMS.findall(text) == [], task.path


def test_english_sheet_names_are_fit():
    for workbook, titles in sheets().items():
        assert list(_sheet_problems(workbook, titles)) == []


def test_every_sheet_name_is_seen():
    for name, text in SOURCES.items():
        assert len(SHEET.findall(text)) == (
            text.count("<table title=") if name.endswith(".xlsx.j2") else 0
        )


def test_words_that_are_known_only_at_run_time_are_known_here():
    reader = environment({}, "en")
    found = {
        argument.name if isinstance(argument, nodes.Name) else f"{name}: {argument}"
        for name, text in SOURCES.items()
        for call in reader.parse(text).find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in FUNCTIONS
        for argument in call.args[:1]
        if not isinstance(argument, nodes.Const)
    }
    assert found == DYNAMIC.keys()


@pytest.mark.parametrize("language", ["en", *CATALOGS])
@pytest.mark.parametrize("table", LISTED)
def test_codes_of_a_list_stay_apart_in_every_language(table, language):
    """A formula that adds up by a word knows no capitals, nor a sign of comparison at its start."""
    found = [catalog(TEMPLATES, language).gettext(word) for word in table.values()]
    assert len({word.casefold() for word in found}) == len(table)
    assert not [word for word in found if re.search(r"^[=<>]|[*?~]", word)]


PLANTED = {
    "missing: Department": ('msgid "Department"\nmsgstr "部門"', ""),
    "missing: Entity": ('msgid "Entity"\nmsgstr "法人"', 'msgid "Entity"\nmsgstr ""'),
    "stale: Division": (
        'msgid "Department"',
        'msgid "Division"\nmsgstr "事業部"\n\nmsgid "Department"',
    ),
    "stale: Old": ('msgid "Department"', '#~ msgid "Old"\n#~ msgstr "旧"\n\nmsgid "Department"'),
    "fuzzy: Department": ('msgid "Department"', '#, fuzzy\nmsgid "Department"'),
    "twice: Department": (
        'msgid "Department"',
        'msgid "Department"\nmsgstr "部署"\n\nmsgid "Department"',
    ),
    "placeholders differ: %(count)s with an invoice -> %(counts)s": ("%(count)s 件", "%(counts)s"),
    "a % that is neither %% nor a placeholder: 100 %": ('"部門"', '"100 %"'),
    'holds one of < > & " \\, a control character, or space around it: 部&門': (
        '"部門"',
        '"部&門"',
    ),
    "sheet name over 31 characters: 利用": ('"利用明細"', f'"利用{"明細" * 15}"'),
    "sheet name with a character that Excel refuses: 利用/明細": ('"利用明細"', '"利用/明細"'),
    "sheet name twice in invoice.xlsx.j2, or reserved: 請求書": ('"利用明細"', '"請求書"'),
    "a line number goes stale: #: templates/invoice.html.j2:7": (
        "#: templates/invoice.html.j2",
        "#: templates/invoice.html.j2:7",
    ),
    "header lacks: Plural-Forms": ('"Plural-Forms: nplurals=1; plural=0;\\n"\n', ""),
    "not a catalog: ": ('msgid "Department"', 'msgidd "Department"'),
}


@pytest.mark.quick(5)
@pytest.mark.parametrize("expected", PLANTED)
def test_planted_mistake_is_named(expected):
    text = TEMPLATES["locale/ja.po"]
    old, new = PLANTED[expected]
    assert old in text
    found = list(problems(text.replace(old, new), "ja"))
    assert any(problem.startswith(expected.partition(" -> ")[0]) for problem in found), found


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("language", "content"),
    [
        ("en", '"Page " counter(page) " of " counter(pages) ""'),
        ("ja", '"" counter(page) " / " counter(pages) " ページ"'),
        ("zh", '"第 " counter(page) " 页 / 共 " counter(pages) " 页"'),
    ],
)
def test_page_numbers_stand_where_the_language_puts_them(language, content):
    task = next(task for task in _tasks(language) if task.path == "statement.pdf")
    style = fromstring(filled(task, _design(language))).findtext("head/style")  # noqa: S314 - our own
    assert f"@bottom-right {{ content: {content}; }}" in style


@pytest.mark.heavy
@pytest.mark.parametrize("language", CATALOGS)
def test_no_word_stays_english(language):
    catalog = read_po(BytesIO(TEMPLATES[f"locale/{language}.po"].encode()))
    english = {
        piece
        for entry in catalog
        for words in ([entry.id] if isinstance(entry.id, str) else entry.id)
        for piece in (piece.strip(" .,:;()") for piece in re.split(r"%\(\w+\)s", words))
        if piece and piece not in str(entry.string)
    }
    phrase = re.compile(
        rf"\b({'|'.join(map(re.escape, sorted(english, key=len, reverse=True)))})\b"
    )
    left = {
        f"{task.path}: {found} (in: {text.strip()})"
        for task in _tasks(language)
        for text in _texts(fromstring(filled(task, _design(language))))  # noqa: S314 - our own
        for found in phrase.findall(text)
    }
    assert sorted(left) == []


OWN_WORDS = {"Budget owner"}
"""What the example's cost centers call fields of theirs."""


def _texts(root: Element) -> Iterator[str]:
    """What a reader sees. Of what stands outside `_()`, the unit is left out."""
    for element in root.iter():
        texts = (
            element.text,
            element.tail,
            *(element.get(name) for name in ("title", "aria-label", "content")),
        )
        seen = texts[element.tag in {"style", "script"} :]
        yield from (text.replace("ACUs", "") for text in seen if text and text not in OWN_WORDS)


def _design(language: str) -> Design:
    return Design(templates=TEMPLATES, accent="#1f4e79", locale=language)


@cache
def _derived() -> Derived:
    configuration = load(resources.configs() / "example" / "chargeback.yaml")
    path = resources.samples() / "acme" / "responses.jsonl"
    responses = evidence.read(path)
    cycle = next(
        found
        for found in answer_from(v3.cycles(), responses, str(path)).cycles
        if found.start == FIRST_DAY
    )
    return derive(
        Inputs(configuration=configuration, cycle=cycle, responses=responses, source=str(path))
    )


@cache
def _tasks(language: str) -> list[Task]:
    """Every document of the sample in one language: as it is, and with what is rare."""
    derived, design = _derived(), _design(language)
    statement = replace(
        derived.statement, invoices=tuple(map(_without_names, derived.statement.invoices))
    )
    directory = replace(
        derived.directory, organizations=dict.fromkeys(derived.directory.organizations, "–")
    )
    found = [
        task
        for one in (statement, _unusual(statement))
        for task in tasks_of(one, directory, design)
    ]
    sent = [task for task in correspondence.tasks(language) if task.template.endswith(".html.j2")]
    return [*found, *_rich(language), *sent]


def _rich(language: str) -> Iterator[Task]:
    """Every document with fees, transfers, pools, budgets, a cycle before and summaries."""
    centers = tuple(replace(center, locale=None) for center in grove.CENTERS)
    for recover in (False, True):
        derived = grove.derived(recover=recover, centers=centers)
        design = replace(_design(language), summaries=("department", "entity"))
        yield from tasks_of(derived.statement, derived.directory, design)


def _without_names(invoice: Invoice) -> Invoice:
    """Take out what is English as the sample is: names of cost centers, and their own languages."""
    center = replace(invoice.cost_center, name="–", department="–", gl_account="6420", locale=None)
    return replace(invoice, cost_center=center)


def _unusual(statement: Statement) -> Statement:
    """An open cycle, views that disagree or are missing, lines without a price, rule or bearer."""
    missing = MissingView(request="/v3/x", reason="refused", count=1, status=403)
    return replace(
        statement,
        heading=replace(statement.heading, cycle_open=True, missing_views=(missing,)),
        invoices=tuple(map(_unpriced, statement.invoices)),
        unallocated=replace(statement.unallocated, cost_center=None),
        discrepancies=(
            Discrepancy(
                day=FIRST_DAY,
                product="devin",
                org_id="",
                principal_id="",
                acus=Decimal(-1),
                views=("GET /v3/x",),
            ),
        ),
    )


def _unpriced(invoice: Invoice) -> Invoice:
    return replace(
        invoice,
        lines=tuple(replace(line, kind="unallocated", unit_price=None) for line in invoice.lines),
    )
