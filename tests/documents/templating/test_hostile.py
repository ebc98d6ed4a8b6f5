"""Templates that attack: each is contained by the sandbox or by the limits of a worker, and named.

Everything here runs in processes like those of `build`, with less time and memory, so that it is
over soon.
"""

import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, getrlimit
from signal import SIG_DFL, SIGPROF, getsignal

import pytest

from reportgen.core.problem import Problem, Rejected
from reportgen.documents.limits import limit_this_process
from reportgen.documents.render import Rendering, render
from tests.documents.beech import design, task

SECONDS, GRACE, MEMORY = 0.5, 1, 400 << 20
AMPLE = 60
"""Seconds of the processor for what is not stopped by time, on a machine however slow."""
INVOICES = ("R-1.pdf", "S-2.pdf", "Z-9.pdf")
IN_C = "{{ ''.ljust(2000000, 'a').rfind('ab' ~ ''.ljust(1000000, 'a')) }}"
"""One call that compares 10**12 characters; nothing of Python runs in between."""


@contextmanager
def workers(count=1, seconds=SECONDS):
    limited = partial(limit_this_process, seconds=seconds, grace=GRACE, memory=MEMORY)
    with ProcessPoolExecutor(count, initializer=limited) as executor:
        yield executor


def page(line: str) -> str:
    return f'<html lang="en"><head><title>T</title></head>\n<body><p>\n{line}\n</p></body></html>\n'


def stopped(
    paths: tuple[str, ...] = ("R-1.pdf",), count: int = 1, seconds: float = SECONDS, **changed: str
) -> Problem:
    """Render documents in workers, and give the one problem that comes of it."""
    begun = time.monotonic()
    rendering = Rendering(map(task, paths), design(**changed))
    while not rendering.is_done:
        with workers(1 if rendering.is_alone else count, seconds) as executor:
            dict(rendering.by(executor))
    assert time.monotonic() - begun < AMPLE
    with pytest.raises(Rejected) as caught:
        rendering.warnings()
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)
    assert " object" not in problem.message
    assert "0x" not in problem.message
    return problem


# What the sandbox refuses


CLOSED = [
    ("''.__class__.__mro__", '"__class__" of a text is closed'),
    ("''['__class__']['__mro__']", '"__class__" of a text is closed'),
    ("(''|attr('__class__')).__mro__", '"__class__" of a text is closed'),
    ("[].__class__.__base__.__subclasses__()", '"__class__" of a list is closed'),
    ("document.cost_center.__init__.__globals__", '"__init__" of a cost center is closed'),
    ("document.days_of.__func__.__globals__", 'a method has no field "__func__"'),
    ("document.days_of.__init__.__globals__", '"__init__" of a method is closed'),
    ("heading.__class__.__subclasses__()", '"__class__" of a heading is closed'),
    ("self.__init__.__globals__", '"__init__" of a template reference is closed'),
    ("self._TemplateReference__context.environment", '"_TemplateReference__context" of'),
    ("namespace.__init__.__globals__", "is closed"),
    ("dict.mro()", '"mro" of'),
    ("range._call.__globals__", '"_call" of a method is closed'),
    ("_._call.__globals__", '"_call" of a method is closed'),
    ("_.__globals__", 'a method has no field "__globals__"'),
    ("cycler.__init__.__globals__.os", 'nothing is called "cycler"'),
    ("joiner.__init__.__globals__", 'nothing is called "joiner"'),
    ("lipsum.__globals__", 'nothing is called "lipsum"'),
    ("'{0.__class__}'.format(document)", '"format" of a text is closed'),
    ("'{a.__class__}'.format_map({'a': 1})", '"format" of a text is closed'),
    ("('%s'|format(1)).__class__", '"__class__" of a text is closed'),
    ("(document|attr('heading')).__class__", '"__class__" of a heading is closed'),
    ("[document]|map(attribute='__class__')|first", '"__class__" of an invoice document is closed'),
    ("[document]|map('attr', '__class__')|first", '"__class__" of an invoice document is closed'),
    ("{}.update({1: 2})", '"update" of a table is closed'),
    ("[1].append(2)", '"append" of a list is closed'),
]
LARGE = [
    ("'a' * 10**9", "* would make a text of more than 100,000"),
    ("10**9 * 'a'", "* would make a text of more than 100,000"),
    ("[1] * 10**9", "* would make a list of more than 100,000"),
    ("('a' ~ 'b') * 10**9", "* would make a text of more than 100,000"),
    ("2 ** (10**9)", "** would make a number of more than a thousand digits"),
    ("9 ** (9 ** 9)", "** would make a number of more than a thousand digits"),
    ("10**1000 * 10**1000", "* would make a number of more than a thousand digits"),
    ("'%0999999999d' % 1", "% may fill up to 1,000 characters"),
    ("'%*d' % (999999999, 1)", "% may fill up to 1,000 characters"),
    ("'%.999999999f' % 1", "% may fill up to 1,000 characters"),
    ("'%0999999999d' | format(1)", "% may fill up to 1,000 characters"),
    ("range(10**9)", "a range of more than 100,000 numbers"),
    ("range(0, 10**9, 2)", "a range of more than 100,000 numbers"),
]
CHANGING = [
    ("[1, 2, 3] | random", 'there is no filter "random"'),
    ("document | pprint", 'there is no filter "pprint"'),
    ("lipsum()", 'nothing is called "lipsum"'),
    ("document.days_of", "a method is called with parentheses"),
    ("document.days_of ~ ''", "a method is called with parentheses"),
    ("'%s' % ''.upper", "a method is called with parentheses"),
    ("''.upper | string", "a method is called with parentheses"),
    ("[''.upper] | join", "a method is called with parentheses"),
    ("[''.upper] ~ ''", "a method is called with parentheses"),
    ("_ ~ ''", "a method is called with parentheses"),
    ("range ~ ''", "a method is called with parentheses"),
    ("[1] | map('string')", "a list cannot be written"),
]


@pytest.mark.quick(17)
@pytest.mark.parametrize(("expression", "message"), CLOSED + LARGE + CHANGING)
def test_the_sandbox_refuses_and_names_the_line(expression, message, worker):
    with pytest.raises(Rejected) as caught:
        list(
            render(
                [task("R-1.pdf")], design(invoice_html_j2=page(f"{{{{ {expression} }}}}")), worker
            )
        )
    (problem,) = caught.value.problems
    assert problem.source == "invoice.html.j2:3"
    assert message in problem.message
    assert " object" not in problem.message


@pytest.fixture(scope="module")
def worker():
    """Give one worker for what needs no new one: that it goes on is part of the test."""
    with workers(seconds=AMPLE) as executor:
        yield executor
        assert next(render([task("R-1.pdf")], design(), executor))[1].startswith(b"%PDF")


@pytest.mark.parametrize("expression", [expression for expression, _ in LARGE])
def test_nothing_large_is_made_when_a_template_is_compiled(expression):
    begun = time.process_time()
    with pytest.raises(Rejected):
        list(
            render(
                [task("R-1.pdf")], design(invoice_html_j2=page(f"{{{{ {expression} }}}}")), Here()
            )
        )
    assert time.process_time() - begun < 1


def test_what_iterators_show_is_the_same_every_time(worker):
    (_, content), (_, again) = (
        next(
            render(
                [task("R-1.pdf")],
                design(invoice_html_j2=page("{{ [1]|map('string') ~ '' }}")),
                worker,
            )
        )
        for _ in range(2)
    )
    assert content == again


FILES = [
    "/etc/passwd",
    "../../etc/passwd",
    "../pyproject.toml",
    "file:///etc/passwd",
    "C:\\boot.ini",
]
WAYS = [
    "{%% include %r %%}",
    "{%% import %r as x %%}",
    "{%% extends %r %%}",
    "{%% from %r import x %%}",
]


@pytest.mark.quick(7)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", WAYS)
def test_no_file_outside_the_templates_is_read(way, name, worker):
    with pytest.raises(Rejected) as caught:
        list(render([task("R-1.pdf")], design(invoice_html_j2=page(way % name)), worker))
    (problem,) = caught.value.problems
    assert problem.source == "invoice.html.j2:3"
    assert problem.message.startswith("there is no template ")


def test_an_entity_reads_no_file(worker):
    text = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body>&x;</body></html>'
    with pytest.raises(Rejected) as caught:
        list(render([task("R-1.pdf")], design(invoice_html_j2=text), worker))
    assert str(caught.value).startswith("invoice.html.j2:1: unknown entity")


BOMB = "".join(f'<!ENTITY a{n} "{f"&#38;a{n - 1};" * 10}">' for n in range(1, 12))


def test_an_entity_bomb_does_not_go_off():
    head = f'<!DOCTYPE html [<!ENTITY a0 "ha">{BOMB}]>'
    text = f'{head}<html><body>{{{{ "&" | safe }}}}a11;</body></html>'
    assert stopped(invoice_html_j2=text, seconds=AMPLE).source.startswith("invoice.html.j2")


# What only the limits of a process stop


NESTED = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
RECURSIVE = (
    "{% for a in range(99999) recursive %}{{ loop(range(99999)) if loop.depth < 9 }}{% endfor %}"
)
GROWING = (
    "{% set ns = namespace(x='a') %}"
    "{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
)


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "loop",
    [
        NESTED,
        RECURSIVE,
        "{% set x = range(99999) | map('string') | map('upper') | join | list %}" * 200,
    ],
)
def test_a_loop_is_stopped_in_its_line(loop):
    problem = stopped(invoice_html_j2=page(loop))
    assert problem.source == "invoice.html.j2:3"
    assert problem.message == "this takes more than 0.5 seconds of the processor"


@pytest.mark.heavy
def test_a_loop_in_a_part_names_the_part():
    parts = "{% macro head() %}\n\n" + NESTED + "{% endmacro %}"
    text = page("{% import 'parts.html.j2' as parts %}{{ parts.head() }}")
    assert stopped(invoice_html_j2=text, parts_html_j2=parts).source == "parts.html.j2:3"


@pytest.mark.heavy
def test_a_document_that_takes_too_long_to_draw_names_its_template():
    tables = "{% for a in range(9999) %}<table><tr><td>x</td></tr></table>{% endfor %}"
    problem = stopped(invoice_html_j2=page(tables))
    assert (problem.source, problem.message) == (
        "invoice.html.j2",
        "this takes more than 0.5 seconds of the processor",
    )


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    "line",
    [
        "{{ 'a' | center(2000000000) }}",
        GROWING,
        "{{ 'a'.ljust(10000000000) }}",
        "{{ _('%0999999999d', x=1) if false else _('%(x)0999999999d', x=1) }}",
        "{{ 'a' | indent(2000000000, true) }}",
    ],
)
def test_a_template_that_fills_the_memory_is_stopped_in_its_line(line):
    problem = stopped(invoice_html_j2=page(line), seconds=AMPLE)
    assert problem.source == "invoice.html.j2:3"
    assert "more memory than a document may have" in problem.message


@pytest.mark.heavy
def test_what_nothing_can_interrupt_ends_the_process_and_is_named():
    problem = stopped(invoice_html_j2=page(IN_C))
    assert problem.source == "invoice.html.j2"
    assert problem.message == (
        "the process that rendered invoices/CB-2025-12-05-R-1.pdf was ended by the system, and so "
        "was a second, which drew nothing else"
    )


@pytest.mark.heavy
def test_with_several_workers_the_one_that_was_at_fault_is_named():
    paths = "R-1.xlsx", "statement.pdf", "statement.xlsx", "R-1.pdf"
    problem = stopped(paths, 2, invoice_html_j2=page(IN_C))
    assert problem.source == "invoice.html.j2"
    assert "rendered invoices/CB-2025-12-05-R-1.pdf was ended" in problem.message


@pytest.mark.heavy
def test_after_a_hostile_template_the_next_run_works():
    stopped(INVOICES[:1], 2, invoice_html_j2=page(IN_C))
    with ProcessPoolExecutor(2, initializer=limit_this_process) as executor:
        found = dict(render(map(task, INVOICES), design(), executor))
    assert all(content.startswith(b"%PDF") for content in found.values())
    assert len(found) == 3


def imports() -> None:
    """Load what a worker loads for its first document, whose time that would be."""
    import_module("reportgen.documents.pdf.pdf")


@pytest.mark.heavy
def test_every_document_has_time_of_its_own():
    texts = {
        "invoice_html_j2": page(
            "{% for a in range(50) %}{% for b in range(20000) %}{% endfor %}{% endfor %}"
        )
    }
    with workers() as executor:
        executor.submit(imports).result()
        while executor.submit(time.process_time).result() <= 2 * SECONDS:
            assert dict(render([task("R-1.pdf")], design(**texts), executor))


# The limits are a worker's


class Here(Executor):
    """Run everything at once, in this process."""

    def submit(self, call, /, *values, **named):
        with ThreadPoolExecutor(1) as executor:
            future = executor.submit(call, *values, **named)
            future.exception()
            return future


def limits():
    return [getrlimit(what)[0] for what in (RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU)], getsignal(SIGPROF)


@pytest.mark.heavy
def test_whoever_renders_in_his_own_process_is_not_limited():
    before = limits()
    assert dict(render([task("R-1.pdf")], design(), Here()))
    assert limits() == before
    assert getsignal(SIGPROF) is SIG_DFL


@pytest.mark.heavy
def test_a_worker_is_limited_in_memory_above_what_it_began_with():
    with ProcessPoolExecutor(1, initializer=limit_this_process) as executor:
        list(render([task("R-1.pdf")], design(), executor))
        (memory, core, seconds), _ = executor.submit(limits).result()
    assert core == 0
    assert 2 << 30 < memory < 8 << 30
    assert seconds not in {0, RLIM_INFINITY}
