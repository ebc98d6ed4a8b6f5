"""Templates: sandboxed, strict, overridden one by one, and every mistake with its file and line."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError, TemplateNotFound

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.render import draw
from reportgen.documents.templates import NumberError, catalog, environment, invoice_number, read_templates
from reportgen.documents.view import Format
from tests.documents.beech import INPUT, design, markup, task

ROOT = Path(__file__).parents[2]
CYCLE = BillingCycle(start=date(2025, 12, 5), end=date(2026, 1, 5), after=1764921600, before=1767600000)


def rendered(template: str, **values: object) -> str:
    return environment({"t.j2": template}, "en").get_template("t.j2").render(values)


def mistake(path: str, **changed: str) -> Problem:
    """Draw a document with changed templates, and give the one problem that comes of it."""
    with pytest.raises(Rejected) as caught:
        draw(task(path), design(**changed))
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)
    return problem


# The sandbox


@pytest.mark.parametrize(
    "escape",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__']['__mro__'] }}",
        "{{ (''|attr('__class__')).__mro__ }}",
        "{{ [].__class__.__base__.__subclasses__() }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ _.__globals__ }}",
        "{{ value.replace.__self__.__class__ }}",
        "{{ ('%s'|format(value)).__class__ }}",
        "{{ '{0.__class__.__mro__}'.format(value) }}",
        "{{ values.append(1) }}",
    ],
)
def test_the_sandbox_gives_nothing_away(escape):
    with pytest.raises((SecurityError, UndefinedError)):
        rendered(escape, value="text", values=[1])


@pytest.mark.parametrize("name", ["/etc/passwd", "../pyproject.toml", "invoice.css/../../pyproject.toml", "t2.j2"])
def test_a_template_includes_only_templates(name):
    with pytest.raises(TemplateNotFound):
        rendered(f"{{% include '{name}' %}}")


def test_values_are_escaped():
    assert rendered("<p>{{ name }}</p>", name="<b>&\"'") == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"


def test_an_unknown_value_is_a_mistake_and_never_empty():
    for template in ("{{ nothing }}", "{{ value.nothing }}", "{% if nothing %}x{% endif %}"):
        with pytest.raises(UndefinedError):
            rendered(template, value="")


# Mistakes

LINE_2 = "<html><body>\n<p>{{{{ {} }}}}</p>\n</body></html>\n"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("document.nothing", "has no attribute 'nothing'"),
        ("nothing", "'nothing' is undefined"),
        ("''.__class__.__mro__", "unsafe"),
        ("document.acus | nothing", "No filter named 'nothing'"),
        ("document.acus / 0", "DivisionByZero"),
        ("document.acus + 1.5", "unsupported operand"),
        ("document.acus | money | round", "round"),
        ("_('%(nothing)s')", "KeyError: 'nothing'"),
        ("'%d' % document.note", "number is required"),
    ],
)
def test_a_mistake_names_template_and_line(expression, message):
    problem = mistake("R-1.pdf", invoice_html_j2=LINE_2.format(expression))
    assert problem.source == "invoice.html.j2:2"
    assert message in problem.message
    assert "built-in" in problem.hint


def test_a_mistake_in_an_imported_template_names_that_one():
    parts = design().templates["parts.html.j2"].replace("{{ heading.enterprise }}", "{{ heading.enterprize }}", 1)
    problem = mistake("R-1.pdf", parts_html_j2=parts)
    line = 1 + parts[: parts.index("enterprize")].count("\n")
    assert problem.source == f"parts.html.j2:{line}"


@pytest.mark.parametrize("path", ["R-1.pdf", "R-1.xlsx"])
def test_a_mistake_of_syntax_names_template_and_line(path):
    broken = "<html>\n\n{% if %}</html>"
    name = "invoice.html.j2" if path.endswith("pdf") else "invoice.xlsx.j2"
    problem = mistake(path, **{name.replace(".", "_"): broken})
    assert problem.source == f"{name}:3"


@pytest.mark.parametrize("path", ["R-1.pdf", "R-1.xlsx"])
def test_xhtml_that_is_not_well_formed_is_shown_with_its_fragment(path):
    table = "<table title='S'><tr><td>{{ heading.currency }}</tr></table>"
    broken = f"<html><head><title>T</title></head>\n<body>{table}</body></html>"
    name = "invoice.html.j2" if path.endswith("pdf") else "invoice.xlsx.j2"
    problem = mistake(path, **{name.replace(".", "_"): broken})
    assert problem.source == name
    assert "not well-formed XML, line 2, column " in problem.message
    assert "<td>EUR</tr>" in problem.message


def test_a_misspelt_element_of_a_workbook_is_shown_with_its_fragment():
    broken = design().templates["invoice.xlsx.j2"].replace('data-field="acus"', 'data-feild="acus"', 1)
    problem = mistake("R-1.xlsx", invoice_xlsx_j2=broken)
    assert problem.source == "invoice.xlsx.j2"
    assert "data-feild" in problem.message


# The user's own templates


def beech(folder: Path, **templates: str) -> Path:
    """Copy the recorded enterprise with a folder of templates, each by its name with underscores for dots."""
    shutil.copytree(INPUT, folder)
    (folder / "mine").mkdir()
    for name, text in templates.items():
        (folder / "mine" / name.replace("_", ".")).write_text(text, encoding="utf-8")
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("templates: mine\n")
    return folder


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "reportgen",
        "run",
        str(folder),
        "--cycle",
        "2025-12-05",
        "--workers",
        "1",
        "--quiet",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_mistake_in_the_users_template_is_one_line_and_writes_nothing(tmp_path):
    folder = beech(tmp_path / "beech", invoice_html_j2=LINE_2.format("document.nothing"))
    result = run(folder)
    assert (result.returncode, result.stdout) == (1, "")
    *warnings, line = result.stderr.splitlines()
    assert all(": warning: " in warning for warning in warnings)
    assert line.startswith("invoice.html.j2:2: ")
    assert "nothing" in line
    assert not list((folder / "archive").rglob("*"))


def test_overriding_one_file_is_enough(tmp_path):
    css = read_templates(None)["invoice.css"].replace("size: A4;", "size: letter;")
    folder = beech(tmp_path / "beech", invoice_css=css)
    (folder / "mine" / "notes.txt").write_text("not a template", encoding="utf-8")
    result = run(folder)
    assert result.returncode == 0
    cycle = folder / "archive" / "2025-12-05"
    info = subprocess.run(
        ["pdfinfo", str(cycle / "statement.pdf")], capture_output=True, text=True, check=True
    ).stdout
    assert "612 x 792 pts (letter)" in info
    kept = {
        path.relative_to(cycle / "inputs" / "templates").as_posix() for path in cycle.rglob("inputs/templates/**/*.*")
    }
    assert kept == set(read_templates(None))
    assert (cycle / "inputs" / "templates" / "invoice.css").read_text(encoding="utf-8") == css


def test_the_users_files_win_and_the_others_stay(tmp_path):
    (tmp_path / "locale").mkdir()
    (tmp_path / "invoice.html.j2").write_text("mine", encoding="utf-8")
    (tmp_path / "locale" / "tlh.po").write_text('msgid "Total"\nmsgstr "Hoch"\n', encoding="utf-8")
    found = read_templates(tmp_path)
    assert found["invoice.html.j2"] == "mine"
    assert found["statement.html.j2"] == read_templates(None)["statement.html.j2"]
    assert catalog(found, "tlh") == {"Total": "Hoch"}


def test_a_regional_catalog_stands_over_that_of_the_language():
    templates = {
        "locale/de.po": 'msgid "Total"\nmsgstr "Summe"\n\nmsgid "Page"\nmsgstr "Seite"\n',
        "locale/de_AT.po": 'msgid "Total"\nmsgstr "Gesamt"\n',
        "t": '{{ _("Total") }} {{ _("Page") }} {{ _("Word") }}',
    }
    texts = {locale: environment(templates, locale).get_template("t").render() for locale in ("de", "de_AT", "fr")}
    assert texts == {"de": "Summe Seite Word", "de_AT": "Gesamt Seite Word", "fr": "Total Page Word"}


def test_every_built_in_template_can_be_parsed():
    templates = read_templates(None)
    for name in templates:
        if name.endswith(".j2"):
            found = environment(templates, "en")
            found.filters.update(Format("en", "USD", 2).filters())
            found.get_template(name)


@pytest.mark.parametrize("path", ["R-1.pdf", "S-2.pdf", "Z-9.pdf", "statement.pdf", "R-1.xlsx", "statement.xlsx"])
def test_names_from_the_data_are_escaped(path):
    text = markup(path)
    assert "<Lefèvre>" not in text
    assert "Beech &amp; Partners" in text


# Invoice numbers


def number(pattern: str, code: str = "CC-1001") -> str:
    return invoice_number(pattern, CYCLE, CostCenter(code=code, name="Über & Co"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("CB-{{ cycle.start }}-{{ cost_center.code }}", "CB-2025-12-05-CC-1001"),
        ("{{ cost_center.code }}", "CC-1001"),
        ("{{ cycle.start.year }}-{{ cost_center.code[-4:] }}", "2025-1001"),
        ("{{ cycle.start.strftime('%y%m') }}_{{ cost_center.code | lower }}", "2512_cc-1001"),
        ("請求書 {{ cost_center.code }}", "請求書 CC-1001"),
    ],
)
def test_invoice_numbers_follow_their_pattern(pattern, expected):
    assert number(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{{ cycle.start }}/{{ cost_center.code }}", "path separator"),
        ("a\\{{ cost_center.code }}", "path separator"),
        ("C:{{ cost_center.code }}", "path separator"),
        ("..", "1 to 100 characters"),
        ("  ", "1 to 100 characters"),
        ("", "1 to 100 characters"),
        ("x" * 101, "1 to 100 characters"),
        ("a\tb", "printable"),
        ("a{{ '\n' }}b", "printable"),
        ("\u202e{{ cost_center.code }}", "printable"),
        ("{{ cost_center.nothing }}", "nothing"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% if %}", "cannot be rendered"),
        ("{% include 'invoice.html.j2' %}", "cannot be rendered"),
        ("{{ 1 / 0 }}", "cannot be rendered"),
        ("{{ cycle.start + 1 }}", "cannot be rendered"),
    ],
)
def test_invoice_numbers_that_could_name_no_file_are_refused(pattern, reason):
    with pytest.raises(NumberError, match=reason):
        number(pattern)


def test_an_ampersand_in_an_invoice_number_is_one():
    assert number("R&D {{ cost_center.name }}") == "R&D Über & Co"


def test_two_invoices_never_get_the_same_number(tmp_path):
    folder = beech(tmp_path / "beech")
    text = (folder / "chargeback.yaml").read_text(encoding="utf-8")
    changed = text.replace("invoice: {", 'invoice: {number: "N-{{ cycle.start }}", ')
    (folder / "chargeback.yaml").write_text(changed, encoding="utf-8")
    result = run(folder)
    assert result.returncode == 1
    assert "get the same invoice number" in result.stderr
    assert "chargeback.yaml:6" in result.stderr
    assert not (folder / "archive").exists() or not list((folder / "archive").rglob("*"))
