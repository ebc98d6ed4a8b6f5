"""How many requests may be on their way: fewer after a 429, more again where it has been calm.

An answer tells of the pace at which its request was sent. So those that were on their way when the
pace was slowed say nothing about the slower one: of a burst of 429s the first counts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter

CALM = 10
"""Answers after which one more may ask. Where that is too many, one request is sent again."""


class Pace:
    """How many may ask at a time: half as many after a 429, one more after a calm stretch."""

    def __init__(self, most: int) -> None:
        """Let so many ask."""
        self._most = self._limit = most
        self._room = CapacityLimiter(most)
        self._slowed = self._calm = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait until one more may ask; gives how often the pace had been slowed by then."""
        async with self._room:
            yield self._slowed

    def slow_down(self, sent: int) -> None:
        """Halve the limit after a 429, before its turn ends; `sent` is what `turn` gave."""
        if sent == self._slowed:
            self._slowed += 1
            self._allow(max(1, self._limit // 2))

    def speed_up(self, sent: int) -> None:
        """Let one more ask after ten answers; `sent` is what `turn` gave."""
        self._calm += sent == self._slowed
        if self._calm >= CALM and self._limit < self._most:
            self._allow(self._limit + 1)

    def _allow(self, limit: int) -> None:
        self._limit = self._room.total_tokens = limit
        self._calm = 0
