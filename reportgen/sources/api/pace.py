"""How many may ask at a time: fewer where the API says that it is too much, more where it has been calm."""

import asyncio
from collections.abc import Collection

from reportgen.sources.api.plan import Request

CALM, PAUSE = 10, 0.05


class Pace:
    """How many workers may ask at a time: half as many after a 429, one more after a calm stretch."""

    def __init__(self, workers: int) -> None:
        """Let all workers ask."""
        self._workers = self._limit = workers
        self._calm = 0
        self._slowed = False

    async def turn(self, number: int, waiting: Collection[Request]) -> bool:
        """Wait until the worker of this number may ask, and tell whether anything is left; the first always may."""
        while waiting and number >= self._limit:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)  # dozens of sleepers, and nobody to wake them
        return bool(waiting)

    def slow_down(self) -> None:
        """Halve the limit; refusals that come back together, before any answer, count once."""
        if not self._slowed:
            self._limit, self._calm, self._slowed = max(1, self._limit // 2), 0, True

    def speed_up(self) -> None:
        """Let one more ask after ten answers to each that may."""
        self._slowed = False
        self._calm += 1
        if self._calm >= CALM * self._limit and self._limit < self._workers:
            self._limit, self._calm = self._limit + 1, 0
