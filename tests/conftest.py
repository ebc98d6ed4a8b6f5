"""Settings of all tests."""

from hypothesis import settings

# The same examples on every machine and in every run, and no test that depends on the speed of the machine.
settings.register_profile("reportgen", derandomize=True, deadline=None)
settings.load_profile("reportgen")
