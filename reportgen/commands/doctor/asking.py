"""Questions to the API, each asked once; what fails is an answer as well."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reportgen.core.problem import Problem
from reportgen.sources.api.client import ApiFailure, Connection, drive
from reportgen.sources.api.plan import Answer, Answers, Plan, Request

CONCURRENCY = 8

Heard = Answer | ApiFailure


def ask(requests: Sequence[Request], connection: Connection) -> list[Heard]:
    """Ask all at once; where one of them fails, or looks like another, each for itself."""
    if len({request.target for request in requests}) == len(requests):
        try:
            answers = asyncio.run(drive(_plan(requests), connection, {}))
            return [answers[request.target] for request in requests]
        except ApiFailure:
            pass
    return asyncio.run(_each(requests, replace(connection, concurrency=1)))


async def _each(requests: Iterable[Request], connection: Connection) -> list[Heard]:
    room = asyncio.Semaphore(CONCURRENCY)

    async def one(request: Request) -> Heard:
        async with room:
            try:
                return (await drive(_plan([request]), connection, {}))[request.target]
            except ApiFailure as failure:
                return failure

    return await asyncio.gather(*map(one, requests))


def _plan(requests: Sequence[Request]) -> Plan[Answers]:
    return (yield requests)


def once(problem: Problem) -> Problem:
    """Say of a question what the client says of one that it asks many times."""
    return replace(
        problem,
        message=problem.message.replace(", at every attempt", ""),
        hint=problem.hint.replace("; what was collected is kept", ""),
    )
