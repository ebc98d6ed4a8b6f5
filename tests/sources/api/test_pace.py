"""The pace that workers keep together: fewer ask after a 429, one more after every calm stretch."""

import asyncio
from collections import deque

import pytest

from reportgen.sources.api import bodies
from reportgen.sources.api.pace import CALM, Pace
from reportgen.sources.api.plan import Request

WORKERS = 8
ONE = Request(endpoint="/v3/one", shape=bodies.Cycles)


async def asking(pace, workers=WORKERS):
    """Give the workers who may ask without any waiting."""
    turns = [asyncio.create_task(pace.turn(number, [ONE])) for number in range(workers)]
    await asyncio.sleep(0)
    found = [number for number, turn in enumerate(turns) if turn.done()]
    for turn in turns:
        turn.cancel()
    await asyncio.gather(*turns, return_exceptions=True)
    return found


def may_ask(pace, workers=WORKERS):
    """Count them: they are always the first, worker 0 among them."""
    found = asyncio.run(asking(pace, workers))
    assert found == [*range(len(found))]
    assert found
    return len(found)


def calm(pace, answers):
    for _ in range(answers):
        pace.speed_up()


def refused(pace, times):
    """Let so many requests be refused, each after an answer to another one, so that each counts."""
    for _ in range(times):
        pace.speed_up()
        pace.slow_down()


def test_all_may_ask_as_long_as_nothing_is_refused():
    pace = Pace(WORKERS)
    assert may_ask(pace) == 8
    calm(pace, 1000)
    assert may_ask(pace) == 8


@pytest.mark.parametrize(
    ("workers", "limits"),
    [(8, [4, 2, 1, 1]), (7, [3, 1, 1]), (5, [2, 1, 1]), (2, [1, 1]), (1, [1, 1])],
)
def test_a_429_halves_and_the_first_may_always_ask(workers, limits):
    pace, found = Pace(workers), []
    for _ in limits:
        refused(pace, 1)
        found.append(may_ask(pace, workers))
    assert found == limits


def test_the_first_429_counts_before_any_answer_has_come():
    pace = Pace(WORKERS)
    pace.slow_down()
    assert may_ask(pace) == 4


@pytest.mark.parametrize("together", [2, 8, 100])
def test_429s_that_come_back_together_count_once(together):
    pace = Pace(WORKERS)
    calm(pace, 3)
    for _ in range(together):
        pace.slow_down()
    assert may_ask(pace) == 4
    pace.speed_up()
    for _ in range(together):
        pace.slow_down()
    assert may_ask(pace) == 2


def test_one_more_may_ask_after_ten_calm_answers_to_each():
    """Worked by hand: 4 workers need 40 answers, then 5 need 50, then 6 need 60, then 7 need 70."""
    assert CALM == 10
    pace = Pace(WORKERS)
    refused(pace, 1)
    for limit in (4, 5, 6, 7):
        calm(pace, 10 * limit - 1)
        assert may_ask(pace) == limit
        pace.speed_up()
        assert may_ask(pace) == limit + 1
    calm(pace, 1000)
    assert may_ask(pace) == 8


def test_the_calm_begins_anew_after_a_429():
    pace = Pace(WORKERS)
    refused(pace, 1)
    calm(pace, 39)
    pace.slow_down()
    assert may_ask(pace) == 2
    calm(pace, 19)
    assert may_ask(pace) == 2
    pace.speed_up()
    assert may_ask(pace) == 3


def test_one_alone_comes_back_to_all():
    pace = Pace(2)
    refused(pace, 5)
    assert may_ask(pace, 2) == 1
    calm(pace, 10)
    assert may_ask(pace, 2) == 2


def test_nobody_waits_where_nothing_is_left():
    pace = Pace(WORKERS)
    refused(pace, 3)

    async def turns():
        return [await asyncio.wait_for(pace.turn(number, []), 1) for number in range(WORKERS)]

    assert asyncio.run(turns()) == [False] * WORKERS


def test_who_waits_goes_home_when_the_others_have_taken_all():
    pace = Pace(2)
    refused(pace, 1)

    async def work():
        waiting = deque([ONE])
        second = asyncio.create_task(pace.turn(1, waiting))
        await asyncio.sleep(0)
        assert not second.done()
        assert await pace.turn(0, waiting)
        waiting.popleft()
        return await asyncio.wait_for(second, 5)

    assert asyncio.run(work()) is False


def test_who_waits_may_ask_as_soon_as_the_calm_lasts():
    pace = Pace(2)
    refused(pace, 1)

    async def work():
        second = asyncio.create_task(pace.turn(1, [ONE]))
        await asyncio.sleep(0)
        assert not second.done()
        calm(pace, 10)
        return await asyncio.wait_for(second, 5)

    assert asyncio.run(work()) is True


def test_workers_share_an_api_that_stands_three_at_a_time_and_all_is_answered():
    """Every round all that may ask do so at once; whoever is beyond the third is refused, and asks again."""
    pace, answered, most = Pace(WORKERS), 0, []
    while answered < 500:
        number = may_ask(pace)
        most.append(number)
        for turn in range(number):
            if turn < 3:
                answered += 1
                pace.speed_up()
            else:
                pace.slow_down()
    assert most[:2] == [8, 4]
    assert 1 not in most
    assert sum(number > 3 for number in most) < len(most) / 5
