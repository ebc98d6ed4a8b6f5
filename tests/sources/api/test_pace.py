"""The pace that workers keep together: fewer ask after a 429, one more after every calm stretch.

No test waits: whoever may ask does so as soon as the others have been heard.
"""

import asyncio
from collections import deque
from functools import wraps

import pytest

from reportgen.sources.api.pace import CALM, Pace

WORKERS = 8


class Api:
    """More requests than ever may be sent at once; the test answers those that are on their way."""

    def __init__(self, workers=WORKERS):
        self.pace, self.on_the_way = Pace(workers), deque()
        self.tasks = {asyncio.create_task(self._ask()) for _ in range(3 * workers)}

    async def _ask(self):
        while True:
            async with self.pace.turn() as sent:
                self.on_the_way.append(asyncio.get_running_loop().create_future())
                if await self.on_the_way[-1]:
                    self.pace.slow_down(sent)
                else:
                    self.pace.speed_up(sent)

    async def sent(self):
        """Count the requests that are on their way, once all that may ask have asked."""
        for _ in range(10):
            await asyncio.sleep(0)
        return len(self.on_the_way)

    async def answer(self, times, *, refused=False):
        """Answer those that were sent first."""
        for _ in range(times):
            await self.sent()
            self.on_the_way.popleft().set_result(refused)
        await self.sent()

    async def renew(self):
        """Answer all that are on their way: those that follow are sent at the pace of now."""
        await self.answer(await self.sent())


def played(test):
    """Run a test in an event loop."""

    @wraps(test)
    def run(**arguments):
        asyncio.run(test(**arguments))

    return run


@played
async def test_all_may_ask_as_long_as_nothing_is_refused():
    api = Api()
    assert await api.sent() == 8
    await api.answer(1000)
    assert await api.sent() == 8


@pytest.mark.parametrize(
    ("workers", "limits"),
    [(8, [4, 2, 1, 1]), (7, [3, 1, 1]), (5, [2, 1, 1]), (2, [1, 1]), (1, [1, 1])],
)
@played
async def test_a_429_halves_and_one_may_always_ask(workers, limits):
    api, seen = Api(workers), []
    for _ in limits:
        await api.renew()
        await api.answer(1, refused=True)
        await api.renew()
        seen.append(await api.sent())
    assert seen == limits


@pytest.mark.parametrize("burst", ["x", "xx", "xxxxxxxx", "x-x-x-x-", "xx--xx-x", "-------x"])
@played
async def test_429s_to_requests_that_were_on_their_way_together_count_once(burst):
    """Whatever is answered (-) between those that are refused (x)."""
    api = Api()
    for answer in burst:
        await api.answer(1, refused=answer == "x")
    await api.renew()
    assert await api.sent() == 4


@played
async def test_nobody_takes_the_place_of_a_request_that_was_refused():
    """Four of the eight go back until another is sent; of the slower pace, two until one is."""
    api = Api()
    for on_the_way in (7, 6, 5, 4, 4, 4, 4, 4):
        await api.answer(1, refused=True)
        assert await api.sent() == on_the_way
    for on_the_way in (3, 2, 2):
        await api.answer(1, refused=True)
        assert await api.sent() == on_the_way


@played
async def test_one_more_may_ask_after_ten_answers():
    assert CALM == 10
    api = Api()
    await api.answer(8, refused=True)
    for limit in (4, 5, 6, 7):
        await api.answer(9)
        assert await api.sent() == limit
        await api.answer(1)
        assert await api.sent() == limit + 1
    await api.answer(1000)
    assert await api.sent() == 8


@played
async def test_answers_to_requests_of_the_faster_pace_are_no_calm():
    """Seven were on their way beside the one that was refused; ten answers after them count."""
    api = Api()
    await api.answer(1, refused=True)
    await api.answer(7)
    await api.answer(9)
    assert await api.sent() == 4
    await api.answer(1)
    assert await api.sent() == 5


@played
async def test_the_calm_begins_anew_after_a_429():
    api = Api()
    await api.answer(8, refused=True)
    await api.answer(9)
    await api.answer(1, refused=True)
    await api.answer(3)
    await api.answer(9)
    assert await api.sent() == 2
    await api.answer(1)
    assert await api.sent() == 3


@played
async def test_whoever_gives_up_makes_room():
    pace = Pace(1)
    entered = []

    async def ask():
        async with pace.turn():
            entered.append(asyncio.current_task())
            await asyncio.get_running_loop().create_future()

    first, second, third = (asyncio.create_task(ask()) for _ in range(3))
    for given_up in (second, first):
        await asyncio.sleep(0.01)
        assert entered == [first]
        given_up.cancel()
    await asyncio.sleep(0.01)
    assert entered == [first, third]
    third.cancel()


@played
async def test_an_api_that_stands_three_at_a_time_answers_all_and_refuses_few():
    """Whoever comes while three are being answered is refused; the others are answered in turn."""
    api, sent, refused, answered = Api(), [], 0, 0
    while answered < 500:
        sent.append(await api.sent())
        while len(api.on_the_way) > 3:
            api.on_the_way.pop().set_result(True)
            refused += 1
            await api.sent()
        await api.answer(1)
        answered += 1
    assert 1 not in sent
    assert refused < answered / 10
