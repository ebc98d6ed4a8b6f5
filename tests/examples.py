"""How many examples a law is tried with: a quarter in the quick tests, all in the heavy ones."""

from hypothesis import settings


def examples(count: int) -> settings:
    """Give settings for so many examples in a hundred of the profile (tests/conftest.py)."""
    return settings(max_examples=count * settings.default.max_examples // 100)
