"""The clock of this machine beside that of the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from reportgen.commands.doctor.finding import Finding, fine, untried, wrong

CLOCK = "clock"
MOST_OFF = timedelta(minutes=2)
"""An answer is a while on its way; what is stamped wrong by more is wrong in the evidence."""
HINT = "set it (timedatectl set-ntp true): it says which cycle is over, and dates the evidence"


class Clock:
    """Hears the time that the API says with its answers, and compares the first with our own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Compare with this clock."""
        self._now = now
        self._ahead: timedelta | None = None

    def hear(self, headers: httpx.Headers) -> None:
        """Take the time of an answer that has just come."""
        try:
            told = parsedate_to_datetime(headers.get("Date", ""))
        except (TypeError, ValueError, IndexError, OverflowError):
            return
        told = told.replace(tzinfo=told.tzinfo or UTC)
        self._ahead = self._now() - told if self._ahead is None else self._ahead

    def finding(self) -> Finding:
        """Say how far our clock is off."""
        here = f"{self._now():%Y-%m-%d %H:%M} UTC"
        if self._ahead is None:
            return untried(CLOCK, f"{here}; the API says no time to compare it with")
        off, side = abs(self._ahead), "ahead of" if self._ahead > timedelta() else "behind"
        if off > MOST_OFF:
            message = f"the clock of this machine, {here}, is {_said(off)} {side} the API's"
            return wrong(CLOCK, message, HINT)
        return fine(CLOCK, f"{here}, as the API's")


def _said(off: timedelta) -> str:
    """Write a duration in the unit that tells it best."""
    minutes = round(off.total_seconds() / 60)
    for unit, length in (("days", 60 * 48), ("hours", 60 * 3)):
        if minutes >= length:
            return f"{minutes // (60 * 24 if unit == 'days' else 60)} {unit}"
    return f"{minutes} minutes"
