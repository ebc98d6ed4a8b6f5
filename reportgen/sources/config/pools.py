"""`pools` of mapping.yaml: cost centers whose charges others share, in stages without loops."""

from collections.abc import Iterator
from functools import partial
from graphlib import CycleError, TopologicalSorter

from reportgen.core.model import Pool
from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.schema import MappingFile
from reportgen.sources.config.shares import read_shares, undeclared
from reportgen.sources.config.yamldoc import YamlDocument


def read_pools(file: MappingFile, source: YamlDocument) -> tuple[tuple[Pool, ...], list[Problem]]:
    """Give the pools in the order of their codes, and every problem with file:line."""
    pools: list[Pool] = []
    problems: list[Problem] = []
    for code in sorted(file.pools):
        pool, mistakes = _pool(code, file, source)
        pools.append(pool)
        problems += mistakes
    return tuple(pools), [*problems, *_undeclared(pools, file, source), *_loops(pools, source)]


def _pool(code: str, file: MappingFile, source: YamlDocument) -> tuple[Pool, list[Problem]]:
    line = partial(source.line, "pools", code)
    match file.pools[code]:
        case "proportional" | "even" as basis:
            return Pool(cost_center=code, basis=basis, source=line()), []
        case written:
            split, problems = read_shares(written, code, line)
            return Pool(cost_center=code, basis="shares", split=split, source=line()), problems


def _undeclared(pools: list[Pool], file: MappingFile, source: YamlDocument) -> Iterator[Problem]:
    for pool in pools:
        if pool.cost_center not in file.cost_centers:
            yield undeclared(pool.cost_center, file.cost_centers, pool.source)
        for code in _receivers(pool):
            line = source.line("pools", pool.cost_center, code)
            if code == pool.cost_center:
                message = f"the pool {quoted(code)} shares with itself"
                yield Problem(
                    source=line, message=message, hint="give its share to another cost center"
                )
            elif code not in file.cost_centers:
                yield undeclared(code, file.cost_centers, line)


def _loops(pools: list[Pool], source: YamlDocument) -> Iterator[Problem]:
    """Report every way on which pools share in a circle, once; it takes one share out to end it."""
    codes = {pool.cost_center for pool in pools}
    onward = {
        pool.cost_center: [code for code in _receivers(pool) if code in codes - {pool.cost_center}]
        for pool in pools
    }
    while loop := _loop(onward):
        way = " → ".join([*loop, loop[0]])
        share = f"let {quoted(loop[-1])} share with others than {quoted(loop[0])}"
        yield Problem(
            source=source.line("pools", loop[-1], loop[0]),
            message=f"the pools share in a loop: {way}",
            hint=f"{share}, or end the loop elsewhere",
        )
        onward[loop[-1]].remove(loop[0])


def _loop(onward: dict[str, list[str]]) -> list[str]:
    """Give a loop, each pool before one it shares with, the lowest code first; else nothing."""
    try:
        TopologicalSorter(onward).prepare()
    except CycleError as error:
        loop = error.args[1][:0:-1]
        first = loop.index(min(loop))
        return [*loop[first:], *loop[:first]]
    return []


def _receivers(pool: Pool) -> list[str]:
    """Give the cost centers that a pool's own shares name."""
    return [share.cost_center for share in pool.split.shares] if pool.split else []
