"""Filter and order of the page's lists in Chromium, under the policy that the page carries."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

from reportgen.core.model import Moved, Statement
from tests.documents import grove
from tests.documents.test_index_browser import dom, drawn, served

pytestmark = pytest.mark.heavy

PROBE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Probe</title>
<pre id="said"></pre><iframe id="frame" src="/index.html" style="width: 1280px"></iframe><script>
const frame = document.getElementById("frame");
frame.onload = () => {
  const page = frame.contentDocument, view = frame.contentWindow, said = {};
  const table = page.querySelector('table[aria-labelledby="cost-centers"]');
  const tools = table.previousElementSibling;
  const [search, choice] = tools.querySelectorAll("input, select");
  const shown = () => [...table.querySelectorAll("tbody tr")].filter(row => row.offsetParent)
    .map(row => row.querySelector(".muted").textContent.split(" ")[0]);
  const find = text => { search.value = text; search.dispatchEvent(new view.Event("input")); };
  const order = place => { choice.value = place; choice.dispatchEvent(new view.Event("change")); };
  const head = place => table.tHead.rows[0].cells[place];
  said.listed = shown();
  order(1); said.amount = shown(); said.sort = head(1).getAttribute("aria-sort");
  head(1).querySelector("button").click(); said.reversed = shown();
  said.reversedSort = head(1).getAttribute("aria-sort");
  order(0); said.name = shown();
  find("sales c-1"); said.found = shown(); said.count = tools.querySelector("[role]").textContent;
  find("nobody at all"); said.none = shown();
  search.dispatchEvent(new view.KeyboardEvent("keydown", {key: "Escape"}));
  order(-1); said.again = shown();
  search.focus(); said.focus = view.getComputedStyle(search).outlineStyle;
  said.named = [...tools.querySelectorAll("label")].map(one => one.control !== null);
  const foreign = page.createElement("script");
  foreign.textContent = "document.title = 'Foreign'";
  page.body.append(foreign); said.title = page.title;
  document.getElementById("said").textContent = JSON.stringify(said);
};
</script></html>"""
FOLDED = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Probe</title>
<pre id="said"></pre><iframe id="frame" src="/index.html" style="width: WIDTHpx"></iframe><script>
const frame = document.getElementById("frame");
frame.onload = () => {
  const page = frame.contentDocument, view = frame.contentWindow, said = {};
  const table = page.querySelector('table[aria-labelledby="arrived"]');
  const box = page.getElementById("arrived-all"), label = page.querySelector("label.unfold");
  const [search, choice] = table.previousElementSibling.querySelectorAll("input, select");
  const rows = [...table.querySelectorAll("tbody tr")];
  const shown = () => rows.filter(row => row.offsetParent).length;
  const rest = () => table.querySelector(".rest").offsetParent !== null;
  said.folded = [shown(), rest()];
  label.click(); said.unfolded = [shown(), rest()];
  label.click(); said.again = [shown(), rest()];
  said.touch = [box.getBoundingClientRect().height, label.getBoundingClientRect().height];
  box.focus(); said.focus = view.getComputedStyle(box).outlineStyle;
  said.named = box.labels[0].textContent;
  const find = text => { search.value = text; search.dispatchEvent(new view.Event("input")); };
  find("u|02"); said.found = [shown(), rest()]; find("");
  label.click(); choice.value = 1; choice.dispatchEvent(new view.Event("change"));
  said.sorted = [shown(), rest()];
  document.getElementById("said").textContent = JSON.stringify(said);
};
</script></html>"""
DEPARTMENTS = ("Sales", "Lab", "Sales")


def many() -> Statement:
    """Give 30 cost centers in two departments, whose amounts sort otherwise as text."""
    statement = grove.derived().statement
    one, variance = statement.invoices[0], statement.variance
    change = variance.by_cost_center["R-1"]
    invoices = tuple(
        replace(
            one,
            number=f"N-{place}",
            amount=Decimal((place * 7919) % 3001),
            cost_center=replace(
                one.cost_center,
                code=f"C-{place}",
                name=f"Center {chr(65 + place % 26)}{place:02}",
                department=DEPARTMENTS[place % 3],
            ),
        )
        for place in range(30)
    )
    changes = {made.cost_center.code: change for made in invoices}
    return replace(
        statement,
        invoices=invoices,
        run_rate=None,
        variance=replace(variance, by_cost_center=changes),
    )


def newcomers() -> Statement:
    """Give a cycle in which thirty people are new."""
    statement = grove.derived().statement
    people = tuple(
        Moved("user", f"u|{n:02}", (), "S-2", ("mapping.yaml:9",), Decimal(n), Decimal(2 * n))
        for n in range(1, 31)
    )
    return replace(statement, variance=replace(statement.variance, arrived=people))


def said(page: bytes, profile: Path, probe: str = PROBE) -> dict:
    with served({"/probe.html": probe.encode(), "/index.html": page}) as site:
        printed = dom(f"{site.address}/probe.html", profile)
    (found,) = re.findall(r'<pre id="said">(.*?)</pre>', printed, re.DOTALL)
    return json.loads(unescape(found))


@pytest.mark.parametrize("locale", ["en", "de"])
def test_lists_are_filtered_and_sorted_without_a_server(locale, tmp_path):
    statement = many()
    found = said(drawn(statement, replace(grove.design(), locale=locale)), tmp_path)
    amounts = {made.cost_center.code: made.amount for made in statement.invoices}
    names = {made.cost_center.code: made.cost_center.name for made in statement.invoices}
    largest = sorted(amounts, key=amounts.__getitem__, reverse=True)
    assert found["amount"] == largest
    assert found["reversed"] == largest[::-1]
    assert (found["sort"], found["reversedSort"]) == ("descending", "ascending")
    assert found["name"] == sorted(names, key=names.__getitem__)
    wanted = {
        code
        for code in names
        if DEPARTMENTS[int(code[2:]) % 3] == "Sales" and code.startswith("C-1")
    }
    assert set(found["found"]) == wanted
    assert found["count"] == f"{len(wanted)} / 30"
    assert found["none"] == []
    assert found["again"] == found["listed"]
    assert len(found["listed"]) == 30 + 2  # with the heads of the departments
    assert found["focus"] == "solid"
    assert found["named"] == [True, True]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_long_list_is_unfolded_by_a_click_a_search_and_an_order(width, tmp_path):
    page = drawn(newcomers(), grove.design())
    found = said(page, tmp_path, FOLDED.replace("WIDTH", str(width)))
    folded, unfolded = [25, True], [30, False]
    assert (found["folded"], found["unfolded"], found["again"]) == (folded, unfolded, folded)
    assert found["found"] == [1, False]
    assert found["sorted"] == unfolded
    assert min(found["touch"]) >= 20
    assert (found["focus"], found["named"]) == ("solid", "Show all 30")


def test_the_policy_lets_no_other_script_run(tmp_path):
    assert said(drawn(many(), grove.design()), tmp_path)["title"] != "Foreign"
