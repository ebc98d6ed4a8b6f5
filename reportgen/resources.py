"""Where templates, configurations and samples lie: in the checkout, or in the installed package.

A checkout has them beside the package; a wheel carries the same folders in `reportgen/share`
(pyproject.toml). In both they lie alike, so that `../../samples` in the example configuration holds
wherever it is read.
"""

from functools import cache
from pathlib import Path


def templates() -> Path:
    """Return the folder of the built-in document templates."""
    return _root() / "templates"


def audit() -> Path:
    """Return the folder of what comes with an auditor's pack."""
    return templates() / "audit"


def configs() -> Path:
    """Return the folder of the configurations that come with the program (`example`)."""
    return _root() / "configs"


def samples() -> Path:
    """Return the folder of the recorded cycles that come with the program."""
    return _root() / "samples"


@cache
def _root() -> Path:
    package = Path(__file__).resolve().parent
    checkout, share = package.parent, package / "share"
    if (checkout / "pyproject.toml").is_file() and (checkout / "templates").is_dir():
        return checkout
    if (share / "templates").is_dir():
        return share
    places = f"neither in {checkout} nor in {share}"
    raise FileNotFoundError(f"the templates of reportgen are {places}: install the package again")
