"""What is open on a value: the same in every run, on every machine; all else is closed."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from jinja2.filters import Markup

from reportgen.core.cycle import cycle_between
from reportgen.documents.templating.kinds import MisuseError
from reportgen.documents.templating.openings import OPEN, written_by
from reportgen.documents.templating.templates import environment
from tests.documents.templating.reference import reached_hints

DAY = date(2025, 12, 5)
CLOCKS = ("today", "now", "utcnow", "fromtimestamp", "utcfromtimestamp")
WORLDLY = (
    *(*CLOCKS, "fromordinal", "fromisoformat", "fromisocalendar", "strptime", "combine"),
    *("astimezone", "timestamp", "ctime", "timetuple", "utctimetuple", "min", "max", "tzinfo"),
)
VALUES = {
    "day": DAY,
    "time": datetime(2025, 12, 5, 9, 30),  # noqa: DTZ001 - as documents have them
    "text": "text",
    "markup": Markup("text"),
    "number": Decimal("1.5"),
    "whole": 3,
    "inexact": 0.5,
    "yes": True,
    "span": timedelta(1),
    "listed": [1],
    "pair": (1, 2),
    "table": {"a": 1},
    "fixed": MappingProxyType({"a": 1}),
}


def written(template: str, **values: object) -> str:
    return environment({"t": template}, "en").get_template("t").render({**VALUES, **values})


def refused(template: str, **values: object) -> str:
    with pytest.raises(Exception) as caught:
        written(template, **values)
    return str(caught.value)


@pytest.mark.parametrize("name", WORLDLY)
@pytest.mark.parametrize("value", ["day", "time"])
@pytest.mark.parametrize("way", ["{{ %s.%s() }}", "{{ %s['%s'] }}", "{{ (%s|attr('%s'))() }}"])
def test_a_day_has_its_figures_and_no_clock(value, name, way):
    if hasattr(VALUES[value], name):
        assert f'"{name}" of ' in (said := refused(way % (value, name)))
        assert "is closed to templates: " in said
    if name in CLOCKS and hasattr(VALUES[value], name):
        assert "no document reads a clock" in said


@pytest.mark.heavy
def test_whatever_is_not_listed_is_closed():
    for name, value in VALUES.items():
        listed = next(OPEN[base] for base in type(value).__mro__ if base in OPEN)
        for attribute in {word for word in dir(value) if word != "format"} - listed:
            assert "closed to templates" in refused(f"{{{{ {name}['{attribute}']() }}}}")
        for attribute in listed:
            written(f"{{% set x = {name}.{attribute} %}}")


def test_what_templates_ask_of_values_is_open():
    assert written("{{ day.year }}-{{ day.month }}-{{ day.day }} {{ day.isoformat() }}") == (
        "2025-12-5 2025-12-05"
    )
    assert written("{{ day.isocalendar().week }} {{ day.isoweekday() }}") == "49 5"
    assert written("{{ text.upper() ~ text.replace('t', 'n') }}") == "TEXTnexn"
    assert written("{% for key, value in table.items() %}{{ key }}{{ value }}{% endfor %}") == "a1"
    assert written("{% set ns = namespace(n=1) %}{% set ns.n = 2 %}{{ ns.n }}") == "2"
    assert written("{% for x in [1, 2] %}{{ loop.index }}{{ loop.last }}{% endfor %}") == (
        "1False2True"
    )
    grouped = "{% for one in [{'a': 1}]|groupby('a') %}{{ one.grouper }}{{ one.list|length }}"
    assert written(grouped + "{% endfor %}") == "11"
    assert written("{{ {'today': 1}.today }}") == "1"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ (table.keys() - ['b']) | list }}", "a set has no order"),
        ("{{ (table.items() - []) | list }}", "a set has no order"),
        ("{{ [several][0] | join }}", "a set has no order"),
        ("{% block a %}{{ self.a ~ '' }}{% endblock %}", "a block is called with parentheses"),
        ("{% block a %}{{ '%s' % self.a }}{% endblock %}", "a block is called with parentheses"),
        ("{% extends 'b' %}{% block a %}{{ super ~ '' }}{% endblock %}", "a block is called"),
        ("{{ text.encode() }}", '"encode" of a text is closed to templates'),
        ("{{ number.sqrt() }}", '"sqrt" of a number is closed to templates'),
        ("{{ listed.copy() }}", '"copy" of a list is closed to templates'),
        ("{{ dict.fromkeys('a') }}", '"fromkeys" of a method is closed to templates'),
    ],
)
def test_what_differs_between_runs_cannot_be_had(template, said):
    texts = {"t": template, "b": "{% block a %}{% endblock %}"}
    with pytest.raises(Exception) as caught:
        environment(texts, "en").get_template("t").render(VALUES, several={"a", "b"})
    assert said in str(caught.value)


def test_blocks_over_each_other_are_called_as_ever():
    texts = {
        "t": "{% extends 'm' %}{% block a %}t{{ super() }}{{ super.super() }}{% endblock %}",
        "m": "{% extends 'b' %}{% block a %}m{{ super() }}{% endblock %}",
        "b": "{% block a %}b{% endblock %}{{ self.a() }}",
    }
    assert environment(texts, "en").get_template("t").render() == "tmbbtmbb"


def test_what_a_method_gives_one_by_one_is_a_list():
    cycle = cycle_between(1764921600, 1765008000)
    assert written("{{ cycle.days() | length }}{{ cycle.days() ~ '' }}", cycle=cycle) == (
        "1[datetime.date(2025, 12, 5)]"
    )


@pytest.mark.heavy
def test_no_field_of_a_document_is_without_order():
    for found, name, hint in reached_hints():
        assert "set[" not in str(hint), f"{found.__name__}.{name}"


@pytest.mark.parametrize("code", "YymdjGVuFBbAa%")
def test_strftime_writes_what_the_c_library_writes_in_english(code):
    for day in (DAY, date(2026, 1, 1), date(2024, 2, 29), date(2023, 10, 30)):
        assert written_by(day, f"%{code}") == day.strftime(f"%{code}")


@pytest.mark.parametrize("code", ["%c", "%x", "%X", "%s", "%Z", "%p", "%Ey", "%", "%-c"])
def test_what_differs_between_machines_is_refused_with_what_to_write(code):
    with pytest.raises(MisuseError, match="differs between machines: use %Y"):
        written_by(DAY, f"1 {code}")
