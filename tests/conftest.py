"""Settings of all tests."""

from hypothesis import settings

# The same examples on every machine and in every run, and no test that depends on the speed of the machine.
settings.register_profile("reportgen", derandomize=True, deadline=None)
settings.load_profile("reportgen")


def pytest_addoption(parser):
    """Let golden files be written anew: what they say is then read in the diff."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew from what is found")
