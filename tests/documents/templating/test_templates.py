"""Templates: sandboxed, strict, overridden one by one, and every mistake with its file and line."""

import re
import shutil
import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError, TemplateNotFound
from pypdf import PdfReader

from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem, Rejected
from reportgen.documents.render import draw
from reportgen.documents.templating.catalog import catalog
from reportgen.documents.templating.filters import Format
from reportgen.documents.templating.invoice_number import NumberError, invoice_number
from reportgen.documents.templating.rows import ROW_FILTERS
from reportgen.documents.templating.templates import environment, read_templates, used
from tests.documents.beech import INPUT, design, markup, task

ROOT = Path(__file__).parents[3]
CYCLE = BillingCycle(
    start=date(2025, 12, 5), end=date(2026, 1, 5), after=1764921600, before=1767600000
)


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


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../pyproject.toml", "invoice.css/../../pyproject.toml", "t2.j2"]
)
def test_a_template_includes_only_templates(name):
    with pytest.raises(TemplateNotFound):
        rendered(f"{{% include '{name}' %}}")


def test_values_are_escaped():
    assert rendered("<p>{{ name }}</p>", name="<b>&\"'") == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"


def test_an_unknown_value_is_a_mistake_and_never_empty():
    for template in (
        "{{ nothing }}",
        "{{ value.nothing }}",
        "{% if nothing %}x{% endif %}",
        "{{ nothing ~ '' }}",
    ):
        with pytest.raises(UndefinedError):
            rendered(template, value="")


# Mistakes

LINE_2 = "<html><body>\n<p>{{{{ {} }}}}</p>\n</body></html>\n"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("document.nothing", 'an invoice document has no field "nothing"'),
        ("document.cost_center.nam", 'a cost center has no field "nam"; did you mean "name"?'),
        (
            "heading['enterprize']",
            'a heading has no field "enterprize"; did you mean "enterprise"?',
        ),
        ("document.invoice.lines[99]", 'a list has no element "99"'),
        ("document.invoice.number.nothing", 'a text has no field "nothing"'),
        ("{'acus': 1}.acu", 'a table has no "acu"; did you mean "acus"?'),
        ("heding", 'nothing is called "heding"; did you mean "heading"?'),
        ("self.nothing()", 'this template has no block "nothing"'),
        ("document.acus | monney", 'there is no filter "monney"; did you mean "money"?'),
        ("document.acus is defind", 'there is no test "defind"; did you mean "defined"?'),
        ("[1] | map('nothing') | join", 'there is no filter "nothing"'),
        ("'x' | money", 'this filter cannot be used like this: "x" | money'),
        ("none | money", "this filter cannot be used like this: none | money"),
        ("document | money", "this filter cannot be used like this: an invoice document | money"),
        ("document.acus | money(1, 'b')", 'like this: 11.499999999999 | money(1, "b")'),
        ("document.acus | money | round", 'this filter cannot be used like this: "11.50" | round'),
        ("[1, 'a'] | sort", "this filter cannot be used like this: a list | sort"),
        ("document.cost_center", "a cost center cannot be written as a whole"),
        ("document.cost_center.contacts", "a list cannot be written as a whole"),
        ("none", "there is no value to be written"),
        (
            "document.acus()",
            "a number cannot be called: leave out the parentheses, in <p>{{ document.acus() }}</p>",
        ),
        ("document.amount_of()", "this is called with other values than it takes, in <p>"),
        ("document.acus / 0", "a division by zero, in <p>{{ document.acus / 0 }}</p>"),
        ("0 // 0", "a division by zero"),
        ("document.acus ** 9999999999", "a number that is too large to work with"),
        ("document.acus + 1.5", "+ does not work between a number and an inexact number"),
        ("0 ** -1", "a division by zero"),
        ("10 // 0.0", "a division by zero"),
        ("1 < 'a'", "a number and a text cannot be compared, in <p>{{ 1 < 'a' }}</p>"),
        ("document.cost_center <= 1", "a cost center and a number cannot be compared"),
        ("1 in 5", "a number is not a list, in <p>{{ 1 in 5 }}</p>"),
        ("'a' + 1", "+ does not work between a text and a number; ~ joins texts"),
        ("document.cost_center * 2", "* does not work between a cost center and a number"),
        ("-'a'", "- does not work with a text"),
        ("+document.cost_center", "+ does not work with a cost center"),
        ("dict(1)", "this is called with other values than it takes"),
        ("'a'.replace()", "this is called with other values than it takes"),
        ("_('%(nothing)s')", 'no value is given for "nothing"'),
        ("'%(nothing)s' % {}", 'no value is given for "nothing"'),
        ("'%(nothing)s' % 1", 'no value is given for "nothing"'),
        ("'%d' % document.note", "%d needs a number"),
        ("'%s %05.1f' % (1, 'a')", "%05.1f needs a number"),
        ("'%s %s' % 1", "a text holds a %s for which no value is given"),
        ("_('%s')", "a text holds a %s for which no value is given"),
        ("'%s' % (1, 2)", "a text holds fewer %s than values are given"),
        ("'x' % 1", "a text holds fewer %s than values are given"),
        ("_('100 %')", "a text holds a % that stands for no value: write %%"),
        ("'100 %' % 1", "a text holds a % that stands for no value: write %%"),
        ("'%y' % 1", "a text holds a % that stands for no value: write %%"),
        ("'a'.encode('rot13')", '"encode" of a text is closed to templates'),
    ],
)
def test_a_mistake_names_template_and_line(expression, message):
    problem = mistake("R-1.pdf", invoice_html_j2=LINE_2.format(expression))
    assert problem.source == "invoice.html.j2:2"
    assert message in problem.message
    assert "built-in" in problem.hint
    for word in ("object", "decimal", "reportgen", "0x", "Error", "NoneType", "jinja2"):
        assert word not in problem.message


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "{% include 'part.html.j2' %}",
            'there is no template "part.html.j2"; did you mean "parts.html.j2"?',
        ),
        ("{% include ['a', 'b'] %}", 'there is none of the templates "a", "b"'),
        ("{% include 'invoice.html.j2' %}", "nested too deep, or without end"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested too deep, or without end"),
        (
            "{% import 'parts.html.j2' as p %}{{ p.heda() }}",
            'parts.html.j2 has no macro "heda"; did you mean "head"?',
        ),
        (
            "{% from 'parts.html.j2' import heda %}{{ heda() }}",
            "does not export the requested name 'heda'",
        ),
        (
            "{% import 'parts.html.j2' as p %}{{ p.head(1, 2, 3, 4, 5, 6) }}",
            "macro 'head' takes not more than",
        ),
        (
            "{% import 'parts.html.j2' as p %}{{ p.head(colour=1) }}",
            "macro 'head' takes no keyword argument 'colour'",
        ),
        ("{% for a in 5 %}{% endfor %}", "a number is not a list, in {% for a in 5 %}"),
        ("{% for a, b in [1] %}{% endfor %}", "a number is not a list"),
        ("{% set a, b = document.cost_center %}", "a cost center is not a list"),
        (
            "{% macro m(a) %}{{ a < 1 }}{% endmacro %}{{ m('x') }}",
            "a text and a number cannot be compared",
        ),
        (
            "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
            "there are more or fewer values than names for them",
        ),
        (
            "{% for found in document.cost_centers %}{% endfor %}",
            'no field "cost_centers"; did you mean "cost_center"?',
        ),
        ("{% set centre = 1 %}{{ center }}", 'nothing is called "center"; did you mean "centre"?'),
        ("{% nothing %}", "Encountered unknown tag 'nothing'"),
        ("{{ a b }}", "expected token 'end of print statement', got 'b'"),
        ("{% if true %}", "Unexpected end of template"),
    ],
)
def test_a_mistake_in_a_statement_names_template_and_line(statement, message):
    problem = mistake("R-1.pdf", invoice_html_j2=f"<html>\n{statement}</html>")
    assert problem.source == "invoice.html.j2:2"
    assert message in problem.message


@pytest.mark.parametrize("opening", ["{% for a in 'ab' %}", "{{ " + "(" * 5000])
def test_what_is_nested_too_deep_names_its_template(opening):
    closing = "1" + ")" * 5000 + " }}" if opening.endswith("(") else "{% endfor %}" * 30
    problem = mistake(
        "R-1.pdf", invoice_html_j2=opening * (1 if opening.endswith("(") else 30) + closing
    )
    assert problem.source == "invoice.html.j2"
    assert "nested too deep" in problem.message


def test_a_mistake_in_an_imported_template_names_that_one():
    parts = (
        design()
        .templates["parts.html.j2"]
        .replace("{{ heading.enterprise }}", "{{ heading.enterprize }}", 1)
    )
    problem = mistake("R-1.pdf", parts_html_j2=parts)
    line = 1 + parts[: parts.index("enterprize")].count("\n")
    assert problem.source == f"parts.html.j2:{line}"
    assert re.search(
        r'did you mean "enterprise"\? \(called in invoice\.html\.j2:\d+\)$', problem.message
    )


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
    assert problem.source == f"{name}:2"
    assert "not well-formed XML, line 2, column " in problem.message
    assert "<td>EUR</tr>" in problem.message
    assert problem.message.endswith("(td is open)")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("<p>a & b</p>", "not well-formed (invalid token): <p>a & b</p>"),
        ("<p class=a>x</p>", "not well-formed (invalid token)"),
        ("<p>one<br></p>", "<p>one<br></p> (br is open)"),
        ("<p>{{ heading.currency }} &copi;</p>", "unknown entity &copi; (did you mean &copy;?)"),
        (f"{'<i>' * 60}x{'</i>' * 60}", "elements are nested more than 60 deep: <i>"),
        ("<p>" + "x" * 200 + "<b>" + "y" * 200 + "</p>", "y</p> (b is open)"),
    ],
)
def test_markup_that_is_not_well_formed_names_the_line_of_the_template(written, message):
    text = f"{{% set x = 1 %}}\n{{% set y = 2 %}}\n<html><body>\n{written}\n</body></html>"
    problem = mistake("R-1.pdf", invoice_html_j2=text)
    assert problem.source == "invoice.html.j2:4"
    assert message in problem.message


def test_a_line_that_stands_twice_is_shown_and_not_numbered():
    problem = mistake("R-1.pdf", invoice_html_j2="<html>\n<p>a<b></p>\n<p>a<b></p>\n</html>")
    assert problem.source == "invoice.html.j2"
    assert "<p>a<b></p>" in problem.message


def test_named_entities_are_characters():
    body = "<body><p>&copy;&nbsp;&eacute; &AMP; &lt;</p></body>"
    text = f"<html lang='en'><head><title>T</title></head>{body}</html>"
    shown = (
        PdfReader(BytesIO(draw(task("R-1.pdf"), design(invoice_html_j2=text))))
        .pages[0]
        .extract_text()
    )
    assert shown.replace("\xa0", " ") == "© é & <"


def test_a_misspelt_element_of_a_workbook_is_shown_with_its_fragment():
    broken = (
        design().templates["invoice.xlsx.j2"].replace('data-field="acus"', 'data-feild="acus"', 1)
    )
    problem = mistake("R-1.xlsx", invoice_xlsx_j2=broken)
    line = 1 + broken[: broken.index("data-feild")].count("\n")
    assert problem.source == f"invoice.xlsx.j2:{line}"
    assert "data-feild" in problem.message


# The user's own templates


def beech(folder: Path, **templates: str) -> Path:
    """Copy the recorded enterprise with a folder of templates, by name with _ for dots."""
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


@pytest.mark.heavy
def test_a_mistake_in_the_users_template_is_one_line_and_writes_nothing(tmp_path):
    folder = beech(tmp_path / "beech", invoice_html_j2=LINE_2.format("document.nothing"))
    result = run(folder)
    assert (result.returncode, result.stdout) == (1, "")
    *warnings, line = result.stderr.splitlines()
    assert all(": warning: " in warning for warning in warnings)
    assert line.startswith(f"{folder}/mine/invoice.html.j2:2: ")
    assert "nothing" in line
    assert not list((folder / "archive").rglob("*"))


@pytest.mark.heavy
def test_overriding_one_file_is_enough(tmp_path):
    css = read_templates(None)["invoice.css"].replace("size: A4;", "size: letter;")
    folder = beech(tmp_path / "beech", invoice_css=css)
    (folder / "mine" / "notes.txt").write_text("not a template", encoding="utf-8")
    result = run(folder)
    assert result.returncode == 3, "a product of the recording has no price"
    cycle = folder / "archive" / "2025-12-05"
    info = subprocess.run(
        ["pdfinfo", str(cycle / "statement.pdf")], capture_output=True, text=True, check=True
    ).stdout
    assert "612 x 792 pts (letter)" in info
    kept = {
        path.relative_to(cycle / "inputs" / "templates").as_posix()
        for path in cycle.rglob("inputs/templates/**/*.*")
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
    assert catalog(found, "tlh").gettext("Total") == "Hoch"


def unfit(folder: Path) -> str:
    with pytest.raises(Rejected) as caught:
        read_templates(folder)
    (problem,) = caught.value.problems
    assert problem.source.startswith(str(folder))
    return f"{problem.source.removeprefix(str(folder))}: {problem.message}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("latin.html.j2", b"caf\xe9", "/latin.html.j2: is not UTF-8 from byte 4 on"),
        ("large.css", b"x" * 1_000_001, "/large.css: is no text of at most 1 MB"),
        (
            "de.po",
            b'msgid "a"\nmsgstra "b"\n',
            "/de.po:2: is not a catalog of words: unknown or misformatted keyword",
        ),
        (
            "de.po",
            b'msgid "a"\n',
            "/de.po:1: is not a catalog of words: missing msgstr for msgid 'a'",
        ),
    ],
)
def test_a_file_that_cannot_be_a_template_is_a_problem(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert unfit(tmp_path).startswith(message)


def test_a_folder_named_like_a_template_is_a_problem(tmp_path):
    (tmp_path / "invoice.html.j2").mkdir()
    assert unfit(tmp_path) == "/invoice.html.j2: is a folder"


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("a.j2", "nothing", "/a.j2: is a link that leads nowhere: no such file or directory"),
        ("a.j2", "a.j2", "/a.j2: is a link that leads nowhere: too many levels of symbolic links"),
        ("locale", "/", "/locale: is a link to a folder, which is not followed"),
        ("a.j2", "/dev/zero", "/a.j2: is no text of at most 1 MB"),
    ],
)
def test_a_link_that_leads_to_no_template_is_a_problem(name, target, message, tmp_path):
    (tmp_path / name).symlink_to(target)
    assert unfit(tmp_path) == message


def test_all_files_that_cannot_be_templates_are_reported_together(tmp_path):
    for name in ("a.j2", "b.css"):
        (tmp_path / name).write_bytes(b"\xff")
    with pytest.raises(Rejected) as caught:
        read_templates(tmp_path)
    assert [problem.source for problem in caught.value.problems] == [
        f"{tmp_path}/a.j2",
        f"{tmp_path}/b.css",
    ]


def test_a_link_to_a_file_elsewhere_is_the_users_own_choice(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "shared.css").write_text("p {}", encoding="utf-8")
    (tmp_path / "mine" / "invoice.css").symlink_to(tmp_path / "shared.css")
    assert read_templates(tmp_path / "mine")["invoice.css"] == "p {}"


def test_every_built_in_template_can_be_parsed():
    templates = read_templates(None)
    for name in templates:
        if name.endswith(".j2"):
            found = environment(templates, "en")
            found.filters.update(Format("en", "USD", 2).filters() | ROW_FILTERS)
            found.get_template(name)


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    "path", ["R-1.pdf", "S-2.pdf", "Z-9.pdf", "statement.pdf", "R-1.xlsx", "statement.xlsx"]
)
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
        ("{{ cycle.previous_day().isoformat() }}", "2026-01-04"),
        (
            "{{ '%04d' % cycle.start.month }}-{{ cost_center.code | replace('-', '') }}",
            "0012-CC1001",
        ),
        ("{{ cycle.start.year + 1 }}{{ cost_center.department or '-' }}", "2026-"),
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
        ("{{ ''.__class__.__mro__ }}", "closed to templates"),
        ("{% if %}", "cannot be rendered"),
        ("{% include 'invoice.html.j2' %}", "nothing else"),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "nothing else",
        ),
        ("{% set x = 'a' %}{{ x }}", "nothing else"),
        ("{{ range(99999) }}", "it may call nothing but isoformat, previous_day, strftime"),
        ("{{ 'a'.ljust(10**10) }}", "it may call nothing but"),
        (
            "{{ ''.ljust(2000000, 'a').rfind('ab' ~ ''.ljust(1000000, 'a')) }}",
            "it may call nothing but",
        ),
        ("{{ cost_center.code | center(10**10) }}", "its filters are capitalize, format, lower"),
        ("{{ 'a' * 10**10 }}", "would make a text"),
        ("{{ '%09999999999d' % 1 }}", "% may fill up to"),
        ("{{ '%09999999999d' | format(1) }}", "% may fill up to"),
        ("{{ 2 ** (10 ** 9) }}", "would make a number"),
        (
            "{{ '' " + "| replace('', 'aaaaaaaaa') " * 15 + "}}",
            "a filter makes more than 500 characters",
        ),
        ("{{ cycle.start }}" + " " * 500, "more than 500 characters"),
        ("{{ " + "(" * 240 + "1" + ")" * 240 + " }}", "nested too deep"),
        ("{{ 1 / 0 }}", "cannot be rendered: a division by zero"),
        ("{{ cycle.start + 1 }}", "\\+ does not work between a date and a number"),
        ("{{ cost_center.nam }}", 'a cost center has no field "nam"; did you mean "name"'),
        ("{{ cost_center.department }}", "there is no value"),
    ],
)
def test_invoice_numbers_that_could_name_no_file_are_refused(pattern, reason):
    with pytest.raises(NumberError, match=reason):
        number(pattern)


def test_an_ampersand_in_an_invoice_number_is_one():
    assert number("R&D {{ cost_center.name }}") == "R&D Über & Co"


@pytest.mark.heavy
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


def test_a_template_whose_name_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "caf\udce9.j2").write_text("x", encoding="utf-8")
    with pytest.raises(Rejected, match="has a name that is not UTF-8; rename it"):
        read_templates(tmp_path)


@pytest.mark.parametrize(
    ("calls", "whole"),
    [
        ('{% include "called" %}', False),
        ("{%-from'called'import x-%}", False),
        ('{% include "called" ignore missing %}', False),
        ('{% include ["called"] %}', True),
        ('{% include "called" if 1 else "other" %}', True),
        ('{% include "cal" "led" %}', True),
        (r'{% include "c\x61lled" %}', True),
    ],
)
def test_what_a_template_calls_is_part_of_what_it_is_made_of(calls, whole):
    """Whom it calls by other than a plain name is not worked out: then it may be any."""
    templates = {"page": calls, "called": "x", "other": "y"}
    assert used(templates, ["page"]).keys() == (templates.keys() if whole else {"page", "called"})
