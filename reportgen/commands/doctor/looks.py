"""Looks at several parts side by side, none of which can keep a command waiting."""

from collections.abc import Iterable, Mapping
from threading import Thread
from time import monotonic

from reportgen.commands.doctor.finding import Finding, wrong

HINT = "check the way there: name server, proxy, firewall, a disk of the network"


class Look(Thread):
    """Takes findings as they come; what it waits for in vain ends with the program."""

    def __init__(self, part: str, findings: Iterable[Finding]) -> None:
        """Begin to look at a part."""
        super().__init__(daemon=True)
        self._part, self._findings = part, findings
        self._seen: list[Finding] = []
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Look."""
        try:
            self._seen.extend(self._findings)
        except Exception as error:  # noqa: BLE001 - told by whoever waits
            self._error = error

    def seen(self, until: float, waited: float) -> list[Finding]:
        """Give what was seen by a time, and say so where it was not the end."""
        self.join(max(0.0, until - monotonic()))
        if self._error:
            raise self._error
        if not self.is_alive():
            return self._seen
        late = wrong(self._part, f"nothing more was heard within {waited:g} seconds", HINT)
        return [*self._seen, late]


def side_by_side(
    looks: Mapping[str, Iterable[Finding]], meanwhile: Iterable[Finding], seconds: float
) -> list[Finding]:
    """Look at all parts at once; `meanwhile` is looked at here, and waited for."""
    until = monotonic() + seconds
    begun = [Look(part, findings) for part, findings in looks.items()]
    return [*meanwhile, *(one for look in begun for one in look.seen(until, seconds))]
