"""What `send` was asked to do, and the letters that this is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.archive.folder import MANIFEST, cycle_folder
from reportgen.archive.manifest import Sealed
from reportgen.archive.outbox import outbox_of
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import CostCenter
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import did_you_mean, quoted
from reportgen.operations.context import Context, WrongUsage
from reportgen.operations.mail.letters import Letter
from reportgen.operations.mail.mailing import Addressed, addressed
from reportgen.operations.sealed.handing_out import refuse_open
from reportgen.sources.config.configuration import Configuration

CORRECTION = ".c"
"""Stands behind the name of a cycle in that of its corrections."""
CHOSEN_BY = {"only": "--only", "resend": "--resend"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for on the command line; `only`, `resend`, `settle` are cost centers."""

    check: bool = False
    status: bool = False
    dry_run: bool = False
    preliminary: bool = False
    to: str | None = None
    only: tuple[str, ...] = ()
    resend: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()

    @property
    def names_some(self) -> bool:
        """Tell whether it is about some cost centers alone."""
        return bool(self.only or self.resend or self.settle)


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """Letters of a cycle, and what is to be done with them."""

    configuration: Configuration
    context: Context
    cycle: BillingCycle
    wish: Wish
    letters: Sequence[Letter]

    @property
    def outbox(self) -> Path:
        """The file that says what was sent."""
        return outbox_of(self.configuration.archive, self.cycle)

    @property
    def addressed(self) -> list[Addressed]:
        """Every letter and whom it goes to, the copies included."""
        email = self.configuration.settings.email
        return addressed(self.letters, email.bcc if email else ())


def closed_links(
    configuration: Configuration, cycle: BillingCycle, chain: Iterable[Sealed]
) -> list[Sealed]:
    """Give the closed folder of a cycle, and those of its corrections; raises Rejected."""
    folder = cycle_folder(configuration.archive, cycle.start)
    refuse_open(folder, "run `reportgen close` first, or send the draft with --preliminary")
    return [link for link in chain if link.folder.name.partition(CORRECTION)[0] == folder.name]


def refuse_closed(configuration: Configuration, cycle: BillingCycle) -> None:
    """Raise Rejected where a draft is to be sent of a cycle that is closed."""
    folder = cycle_folder(configuration.archive, cycle.start)
    if (folder / MANIFEST).exists():
        message = "this billing cycle is closed, so nothing of it is preliminary"
        hint = "leave out --preliminary"
        raise Rejected([Problem(source=str(folder), message=message, hint=hint)])


def chosen(letters: Sequence[Letter], wish: Wish, declared: Sequence[CostCenter]) -> list[Letter]:
    """Keep the letters of the cost centers that were named, or all; raises WrongUsage.

    Who names one that is declared meant that one: nobody else's documents are suggested.
    What is settled may be of a cost center that has none any more: the outbox knows.
    """
    codes = dict.fromkeys(letter.center.code for letter in letters)
    named = {*wish.settle}
    for option, words in CHOSEN_BY.items():
        for code in getattr(wish, option):
            if code not in codes:
                known = code in {center.code for center in declared}
                raise WrongUsage(_unknown(code, words, () if known else list(codes)))
            named.add(code)
    return [letter for letter in letters if not named or letter.center.code in named]


def _unknown(code: str, option: str, codes: Sequence[str]) -> Problem:
    near = did_you_mean(code, codes)
    hint = f"did you mean {quoted(near)}?" if near else "name the code of one that has"
    message = f"cost center {quoted(code)} has no document in this billing cycle"
    return Problem(source=option, message=message, hint=hint)
