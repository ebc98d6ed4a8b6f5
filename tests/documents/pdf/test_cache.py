"""Where fontconfig keeps its cache, whatever the place is that the environment names."""

import pytest

from reportgen.documents.pdf import fontconfig


@pytest.mark.parametrize("place", ["/" + "x" * 300, "/dev/null/caches", "/nowhere/at/all"])
def test_a_place_that_cannot_be_looked_at_is_no_error(monkeypatch, place):
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    before = fontconfig.looking_at()
    with fontconfig.fonts_of({}):
        pass
    assert fontconfig.looking_at() == before
