"""Reckon a closed billing cycle a second time, from what its archive holds.

    python3 -I reckon.py [FOLDER]      Python 3.9 or later; nothing has to be installed

FOLDER is a closed cycle: by default, the one beside this file. All is computed, in fractions, from

    inputs/responses.jsonl.gz   what the API answered, as received
    inputs/resolved.json        mapping, rates and settings as they were understood, with file:line
    inputs/directory.json       whoever was ever seen, with e-mail addresses

and compared with statement.json and ledger.csv. What differs is printed: invoice, line, the value
then and the one now. The exit code is 0 where nothing does, 3 where something does, else 2.

This program shares no code with reportgen, which wrote the archive; laws are stated where they are
applied. Budgets, subtotals, comparisons and estimates charge nobody, and are left out.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
from collections import defaultdict, namedtuple
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qsl, unquote

Json = dict[str, Any]
Cell = tuple[str, str]  # a billing day and a product
View = dict[Cell, Fraction]  # ACUs, as an answer of the API tells them
Place = tuple[str, str, str, str]  # organization, kind and id of a principal, session; empty: none
Figures = dict[tuple[str, str, str], Any]  # by document, line and name
NAMED = "code kind name counterpart share exact amount"
Line = namedtuple("Line", f"{NAMED} product price acus", defaults=("", None, 0))
COLUMNS = "day product org_id principal_kind principal_id session_id cost_center kind cause rule"
Part = namedtuple("Part", f"{COLUMNS} share quantity unit_price rate exact_amount")

ALL, ZERO = ("", "", "", ""), Fraction(0)
BORNE = {"usage": "allocated_acus", "unallocated": "unallocated_acus"}
ON_A_LINE = ("acus", "share", "exact_amount", "rounding", "amount")
UNSPECIFIED, DEVIN, UNTIED = "unspecified", "devin", "cascade+terminal"
KINDS = {"users": "user", "service-users": "service_user"}
UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
UNSEEN += "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
UNSEEN += "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"


def answers_in(folder: Path, resolved: Json) -> list[Any]:
    """Read the answers about the cycle: path, organizations asked for, body. The last one counts.

    A refusal (403, 404) is no answer: what it would have told is unknown, never zero.
    """
    answers = {}
    moved = f"^{re.escape(resolved['source']['prefix'])}/"
    bounds = {str(resolved["cycle"][name]) for name in ("after", "before")}
    if resolved["source"]["api"] == "v2":
        days = [datetime.fromtimestamp(int(one), timezone.utc) for one in bounds]
        bounds = {f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in days}
    path = folder / "responses.jsonl.gz"
    with gzip.open(path) if path.exists() else path.with_suffix("").open("rb") as lines:
        for found in map(json.loads, lines):
            target, _, query = found["request"].partition(" ")[2].partition("?")
            words = [unquote(word) for word in re.sub(moved, "/v3/", target)[1:].split("/")]
            asked = parse_qsl(query, keep_blank_values=True)
            if "members" in words or bounds <= {one for _, one in asked}:
                org_ids = [one for name, one in asked if name == "org_ids"]
                body = found["body"] if found["status"] == 200 else ""
                answers[found["request"]] = words, org_ids, body
    return [answer for answer in answers.values() if answer[2]]


def address(text: str) -> str:
    """Write an e-mail address as it is compared: in one case, without what nobody sees."""
    seen = re.sub(f"[{UNSEEN}]", "", text).strip()
    return normalize("NFC", normalize("NFC", seen).casefold())


def decoded(body: str) -> Json:
    """Read a body, numbers as texts; half a character (a lone surrogate) is U+FFFD."""
    text = json.dumps(json.loads(body, parse_float=str), ensure_ascii=False)
    return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", text))


class Evidence:
    """What the API told of the cycle: who used ACUs, and every view of them by its place.

    E of the whole, O of an organization, U of a principal, C of a principal within an organization,
    S of a session that a rule names; one with no owner told, or two, has none. People are those of
    lists, of sessions and of directory.json, which knows who has left; the first e-mail address
    counts. `within_tolerance` adds up what is too small to stand.
    """

    def __init__(self, folder: Path, resolved: Json, remembered: Json) -> None:
        self._tolerance, self.within_tolerance = Fraction(resolved["tolerance"]), ZERO
        self._first, self._end = resolved["cycle"]["start"], resolved["cycle"]["end"]
        self.emails, self.sessions, self.tags = {}, {}, {}
        answers = answers_in(folder / "inputs", resolved)
        for name in ("members", "users", "idp-users", "service-users", "sessions"):
            for words, _, body in answers:
                if words[-1] == name and "consumption" not in words[2:4]:
                    self._see(decoded(body)["items"])
        self._see({**one, f"{one['kind']}_id": one["id"]} for one in remembered["principals"])
        rules = {(rule["section"], rule["key"]) for rule in resolved["rules"]}
        rules = {rule for rule in rules if rule[0] != "tags" or "tag" in resolved["precedence"]}
        named = [key for key, tags in self.tags.items() if rules & {("sessions", key), *tags}]
        self.by_place = {self.sessions[key]: {} for key in named}
        read = self._read_v2 if resolved["source"]["api"] == "v2" else self._read_v3
        answers = [answer for answer in answers if "consumption" in answer[0][2:4]]
        read(answers, resolved["source"]["organizations"])

    def _see(self, items: Iterable[Json]) -> None:
        for item in items:
            people = [(one, item[f"{one}_id"]) for one in KINDS.values() if item.get(f"{one}_id")]
            for who in people:
                self.emails[who] = self.emails.get(who) or address(item.get("email") or "")
            if "session_id" in item:
                key = f"devin-{item['session_id'].removeprefix('devin-')}"
                owner = people[0] if len(people) == 1 else ("", "")
                self.sessions[key] = (item["org_id"], *owner, key)
                self.tags[key] = sorted({("tags", tag) for tag in item.get("tags", ())})

    def _read_v3(self, answers: list[Any], given: list[str]) -> None:
        """Read v3. With credentials of organizations the control total is the sum over them."""
        for path, _, body in answers:
            ids = path[4:] if path[1] == "enterprise" else [*path[1:3], *path[5:]]
            about = dict(zip(ids[::2], ids[1::2]))
            who = next(((KINDS[name], about[name]) for name in KINDS if name in about), ("", ""))
            session, place = about.get("sessions"), (about.get("organizations", ""), *who, "")
            place = self.sessions.get(session, ALL) if session else place
            known = who in self.emails if who[1] else (path[1] == "organizations") == bool(given)
            if known and (not session or place in self.by_place):
                self.by_place[place] = self._days(decoded(body))
        if given:
            self.by_place = {one: view for one, view in self.by_place.items() if one[0]}
            self.by_place[ALL] = summed(self.by_place[org_id, "", "", ""] for org_id in given)

    def _read_v2(self, answers: list[Any], _: list[str]) -> None:
        """Read v2, which tells no products: what is tied to organizations is `devin`.

        The enterprise's part is asked for with all organizations in one request, or is their sum.
        Where C of an organization that a user's total names is refused, U is unknown as well.
        """
        worked_in, together = {}, {}
        for path, org_ids, text in answers:
            who, body = ("user", path[4]) if path[4:] else ("", ""), decoded(text)
            told = {day: Fraction(acus) for day, acus in body["consumption_by_date"].items()}
            view = {(day, DEVIN): told[day] for day in told if self._first <= day < self._end}
            if org_ids[1:]:
                together[len(org_ids)] = view
            elif not who[1] or who in self.emails:
                self.by_place[(*(org_ids or [""]), *who, "")] = view
                if not org_ids:
                    told = body["consumption_by_org_id"].items()
                    worked_in[("", *who, "")] = [one for one, acus in told if Fraction(acus)]
        for place, org_ids in worked_in.items():
            whole = self.by_place.pop(place)
            parts = [self.by_place.get((org_id, *place[1:])) for org_id in org_ids]
            if place == ALL:
                parts = [view for one, view in self.by_place.items() if one[1:] == ALL[1:]]
                parts = [together[max(together)]] if together else parts
            if None not in parts:
                rest = summed([whole, summed(parts, -1)])
                untied = {(day, UNTIED): self.large(acus) for (day, _), acus in rest.items()}
                self.by_place[place] = summed([*parts, untied])

    def _days(self, body: Json) -> View:
        """Read an answer of v3.

        A day is named by the UTC date of its bucket. Days outside the cycle are left out, one that
        is told twice is summed, a product that is null is zero. What a day has beyond its products
        is the product `unspecified`; within the tolerance the products stand.
        """
        view = defaultdict(Fraction)
        for bucket in body["consumption_by_date"]:
            day = f"{datetime.fromtimestamp(int(bucket['date']), timezone.utc):%Y-%m-%d}"
            if self._first <= day < self._end:
                told = (bucket.get("acus_by_product") or {}).items()
                products = [(name, value(acus)) for name, acus in told if acus is not None]
                rest = value(bucket["acus"]) - sum(acus for _, acus in products if acus)
                for product, acus in [*products, (UNSPECIFIED, self.large(rest))]:
                    view[day, product] += acus
        return summed([view])

    def large(self, rest: Fraction) -> Fraction:
        """Give what is left, or zero where it is within the tolerance, and count that."""
        self.within_tolerance += abs(rest) if abs(rest) <= self._tolerance else 0
        return rest if abs(rest) > self._tolerance else ZERO


def summed(views: Iterable[View], sign: int = 1) -> View:
    """Add views up, and leave out what is zero then."""
    found = defaultdict(Fraction)
    for view in views:
        for cell, acus in view.items():
            found[cell] += sign * acus
    return {cell: acus for cell, acus in found.items() if acus}


class Records:
    """The views taken apart into cells that overlap nowhere, and add up to the control total.

        (o,u,s) S     (o,u) C - its sessions     (-,u) U - what is known of u in organizations
        (o,-)   O - what is known of anybody in o        (-,-) E - all other cells

    A difference within the tolerance is zero, and is counted. Where C is missing, which is never
    zero, the rests of U and O may be the same ACUs: the one that ranks lower gets no cell.
    """

    def __init__(self, evidence: Evidence, precedence: list[str]) -> None:
        self._views, self.control = evidence.by_place, evidence.by_place[ALL]
        self.cells, finer = {}, defaultdict(list)
        for place, view in self._views.items():
            pair = (*place[:3], "")
            if place[0] and place[1] and place[3]:
                finer[pair].append(view)
            if place[0] and place[1] and (not place[3] or pair not in self._views):
                finer[("", *pair[1:])].append(view)
                finer[place[0], "", "", ""].append(view)
        coarse = sorted(self._views.keys() - {ALL}, key=lambda one: (not one[1], not one[3]))
        for place in coarse:
            left = self._views[place]
            if place[3] and not place[1]:
                left = self._nobodys(place, left)
                finer[place[0], "", "", ""].append(left)
            if finer[place]:
                rest = summed([left, summed(finer[place], -1)])
                left = {cell: acus for cell, acus in rest.items() if evidence.large(acus)}
            self.cells[place] = left
        contested = [*self._contested([place for place in coarse if not any(place[1:])])]
        by_user = [level for level in precedence if level in ("user", "org")][:1] != ["org"]
        for place, cell in {one[:2] if by_user else one[2:] for one in contested}:
            del self.cells[place][cell]
        self.cells[ALL] = summed([self.control, summed(self.cells.values(), -1)])

    def _nobodys(self, place: Place, view: View) -> View:
        """Give of a session that has no owner what cannot be somebody's ACUs already."""
        self.cells[place] = view
        taken = {cell for _, cell, *_ in self._contested([place])}
        told = [v for p, v in self._views.items() if p[0] == place[0] and p[1] and not p[3]]
        taken |= {cell for cell in view for one in told for other in one if overlap(cell, other)}
        return {cell: acus for cell, acus in view.items() if cell not in taken}

    def _contested(self, places: list[Place]) -> Iterator[tuple[Place, Cell, Place, Cell]]:
        """Give the cells of organizations, and those of principals that may be the same ACUs."""
        rests = defaultdict(list)
        for user, view in self.cells.items():
            for cell, acus in view.items() if not user[0] else ():
                rests[cell[0], acus > 0].append((user, cell))
        for place in places:
            for cell, acus in self.cells[place].items():
                for user, other in rests[cell[0], acus > 0]:
                    if overlap(cell, other) and (place[0], *user[1:]) not in self._views:
                        yield place, cell, user, other


def overlap(cell: Cell, other: Cell) -> bool:
    """Tell whether two cells may hold the same ACUs: unspecified ones may be of any product."""
    return cell[0] == other[0] and (cell[1] == other[1] or UNSPECIFIED in (cell[1], other[1]))


class Mapping:
    """The rules: a record takes the first of the precedence that matches it on its day."""

    def __init__(self, resolved: Json, evidence: Evidence) -> None:
        self._precedence, self._evidence = resolved["precedence"], evidence
        self._unallocated = {"shares": {resolved["unallocated"] or "": "1"}, "source": ""}
        self._exact, self._patterns = {}, []
        for rule in resolved["rules"]:
            section, key = rule["section"], rule["key"]
            self._exact[section, key] = rule
            if section in ("users", "user_file") and "@" in key:
                self._exact[section, address(key)] = rule
            if section == "users" and "*" in key:
                pattern = ".*".join(map(re.escape, address(key).split("*")))
                self._patterns.append((re.compile(pattern, re.DOTALL), rule))

    def parts(self, cells: dict[Place, View]) -> Iterator[Part]:
        """Split every record. Percentages are multiplied, weights apportioned."""
        for place, view in cells.items():
            nobody = "unmapped organization" if place[0] else "no known user or organization"
            cause = f"unmapped {place[1].replace('_', ' ')}" if place[1] else nobody
            for (day, product), acus in view.items():
                value = self._value(place, day)
                what = ("usage", "") if value else ("unallocated", cause)
                value = value or self._unallocated
                shares = sorted(value["shares"].items())
                weights = [Fraction(share) for _, share in shares]
                by_weight = any("/" in share for _, share in shares)
                parts = spread(acus, [weights])[0] if by_weight else [acus * one for one in weights]
                for (code, share), part in zip(shares, parts):
                    if part:
                        rule = (*what, value["source"], share)
                        yield Part(day, product, *place, code, *rule, part, None, "", ZERO)

    def _value(self, place: Place, day: str) -> Json | None:
        """Give what decides: of a level the first rule that says something; `none` leads on.

        Tags of one session that say different things say nothing.
        """
        for level in self._precedence:
            values = []
            for rule in self._matching(level, *place):
                begun = [one for one in rule["values"] if (one["from"] or "") <= day]
                values += [one for one in begun[-1:] if one["shares"] != {}]
            agreed = level != "tag" or all(one["shares"] == values[0]["shares"] for one in values)
            if values and agreed and values[0]["shares"]:
                return values[0]
        return None

    def _matching(self, level: str, org_id: str, kind: str, key: str, session: str) -> list[Json]:
        """Give the rules of a level that match: of a user by id, e-mail, HR export, pattern."""
        email = self._evidence.emails.get((kind, key), "")
        asked = {"session": [("sessions", session)], "org": [("orgs", org_id)]}
        asked["tag"] = self._evidence.tags.get(session, [])
        asked["user"] = [("service_users", key)]
        if kind == "user":
            asked["user"] = [(file, one) for file in ("users", "user_file") for one in (key, email)]
        found = [self._exact[one] for one in asked[level] if one[1] and one in self._exact]
        if level == "user" and kind == "user":
            found += [rule for one, rule in self._patterns if one.fullmatch(email or address(key))]
        return found


def half_up(value: Fraction, step: Fraction) -> Fraction:
    """Round to a multiple of a step, halves away from zero."""
    return floor(abs(value) / step + Fraction(1, 2)) * step * (1 if value > 0 else -1)


def rounded(exact: list[Fraction], target: Fraction, step: Fraction) -> list[Fraction]:
    """Round down, then the largest remainders up, equal ones in order, to make the target."""
    floors = [floor(value / step) * step for value in exact]
    order = sorted(range(len(exact)), key=lambda index: floors[index] - exact[index])
    for index in order[: max(0, int((target - sum(floors)) / step))]:
        floors[index] += step if floors[index] != exact[index] else 0
    return floors


def spread(amount: Fraction, groups: list[list[Fraction]]) -> list[list[Fraction]]:
    """Divide an amount by weights, first among groups of them, then within each.

    At 1e-12, or at the last decimal of the amount where that is finer; a negative amount is divided
    as its opposite is.
    """
    decimals, sign, whole = 12, -1 if amount < 0 else 1, sum(map(sum, groups))
    while (amount * 10**decimals).denominator > 1:
        decimals += 1
    step, each = Fraction(1, 10**decimals), abs(amount) / whole if whole else ZERO
    exact = [[each * weight for weight in group] for group in groups]
    targets = rounded([sum(group, ZERO) for group in exact], each * whole, step)
    return [[sign * one for one in rounded(*part, step)] for part in zip(exact, targets)]


class Card:
    """What an ACU costs: a price by product and day, or one amount for all ACUs of the cycle."""

    def __init__(self, resolved: Json, control: View) -> None:
        self._prices, self._control = resolved["prices"], control
        self.step = Fraction(1, 10 ** resolved["decimals"])
        self._weights = defaultdict(lambda: Fraction(1))
        self._whole, self._source = None, resolved["rates_source"]
        if resolved["tiers"]:
            self._whole = half_up(self._graduated(resolved["tiers"]), self.step)
        if resolved["recover"]:
            invoice = resolved["vendor_invoices"][resolved["cycle"]["start"]]
            self._whole, self._source = Fraction(invoice["amount"]), invoice["source"]
            self._weights |= {k: Fraction(v) for k, v in resolved["recover"]["weights"].items()}

    def _graduated(self, tiers: list[Json]) -> Fraction:
        """Price the volume tier by tier; a negative one is a credit at the price of the first."""
        volume, amount, begin = sum(self._control.values()), ZERO, ZERO
        for tier in tiers:
            end = volume if tier["up_to"] is None else min(volume, Fraction(tier["up_to"]))
            if end > begin or not begin:
                amount, begin = amount + (end - begin) * Fraction(tier["unit_price"]), end
        return amount

    def _price(self, product: str, day: str) -> tuple[Fraction | None, str]:
        """Give the product's own price of a day, else that of `*`, else none: it costs nothing."""
        for name in (product, "*"):
            for one in reversed(self._prices.get(name, [])):
                if (one["from"] or "") <= day:
                    return Fraction(one["unit_price"]), one["source"]
        return None, ""

    def charge(self, parts: Iterable[Part]) -> tuple[list[Part], list[Line], Fraction]:
        """Price the parts, round the lines they make, and tell what the control total comes to.

        All lines of one product and price are a group, or all lines, where one amount is spread. A
        group is rounded half up as a whole; its lines are rounded to add up to that, equal
        remainders by code, the unallocated part last, then by product.
        """
        groups, targets = defaultdict(lambda: defaultdict(list)), defaultdict(Fraction)
        for one in sorted(parts):
            price, rate = self._price(one.product, one.day)
            part = Part(*one[:12], price, rate, one.quantity * (price or 0))
            group = (part.product, price) if self._whole is None else ALL
            groups[group][part.kind == "unallocated", part.cost_center, part.product].append(part)
        for (day, product), acus in self._control.items():
            price, _ = self._price(product, day)
            targets[product, price] += acus * (price or 0)
        targets = targets if self._whole is None else {ALL: self._whole}
        priced, lines = [], []
        for group, members in groups.items():
            ordered = [members[key] for key in sorted(members)]
            ordered = ordered if self._whole is None else self._spread(ordered, self._whole)
            exact = [sum(part.exact_amount for part in line) for line in ordered]
            amounts = rounded(exact, half_up(targets.get(group, ZERO), self.step), self.step)
            for line, *figures in zip(ordered, exact, amounts):
                what = line[0].product, line[0].unit_price, sum(part.quantity for part in line)
                lines.append(Line(*line[0][6:8], "", None, None, *figures, *what))
                priced += line
        return priced, lines, sum(half_up(cost, self.step) for cost in targets.values())

    def _spread(self, lines: list[list[Part]], amount: Fraction) -> list[list[Part]]:
        """Spread one amount over lines, then within each; a price is only what that comes to."""
        weights = [[part.quantity * self._weights[part.product] for part in line] for line in lines]
        each, found = amount / (sum(map(sum, weights)) or 1), []
        for line, amounts in zip(lines, spread(amount, weights)):
            rate = round(each * self._weights[line[0].product], 10), self._source
            found.append([Part(*part[:12], *rate, one) for part, one in zip(line, amounts)])
        return found


def charged(resolved: Json, usage: list[Line], step: Fraction) -> list[Line]:
    """Give the lines of usage, fees, transfers and pools; a percentage is of usage as rounded."""
    lines, spent = [*usage], defaultdict(Fraction)
    for line in usage:
        if line.kind == "usage":
            spent[line.code] += line.amount
    for fee in resolved["fees"]:
        for code in [*spent] if fee["to"] is None else fee["to"]:
            share = fee["fraction"] and Fraction(fee["fraction"])
            exact = share * spent.get(code, ZERO) if share else Fraction(fee["amount"])
            if exact:
                amount = half_up(exact, step)
                lines.append(Line(code, "fee", fee["name"], None, share, exact, amount))
    for one in resolved["transfers"]:
        if one["cycle"] == resolved["cycle"]["start"]:
            amount, why = half_up(Fraction(one["amount"]), step), one["reason"]
            lines.append(Line(one["from"], "transfer", why, one["to"], None, -amount, -amount))
            lines.append(Line(one["to"], "transfer", why, one["from"], None, amount, amount))
    return shared_out(resolved, lines, spent, step)


def shared_out(resolved: Json, lines: list[Line], spent: Json, step: Fraction) -> list[Line]:
    """Add the lines of pools: each shares all that is on it, after those that share with it.

    As written; or by usage, or evenly, without pools and the bearer of the unallocated.
    """
    waiting = {pool["cost_center"]: pool for pool in resolved["pools"]}
    left_out = {resolved["unallocated"], *waiting}
    while waiting:
        to_come = {code for one in waiting.values() for code in one["shares"] or ()}
        here = min(waiting.keys() - to_come)
        pool, amount = waiting.pop(here), sum(line.amount for line in lines if line.code == here)
        by = {code: one for code, one in spent.items() if one > 0 and code not in left_out}
        by = dict.fromkeys(by, 1) if pool["basis"] == "even" else pool["shares"] or by
        if amount:
            codes, name = sorted(by), f"{resolved['cost_centers'][here]['name']}, {pool['basis']}"
            weights = [Fraction(by[code]) for code in codes]
            exact = spread(amount, [weights])[0]
            lines.append(Line(here, "pool", name, None, None, -amount, -amount))
            for code, weight, *figures in zip(codes, weights, exact, rounded(exact, amount, step)):
                lines.append(Line(code, "pool", name, here, weight / sum(weights), *figures))
    return lines


@cache
def value(written: Any) -> Any:
    """Read a number or a share; what is neither stays as it is."""
    part, _, whole = str(written).partition("/")
    try:
        return Fraction(part) / Fraction(whole) if whole else Fraction(part)
    except (ValueError, ZeroDivisionError):
        return written


def shown(figure: Any) -> str:
    """Write a figure; decimals that have no end are cut."""
    if isinstance(figure, Fraction):
        return f"{(Decimal(figure.numerator) / Decimal(figure.denominator)).normalize():f}"
    return str(figure or "nothing")


def label(*words: Any) -> str:
    """Name a line by what is written on it."""
    return " ".join(shown(word) for word in map(value, words) if word)


def figures_then(statement: Json, ledger: Iterator[list[str]]) -> Figures:
    """Give the figures that were written, by where they stand: document, line, name."""
    figures = defaultdict(Fraction)
    documents = {name: statement[name] for name in ("control", "unallocated", "tie_out")}
    for center in statement["cost_centers"]:
        where = center["invoice"] or center["code"]
        documents[where] = {name: center[name] for name in ("acus", "by_product", "amount")}
        for line in center["lines"]:
            on = label(*map(line.get, ("kind", "product", "unit_price", "name", "counterpart")))
            for name in ON_A_LINE:
                figures[where, on, name] += value(line.get(name)) or 0
    for where, found in documents.items():
        for name, inner in found.items():
            for key, one in inner.items() if isinstance(inner, dict) else [("", inner)]:
                figures[where, key, name] = name != "parts" and value(one)  # they are subtotals
    figures["statement", "", "currency"] = statement["currency"]
    columns = next(ledger)
    for row in ledger:
        cells = [cell.removeprefix("'") for cell in row]
        for name, cell in zip(columns[7:-1], cells[7:-1]):
            figures["ledger.csv", ", ".join(cells[:7]), name] = value(cell)
    return figures


def figures_now(records: Records, parts: list[Part], lines: list[Line], numbers: Json) -> Figures:
    """Give the same figures as they are reckoned."""
    figures = defaultdict(Fraction)
    for (_, product), acus in records.control.items():
        figures["control", "", "acus"] += acus
        figures["control", product, "by_product"] += acus
        figures["tie_out", "", "control_acus"] += acus
    for (_, product), acus in records.cells[ALL].items():
        figures["tie_out", "", "balancing_acus"] += abs(acus)
        figures["tie_out", product, "balancing_by_product"] += acus
    for part in parts:
        for name, one in zip(Part._fields[7:], part[7:]):
            figures["ledger.csv", ", ".join(part[:7]), name] = value(one)
        figures["tie_out", "", BORNE[part.kind]] += part.quantity
        if part.kind == "unallocated":
            figures["unallocated", "", "acus"] += part.quantity
            figures["unallocated", part.product, "by_product"] += part.quantity
            figures["unallocated", part.cause, "by_cause"] += part.quantity
    for line in lines:
        where, exact = numbers.get(line.code, ""), round(line.exact, 10)
        price = line.price and round(line.price, 10)
        on = label(line.kind, line.product, price, line.name, line.counterpart)
        on_it = line.acus, line.share or 0, exact, line.amount - exact, line.amount
        for name, one in zip(ON_A_LINE, on_it):
            figures[where, on, name] += one
        figures[where, "", "amount"] += line.amount
        figures["tie_out", "", "invoiced_amount" if line.code else "unborne_amount"] += line.amount
        figures["tie_out", "", "unpriced_acus"] += abs(line.acus) * (line.price is None)
        if line.kind == "usage":
            figures[where, "", "acus"] += line.acus
            figures[where, line.product, "by_product"] += line.acus
        figures["", line.kind, "amount"] += line.amount
    figures["tie_out", "", "fees_amount"] = figures["", "fee", "amount"]
    figures["unallocated", "", "amount"] = figures["", "unallocated", "amount"]
    return figures


def reckon(folder: Path) -> Iterator[str]:
    """Give every difference between what was written and what is reckoned now."""
    files = ("inputs/resolved.json", "inputs/directory.json", "statement.json")
    resolved, remembered, statement = (json.loads((folder / f).read_text("utf-8")) for f in files)
    if (resolved["schema"], resolved["rules_version"]) != ("reportgen.resolved/1", 1):
        raise ValueError("resolved.json is of another version than this program")
    evidence = Evidence(folder, resolved, remembered)
    records = Records(evidence, resolved["precedence"])
    card = Card(resolved, records.control)
    parts, usage, chargeable = card.charge(Mapping(resolved, evidence).parts(records.cells))
    numbers = {one["code"]: one["invoice"] or one["code"] for one in statement["cost_centers"]}
    now = figures_now(records, parts, charged(resolved, usage, card.step), numbers)
    vendor = resolved["vendor_invoices"].get(resolved["cycle"]["start"], {})
    amount, invoiced = value(vendor.get("amount")), now["tie_out", "", "invoiced_amount"]
    unborne, fees = now["tie_out", "", "unborne_amount"], now["tie_out", "", "fees_amount"]
    now["statement", "", "currency"] = resolved["currency"]
    now["unallocated", "", "cost_center"] = resolved["unallocated"]
    now["tie_out", "", "within_tolerance_acus"] = evidence.within_tolerance
    now["tie_out", "", "chargeable_amount"] = chargeable
    now["tie_out", "", "difference_amount"] = chargeable + fees - invoiced - unborne
    now["tie_out", "", "vendor_invoice_acus"] = value(vendor.get("acus"))
    now["tie_out", "", "vendor_invoice_amount"] = amount
    now["tie_out", "", "over_recovery_amount"] = amount is not None and invoiced - amount
    with (folder / "ledger.csv").open(encoding="utf-8", newline="") as file:
        then = figures_then(statement, csv.reader(file))
    for place in sorted({*then, *now}):  # nothing and zero are the same
        if place[0] and (then.get(place) or 0) != (now.get(place) or 0):
            where = ", ".join(filter(None, place))
            yield f"{where}: {shown(then.get(place))} is written, {shown(now.get(place))} follows"


if __name__ == "__main__":
    try:
        beside = [path.parent for path in Path(__file__).parent.glob("????-??-??/statement.json")]
        [folder] = sys.argv[1:] or beside
        found = list(reckon(Path(folder)))
    except Exception as error:  # noqa: BLE001 - whatever it was, it is no agreement
        print(f"cannot be reckoned, see the head of this file: {error!r}", file=sys.stderr)
        sys.exit(2)
    print(*found, f"{len(found)} differences", sep="\n")
    sys.exit(3 if found else 0)
