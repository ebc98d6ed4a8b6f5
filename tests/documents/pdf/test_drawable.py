"""What a page asks for and would not get is a mistake in its template, named by its line."""

from base64 import b64encode
from urllib.parse import quote

import pytest

from reportgen.core.problem import Problem, Rejected
from reportgen.documents.render import DrawingError, draw
from tests.documents.beech import design, task

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
LEFT_OUT = [
    ('<iframe src="https://a.example/"></iframe>', "<iframe>"),
    ('<img alt="a" srcset="a.png 2x"/>', "srcset="),
    ("<form><p>x</p></form>", "<form>"),
    ('<p><input value="x"/></p>', "<input>"),
    ('<video src="a.mp4"></video>', "<video>"),
    ("<script>1</script>", "<script>"),
    ("<p><math><mi>x</mi></math></p>", "<math>"),
    ("<object>x</object>", "no data: <object>"),
    ("<embed/>", "no src: <embed>"),
    ('<p onclick="x()">x</p>', "onclick="),
    ('<p background="a.png">x</p>', "background="),
    (
        SVG.format('<use href="https://a.example/x.svg#a"/>'),
        'drawn in it: href="https://a.example/x.svg#a"',
    ),
    (
        SVG.format(
            '<use xmlns:x="http://www.w3.org/1999/xlink" x:href="b.svg#a"/>',
        ),
        'drawn in it: href="b.svg#a"',
    ),
    (SVG.format('<rect fill="url(b.svg#a)"/>'), "drawn in it: url(b.svg#a"),
    (SVG.format("<foreignObject/>"), "<foreignObject>"),
    (SVG.format('<style>@import "https://a.example/a.css"</style>'), 'it: @import "https://a.'),
    (SVG.format("<style>rect { fill: url(b.svg#a) }</style>"), "drawn in it: url(b.svg#a"),
    ('<meta http-equiv="Refresh" content="0;url=https://a.example/"/>', 'http-equiv="Refresh"'),
    ('<link rel="shortcut icon" href="https://a.example/a.ico"/>', 'rel="shortcut icon"'),
    ('<p>5 of 9 <progress value="5" max="9"/></p>', "<progress>"),
    ('<map name="m"><area href="https://a.example/" alt="x"/></map>', "<map>"),
]
ELSEWHERE = SVG.format('<use href="https://a.example/x.svg#a"/>')
CARRIED = {
    "encoded": f"data:image/svg+xml,{quote(ELSEWHERE)}",
    "base64": f"data:image/svg+xml;base64,{b64encode(ELSEWHERE.encode()).decode()}",
    "as it is": "data:image/svg+xml," + ELSEWHERE.replace("<", "&lt;").replace('"', "'"),
}
CARRIERS = ['<img alt="a" src="{}"/>', '<p style="background: url(&quot;{}&quot;)">x</p>']
IGNORED = [
    ("<p style=\"background-image: image-set('a.png' 1x)\">x</p>", 'image-set("a.png" 1x)`'),
    ('<p style="background: image-set(url(https://a.example/a.png) 1x)">x</p>', "image-set(url("),
    ('<p style="colour: red">x</p>', "`colour: red`, unknown property"),
    ('<p style="color: rad">x</p>', "`color: rad`, invalid value"),
    ("<style>p { color: rad }</style>", "`color: rad`, invalid value"),
    ("<style>p::quux { color: red }</style>", "selector, 'p::quux'"),
    ("<style>@quux x { }</style>", "@quux"),
    ('<link rel="stylesheet" href="data:text/css,p{color:rad}"/>', "`color:rad`, invalid value"),
]
SHEETS = [
    ("\n\np { color: rad }", 3, "`color: rad`, invalid value"),
    ("\np {\n  colour: red;\n}", 3, "unknown property"),
    ("\n@media print {\n\n  p::quux { color: red }\n}", 4, "'p::quux'"),
    ("\np { background: image-set('a' 1x) }", 2, 'image-set("a" 1x)'),
    ("\n@import 'a.css';", 2, 'asks for "@import"'),
    ("\n\np { letter-spacing: 1e20px }", 3, "cannot be drawn"),
    ("p { color: red }\np {\n content: attr(", 3, "cannot be drawn"),
]
SPANS = [
    ('<table><tr><td colspan="100000">x</td></tr></table>', 'columns or rows: colspan="100000"'),
    ('<table><tr><td rowspan="1001">x</td></tr></table>', 'columns or rows: rowspan="1001"'),
    ('<table><col span="9999999"/><tr><td>x</td></tr></table>', 'rows: span="9999999"'),
    ('<table><tr><td colspan="wide">x</td></tr></table>', 'whole number: colspan="wide"'),
    (f'<table><tr><td colspan="{"9" * 9000}">x</td></tr></table>', "99…"),
]
NONSENSE = [
    "font-size: 1e30px",
    "letter-spacing: 1e20px",
    "content: attr(",
]


def page(line: str) -> str:
    return f'<html lang="en"><head><title>T</title></head>\n<body>\n{line}\n</body></html>\n'


def refused(**changed: str) -> Problem:
    with pytest.raises(Rejected) as caught:
        draw(task("R-1.pdf"), design(**changed))
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(("line", "said"), LEFT_OUT + SPANS)
def test_what_would_be_left_out_is_named_by_its_line(line, said):
    problem = refused(invoice_html_j2=page(line))
    assert said in problem.message
    assert problem.source == "invoice.html.j2:3"


@pytest.mark.parametrize("way", CARRIED)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_a_carried_picture_asks_for_is_named_by_the_line_that_carries_it(way, carrier):
    problem = refused(invoice_html_j2=page(carrier.format(CARRIED[way])))
    assert problem.message.startswith("a picture in an address of data: ")
    assert problem.message.endswith('drawn in it: href="https://a.example/x.svg#a"')
    assert problem.source == "invoice.html.j2:3"


def test_a_picture_within_a_carried_picture_is_looked_at():
    outer = SVG.format(f'<image href="{CARRIED["base64"]}" width="9" height="9"/>')
    line = f'<img alt="a" src="data:image/svg+xml;base64,{b64encode(outer.encode()).decode()}"/>'
    assert 'href="https://a.example/x.svg#a"' in refused(invoice_html_j2=page(line)).message


@pytest.mark.parametrize(("line", "said"), IGNORED)
def test_what_is_ignored_in_a_style_is_named_by_its_line(line, said):
    problem = refused(invoice_html_j2=page(f"<p>x</p>\n{line}"))
    assert said in problem.message
    assert problem.source == "invoice.html.j2:4"


@pytest.mark.parametrize(("css", "line", "said"), SHEETS)
def test_what_is_wrong_in_the_style_sheet_is_named_by_its_line_there(css, line, said):
    problem = refused(invoice_css=css, invoice_html_j2=page("<p>x</p>"))
    assert said in problem.message
    assert problem.source == f"invoice.css:{line}"


def test_what_is_wrong_once_a_variable_has_its_value_is_told():
    line = "<p style=\"--x: image-set('a' 1x); background-image: var(--x)\">x</p>"
    assert "image-set" in refused(invoice_html_j2=page(line)).message


def test_a_variable_that_is_not_set_is_no_mistake():
    line = '<p style="color: var(--nowhere)">x</p>'
    assert draw(task("R-1.pdf"), design(invoice_html_j2=page(line))).startswith(b"%PDF")


def test_a_page_may_span_and_reuse_what_is_its_own():
    own = SVG.format('<defs><path id="a" d="M0 0h9"/></defs><use href="#a"/><rect fill="url(#b)"/>')
    line = f'<table><tr><td colspan="2" rowspan="1000">{own}</td></tr></table>'
    assert draw(task("R-1.pdf"), design(invoice_html_j2=page(line))).startswith(b"%PDF")


@pytest.mark.parametrize("style", NONSENSE)
def test_nonsense_is_the_mistake_of_the_template_that_has_it(style):
    fine = '<p style="color: red">x</p>'
    problem = refused(invoice_html_j2=page(f'{fine}\n<p style="{style}">xy</p>\n{fine}'))
    assert problem.source == "invoice.html.j2:4"
    assert problem.message.endswith("asks for what cannot be drawn")
    assert "a length or a number that makes no sense" in problem.hint


@pytest.mark.parametrize("style", NONSENSE)
def test_nonsense_in_a_style_sheet_of_the_page_is_named_by_its_line(style):
    line = f"<style>\np {{ color: red }}\np {{ {style} }}\n</style><p>xy</p>"
    assert refused(invoice_html_j2=page(line)).source == "invoice.html.j2:5"


def test_nonsense_that_stands_in_no_one_line_names_the_template():
    line = "{% for one in (1, 2) %}\n<p style='letter-spacing: 1e20px'>xy</p>\n{% endfor %}\n"
    problem = refused(invoice_html_j2=page(line + "<p style='letter-spacing: 1e20px'>xy</p>"))
    assert problem.source == "invoice.html.j2"


def test_an_error_at_our_own_pages_is_the_program_s(monkeypatch):
    monkeypatch.setattr("weasyprint.layout.page.make_page", None)
    with pytest.raises(DrawingError):
        draw(task("R-1.pdf"), design())
