"""What stands in a configuration as `init` wrote it, and documents print as if it were meant."""

from collections.abc import Iterator

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.schema import ChargebackFile, RatesFile
from reportgen.sources.config.yamldoc import YamlDocument

ENTERPRISE = "Your Enterprise"
CONTRACT = "none set yet, every ACU is charged at 1.00"
"""As in configs/start."""


def unset_enterprise(settings: ChargebackFile, document: YamlDocument) -> Iterator[Problem]:
    """Warn of the name that nobody has."""
    if settings.enterprise == ENTERPRISE:
        yield _unset("enterprise", ENTERPRISE, "write the name of yours", document)


def unset_contract(file: RatesFile, document: YamlDocument) -> Iterator[Problem]:
    """Warn of what is said of prices, whatever they are by now."""
    if file.contract == CONTRACT:
        hint = "set the prices, and name your order form here"
        yield _unset("contract", CONTRACT, hint, document)


def _unset(key: str, value: str, hint: str, document: YamlDocument) -> Problem:
    return Problem(
        source=document.line(key),
        message=f"`{key}` is still {quoted(value)}, and every document prints it",
        hint=hint,
        warning=True,
        code="setting-unset",
    )
