"""What a command needs of the world outside: the clock, the environment, the terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from reportgen.core.cycle import BillingCycle, UnknownCycle, day_of_instant, resolve
from reportgen.core.text import quoted
from reportgen.terminal import Terminal

DONE, PROBLEMS, USAGE, NOT_TIED_OUT, UNREACHABLE = range(5)
"""Exit codes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Handed to every command by the command line, its only reader of clock and environment."""

    now: Callable[[], datetime]
    environment: Mapping[str, str]
    terminal: Terminal

    def today(self) -> date:
        """Name the running billing day."""
        return day_of_instant(self.now())


class NoSuchCycle(Exception):  # noqa: N818 - a choice that names no cycle, told to the user
    """A `--cycle` that names no cycle, or two."""

    def __init__(self, found: UnknownCycle) -> None:
        """Say which cycles there are."""
        names = ", ".join(str(cycle.start) for cycle in found.candidates or found.known) or "none"
        if found.candidates:
            count = len(found.candidates)
            message = f"--cycle {quoted(found.selector)} names {count} billing cycles: {names}; give the start date"
        else:
            message = f"--cycle {quoted(found.selector)} names no billing cycle; known are: {names}"
        super().__init__(message)


def choose_cycle(selector: str, cycles: list[BillingCycle], context: Context) -> BillingCycle:
    """Resolve `--cycle` and say the range it means, or raise NoSuchCycle."""
    found = resolve(selector, cycles, context.today())
    if isinstance(found, UnknownCycle):
        raise NoSuchCycle(found)
    context.terminal.say(f"Billing cycle {found.start} to {found.end} (the end is not part of it)")
    return found
