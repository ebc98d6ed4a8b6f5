"""Catalogs of a user's own: their words, their plurals, and what is wrong with them by its line."""

from pathlib import Path

import pytest

from reportgen.core.problem import Problem, Rejected
from reportgen.documents.templating.catalog import catalog
from reportgen.documents.templating.templates import environment, read_templates

POLISH = "nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;"
USERS = """
msgid "%(count)s user"
msgid_plural "%(count)s users"
msgstr[0] "%(count)s osoba"
msgstr[1] "%(count)s osoby"
msgstr[2] "%(count)s osób"
"""
COUNTED = {
    0: "osób",
    1: "osoba",
    2: "osoby",
    4: "osoby",
    5: "osób",
    12: "osób",
    22: "osoby",
    112: "osób",
}
NGETTEXT = '{{ ngettext("%(count)s user", "%(count)s users", n, count=n) }}'
TRANS = "{% trans count=n %}{{ count }} user{% pluralize %}{{ count }} users{% endtrans %}"


def written(forms: str | None, entries: str) -> str:
    """Write a catalog, with the head that editors give it."""
    plural = f'"Plural-Forms: {forms}\\n"\n' if forms else ""
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    return f"{head}{plural}{entries}"


def own(folder: Path, name: str, text: str) -> dict[str, str]:
    """Read the templates of a configuration that has a catalog of its own."""
    (folder / "locale").mkdir(exist_ok=True)
    (folder / "locale" / f"{name}.po").write_text(text, encoding="utf-8")
    return read_templates(folder)


def said(templates: dict[str, str], locale: str, line: str, **values: object) -> str:
    return environment({**templates, "t": line}, locale).get_template("t").render(values)


def refused(folder: Path, text: str) -> Problem:
    with pytest.raises(Rejected) as caught:
        own(folder, "pl", text)
    (problem,) = caught.value.problems
    assert problem.source.startswith(f"{folder}/locale/pl.po")
    return problem


# Words


def test_a_regional_catalog_stands_over_that_of_the_language():
    templates = {
        "locale/de.po": 'msgid "Total"\nmsgstr "Summe"\n\nmsgid "Page"\nmsgstr "Seite"\n',
        "locale/de_AT.po": 'msgid "Total"\nmsgstr "Gesamt"\n',
        "t": '{{ _("Total") }} {{ _("Page") }} {{ _("Word") }}',
    }
    texts = {
        locale: environment(templates, locale).get_template("t").render()
        for locale in ("de", "de_AT", "fr")
    }
    assert texts == {
        "de": "Summe Seite Word",
        "de_AT": "Gesamt Seite Word",
        "fr": "Total Page Word",
    }


# Plurals


@pytest.mark.parametrize("line", [NGETTEXT, TRANS])
@pytest.mark.parametrize("forms", [POLISH, None])
def test_plurals_go_by_the_forms_of_the_locale(tmp_path, line, forms):
    templates = own(tmp_path, "pl", written(forms, USERS))
    assert {n: said(templates, "pl", line, n=n) for n in COUNTED} == {
        n: f"{n} {noun}" for n, noun in COUNTED.items()
    }


def test_the_head_of_a_catalog_decides_on_its_plurals(tmp_path):
    forms = "nplurals=3; plural=n>99 ? 0 : n>9 ? 1 : 2;"
    templates = own(tmp_path, "pl", written(forms, USERS))
    assert [said(templates, "pl", NGETTEXT, n=n) for n in (1, 10, 100)] == [
        *("1 osób", "10 osoby", "100 osoba")
    ]


def test_without_a_catalog_plurals_are_those_of_english():
    assert [said({}, "pl", NGETTEXT, n=n) for n in (0, 1, 2)] == ["0 users", "1 user", "2 users"]


@pytest.mark.parametrize("line", [NGETTEXT, TRANS])
def test_plurals_without_any_translation_are_those_of_english(tmp_path, line):
    entry = USERS.partition("msgstr")[0] + 'msgstr[0] ""\nmsgstr[1] ""\nmsgstr[2] ""\n'
    templates = own(tmp_path, "pl", written(POLISH, entry))
    assert [said(templates, "pl", line, n=n) for n in (1, 2, 5)] == ["1 user", "2 users", "5 users"]


def test_what_is_marked_fuzzy_is_not_used(tmp_path):
    fuzzy = USERS.replace("\nmsgid ", "\n#, fuzzy\nmsgid ")
    templates = own(
        tmp_path, "pl", written(POLISH, f'{fuzzy}\n#, fuzzy\nmsgid "Total"\nmsgstr "%"\n')
    )
    assert said(templates, "pl", NGETTEXT, n=2) == "2 users"
    assert catalog(templates, "pl").gettext("Total") == "Total"


def test_the_plurals_of_a_region_stand_over_those_of_the_language(tmp_path):
    own(tmp_path, "pl", written(POLISH, USERS))
    other = '\nmsgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] "%(count)s d"\n'
    templates = own(tmp_path, "pl_PL", written("nplurals=1; plural=0;", other))
    days = '{{ ngettext("%(count)s day", "%(count)s days", n, count=n) }}'
    assert said(templates, "pl_PL", f"{days}, {NGETTEXT}", n=2) == "2 d, 2 osoby"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("msgstr[2]", "msgstr[3]", "msg has more translations than num_plurals of catalog"),
        ('"%(count)s osób"', '""', 'translates "%(count)s user" in 2 of 3 plural forms'),
        ("%(count)s osoby", "%(counts)s osoby", "with other places to fill in than it has"),
        ("%(count)s osób", "osób", "with other places to fill in than it has"),
        ("%(count)s osób", "%(count)s %", "with a percent sign that is not written %%"),
        ("%(count)s osób", "<b>%(count)s</b>", "with one of < > &"),
    ],
)
def test_a_plural_that_would_break_documents_is_named_with_its_line(tmp_path, old, new, message):
    problem = refused(tmp_path, written(POLISH, USERS.replace(old, new)))
    assert problem.source.endswith("pl.po:6")
    assert message in problem.message


@pytest.mark.parametrize(
    "forms",
    [
        *("nplurals=3; plural=n;", "nplurals=3; plural=n/0;", "nplurals=3; plural=open(1);"),
        *("nplurals=3; plural=-1;", "nplurals=3; plural=;"),
    ],
)
def test_plural_forms_that_name_none_are_refused(tmp_path, forms):
    problem = refused(tmp_path, written(forms, USERS))
    assert problem.source.endswith("pl.po:4")
    assert problem.message == "has Plural-Forms that do not name one of 3 forms"


# Mistakes


@pytest.mark.parametrize(
    ("word", "translation", "message"),
    [
        ("Page %(page)s of %(pages)s", "Seite", "with other places to fill in"),
        (
            "Page %(page)s of %(pages)s",
            "Seite %(seite)s von %(pages)s",
            "with other places to fill in",
        ),
        (
            "Page %(page)s of %(pages)s",
            "100 % %(page)s %(pages)s",
            "a percent sign that is not written %%",
        ),
        ("Total", "100 %", "a percent sign that is not written %%"),
        ("Total", r"\"; } } body { display: none", "with one of < > &"),
        ("Total", "<b>Summe</b>", "with one of < > &"),
        ("Total", r"Sum\nme", "with one of < > &"),
    ],
)
def test_a_catalog_that_would_break_documents_is_named_with_its_line(
    tmp_path, word, translation, message
):
    problem = refused(tmp_path, written(None, f'\nmsgid "{word}"\nmsgstr "{translation}"\n'))
    assert problem.source.endswith("pl.po:5")
    assert message in problem.message


def test_a_text_of_a_catalog_that_is_not_closed_is_named(tmp_path):
    problem = refused(tmp_path, 'msgid "Cost center"\nmsgstr "Centrum\n')
    assert problem.source.endswith("pl.po:2")
    assert problem.message.endswith("has a text that is not between two quotes")
