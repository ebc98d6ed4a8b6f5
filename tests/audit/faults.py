"""Faults to be planted in the core, one at a time: each breaks one law."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from reportgen.core.allocating import allocate, match, usage
from reportgen.core.charging import fees, pools, rate
from reportgen.core.money import ZERO, multiply, round_half_up, round_to_total, total


def equal_remainders_go_to_the_last_code(exact: Any, target: Any, decimals: int) -> Any:
    return round_to_total(exact[::-1], target, decimals)[::-1]


def every_line_is_rounded_by_itself(exact: Any, _target: Any, decimals: int) -> Any:
    return [round_half_up(amount, decimals) for amount in exact]


def somebodys_residual_is_dropped(*views: Any, residuals: Any = usage._residuals) -> Any:
    leaves, users, organizations = residuals(*views)
    return leaves, dict(list(users.items())[1:]), organizations


def a_missing_view_is_zero(residuals: Any, *_: Any) -> Any:
    return dict(residuals)


def sessions_are_not_split_off(*_: Any) -> Iterator[Any]:
    return iter(())


def what_is_unspecified_is_dropped(_acus: Any, products: Any, _tolerance: Any) -> Any:
    return dict(products), ZERO


def the_tolerance_is_nothing(*views: Any, decompose: Any = usage.decompose, **how: Any) -> Any:
    return decompose(*views, **(how | {"tolerance": ZERO}))


def the_last_day_is_the_end(cycle: Any, day: Any) -> bool:
    return cycle.start <= day <= cycle.end


def the_address_beats_the_id(
    matcher: Any, user: str, exact: Any = match.Matcher._exact
) -> list[Any]:
    return exact(matcher, user)[::-1]


def none_leads_to_the_next_rule(levels: Any, day: Any) -> Any:
    for _, rules in levels:
        for value in (allocate.value_on(rule, day) for rule in rules):
            if value and value.split:
                return allocate.Choice(kind="usage", split=value.split, rule=value.source)
    return None


def a_row_that_has_ended_leads_to_the_next_level(
    rule: Any, day: Any, written_on: Any = allocate._written_on
) -> Any:
    return written_on(rule, day)


def the_latest_price_is_that_of_every_day(prices: Any, _day: Any) -> Any:
    return prices[-1] if prices else None


def all_acus_cost_what_the_last_does(volume: Any, tiers: Iterable[Any]) -> Any:
    reached = next(tier for tier in tiers if tier.up_to is None or volume <= tier.up_to)
    return multiply(volume, reached.unit_price)


def every_product_weighs_alike(
    card: Any, control: Any, start: Any, whole_cycle: Any = rate.whole_cycle
) -> Any:
    whole, problems = whole_cycle(card, control, start)
    alike = whole and replace(whole, weights={}, weight=total(control.values()))
    return alike, problems


def a_percentage_is_of_everything(lines: Any) -> list[Any]:
    return list(lines)


def transfers_of_every_cycle_are_made(
    transfers: Any, start: Any, decimals: int, made: Any = fees.transfer_lines
) -> Any:
    return made([replace(one, cycle=start) for one in transfers], start, decimals)


def a_pool_is_shared_by_all_charges(
    pool: Any, mapping: Any, charged: Any, receivers: Any = pools._receivers
) -> Any:
    alike = {
        code: [replace(line, kind="usage") for line in lines] for code, lines in charged.items()
    }
    return receivers(pool, mapping, alike)


FAULTS: dict[Callable[..., Any], str] = {
    equal_remainders_go_to_the_last_code: "core.charging.invoice.round_to_total",
    every_line_is_rounded_by_itself: "core.charging.invoice.round_to_total",
    somebodys_residual_is_dropped: "core.allocating.usage._residuals",
    a_missing_view_is_zero: "core.allocating.usage._undisputed",
    sessions_are_not_split_off: "core.allocating.usage._known_sessions",
    what_is_unspecified_is_dropped: "sources.api.views.products_of_day",
    the_tolerance_is_nothing: "derive.decompose",
    the_last_day_is_the_end: "core.cycle.BillingCycle.__contains__",
    the_address_beats_the_id: "core.allocating.match.Matcher._exact",
    none_leads_to_the_next_rule: "core.allocating.allocate._choose",
    a_row_that_has_ended_leads_to_the_next_level: "core.allocating.allocate.value_on",
    the_latest_price_is_that_of_every_day: "core.charging.rate._in_force",
    all_acus_cost_what_the_last_does: "core.charging.rate._graduated",
    every_product_weighs_alike: "derive.whole_cycle",
    a_percentage_is_of_everything: "core.charging.fees._usage",
    transfers_of_every_cycle_are_made: "core.charging.charges.transfer_lines",
    a_pool_is_shared_by_all_charges: "core.charging.pools._receivers",
}
"""Each fault with the place in the package that it takes."""
