"""What a page asks for and would not get is a mistake in its template, named by its line."""

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


def test_a_page_may_span_and_reuse_what_is_its_own():
    own = SVG.format('<defs><path id="a" d="M0 0h9"/></defs><use href="#a"/><rect fill="url(#b)"/>')
    line = f'<table><tr><td colspan="2" rowspan="1000">{own}</td></tr></table>'
    assert draw(task("R-1.pdf"), design(invoice_html_j2=page(line))).startswith(b"%PDF")


@pytest.mark.parametrize("style", NONSENSE)
def test_nonsense_is_the_mistake_of_the_template_that_has_it(style):
    problem = refused(invoice_html_j2=page(f'<p style="{style}">xy</p>'))
    assert problem.source == "invoice.html.j2"
    assert problem.message.endswith("asks for what cannot be drawn")
    assert "a length or a number that makes no sense" in problem.hint


def test_nonsense_in_a_style_sheet_names_it():
    problem = refused(invoice_css="p { letter-spacing: 1e20px }")
    assert problem.source == "invoice.css"


def test_an_error_at_our_own_pages_is_the_program_s(monkeypatch):
    monkeypatch.setattr("weasyprint.layout.page.make_page", None)
    with pytest.raises(DrawingError):
        draw(task("R-1.pdf"), design())
