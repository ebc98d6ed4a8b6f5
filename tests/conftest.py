"""Settings of all tests."""

import sys
from importlib.util import find_spec

from hypothesis import settings

# httpcore looks for this package at every lock it makes. Where it is not installed, one look is
# enough.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None

# The same examples on every machine and in every run, and no test that depends on the speed of the
# machine.
settings.register_profile("reportgen", derandomize=True, deadline=None)
settings.load_profile("reportgen")


def pytest_addoption(parser):
    """Let golden files be written anew: what they say is then read in the diff."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew from what is found",
    )
