"""Parts of documents where they end: no font, no width, too many columns, texts beyond a cell."""

from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import Element, SubElement

import pytest

from reportgen.core.problem import Rejected
from reportgen.documents.content.mark import mark_of
from reportgen.documents.exports import spreadsheet
from reportgen.documents.pdf import culprit, figures, fontconfig, kept_fonts
from reportgen.documents.templating import catalog
from reportgen.documents.templating.errors import _refused
from reportgen.documents.xlsx import rows, styles, tables
from reportgen.documents.xlsx.dialect import WorkbookError, text_of


def test_a_set_has_a_mark_whatever_its_order():
    assert mark_of(frozenset("abc")) == mark_of(frozenset("cba")) != mark_of(frozenset("ab"))


def test_a_correction_lists_nothing_without_a_rule():
    assert list(spreadsheet._unallocated(SimpleNamespace(notes=object()))) == []


def test_figures_keep_their_size_where_there_is_no_room():
    assert figures._fitting("1.00", 0, 18) == 18


def test_what_fails_without_any_of_it_is_nobodys_line(monkeypatch):
    monkeypatch.setattr(culprit, "_first", lambda *_: None)
    assert culprit.style_of_page("<html><body/></html>") == ""


def test_without_a_home_nothing_is_kept(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert fontconfig._keeps_a_cache() is False


def test_our_own_list_of_fonts_has_what_it_accepts(monkeypatch, tmp_path):
    (tmp_path / "fonts.conf").write_text("<fontconfig/>", encoding="utf-8")
    monkeypatch.setattr(kept_fonts, "FONTS_CONF", tmp_path / "fonts.conf")
    with pytest.raises(ValueError, match=r"fonts\.conf"):
        kept_fonts.configured(tmp_path, [], tmp_path)


def test_a_catalog_that_is_none_is_named(monkeypatch):
    def fail(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(catalog, "_faults", fail)
    with pytest.raises(Rejected, match="is not a catalog of words; check it with `msgfmt -c`"):
        catalog.check_catalog(Path("de.po"), "")


def test_what_python_refuses_otherwise_cannot_be_worked_out():
    assert _refused(TypeError("odd")) == "this cannot be worked out"
    assert "more or fewer values" in _refused(ValueError("too many values to unpack"))


def test_what_is_not_there_has_no_text():
    assert text_of(None) == ""


def test_a_text_is_cut_where_a_cell_ends():
    half = "x" * (rows._TEXT_UNITS // 2 + 1)
    assert rows._cut(half) == half
    assert rows._cut(half * 3).endswith("…")


def test_a_border_may_be_none():
    assert styles._line("none") == ""


def test_a_sheet_has_an_end():
    table = Element("table")
    listed = SubElement(table, "colgroup")
    for _ in range(tables.COLUMNS + 1):
        SubElement(listed, "col")
    with pytest.raises(WorkbookError, match=f"more than {tables.COLUMNS} columns"):
        tables._sheet(table)
