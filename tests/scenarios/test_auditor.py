"""What docs/auditor.md says is typed, in its order; what is printed is what stands there."""

import pytest

from tests.scenarios.job import ROOT
from tests.scenarios.walk import dialogue, held

PAGE = "docs/auditor.md"


@pytest.mark.heavy
def test_the_commands_print_what_the_page_says(tmp_path):
    """In a folder that has what the page takes from a checkout."""
    for name in ("configs", "samples"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert len(dialogue(PAGE)) > 15
    held(PAGE, tmp_path)
