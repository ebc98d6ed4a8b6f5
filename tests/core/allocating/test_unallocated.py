"""What no rule covers: figures that foot by any rate card, suggestions that invent nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.allocate import allocate, timelines
from reportgen.core.allocating.unallocated import (
    Orphan,
    Suggestions,
    UnallocatedRow,
    unallocated_rows,
)
from reportgen.core.charging.charges import charge_cycle
from reportgen.core.charging.rate import rate, whole_cycle
from reportgen.core.cycle import BillingCycle
from reportgen.core.model import (
    Allocation,
    CostCenter,
    DatedSplit,
    Directory,
    Entry,
    Fee,
    Heading,
    InvoiceLine,
    Pool,
    Price,
    Principal,
    Quantities,
    RateCard,
    Recover,
    Rule,
    Share,
    Split,
    Statement,
    Tier,
    Transfer,
    Usage,
    UsageRecord,
    VendorInvoice,
)
from reportgen.core.model import Mapping as Rules
from reportgen.core.proving.statement import statement
from reportgen.core.written.tables import read_rows, unallocated_csv
from reportgen.sources.config.mapping import read_mapping
from reportgen.sources.config.messages import validate
from reportgen.sources.config.schema import MappingFile
from reportgen.sources.config.yamldoc import parse
from tests.examples import examples

FIRST, SECOND = date(2025, 12, 5), date(2025, 12, 20)
CYCLE = BillingCycle(start=FIRST, end=date(2026, 1, 5), after=0, before=0)
CODES = ("CC-1", "CC-2", "CC-9")
ADA, ALAN, ROBOT = (
    Principal("user", "u-ada"),
    Principal("user", "u-alan"),
    Principal("service_user", "robot"),
)
DIRECTORY = Directory(
    entries={
        ADA: Entry(principal=ADA, email="ada.byron@acme.example", name="Ada Byron"),
        ALAN: Entry(principal=ALAN, name="Alan Turing"),
        ROBOT: Entry(principal=ROBOT, name="Nightly builds"),
    },
    organizations={"org-1": "Platform", "org-2": "Payments", "org-3": "org-3"},
)

PRICES = RateCard(
    currency="USD",
    decimals=2,
    prices={
        "devin": (
            Price(date.min, Decimal("2.005"), "rates.yaml:3"),
            Price(SECOND, Decimal("1.9"), "rates.yaml:4"),
        ),
        "cascade": (Price(date.min, Decimal("1.75"), "rates.yaml:5"),),
    },
    source="rates.yaml:2",
)
TIERS = RateCard(
    currency="JPY",
    decimals=0,
    tiers=(
        Tier(Decimal(10), Decimal("2.5"), "rates.yaml:3"),
        Tier(None, Decimal("3.1"), "rates.yaml:4"),
    ),
    source="rates.yaml:2",
)
RECOVER = RateCard(
    currency="USD",
    decimals=2,
    recover=Recover(weights={"cascade": Decimal("0.8")}, source="rates.yaml:2"),
    vendor_invoices={
        FIRST: VendorInvoice(
            number="INV", amount=Decimal("100.01"), acus=None, source="rates.yaml:9"
        )
    },
    source="rates.yaml:2",
)
STAR = (Price(date.min, Decimal(2), "rates.yaml:3"),)
CARDS = {"prices": PRICES, "tiers": TIERS, "recover": RECOVER}


@dataclass(frozen=True, kw_only=True)
class World:
    """A cycle that was charged from records, a mapping and a rate card."""

    statement: Statement
    lines: Mapping[str, Sequence[InvoiceLine]]
    allocations: tuple[Allocation, ...]
    control: Quantities
    rules: Rules
    card: RateCard

    def rows(self, directory: Directory = DIRECTORY) -> list[UnallocatedRow]:
        every = [line for lines in self.lines.values() for line in lines]
        day = self.statement.heading.cycle.previous_day()
        return unallocated_rows(
            self.allocations, every, self.rules, directory, decimals=self.card.decimals, day=day
        )


def rule(section: str, key: str, *codes: str, line: int = 1, start: date = date.min) -> Rule:
    source = f"mapping.yaml:{line}"
    shares = tuple(
        Share(code, Decimal(1), f"1/{len(codes)}" if codes[1:] else "1") for code in codes
    )
    split = Split(shares=shares, by_weight=len(codes) > 1) if codes else None
    values = (DatedSplit(start=start, split=split, source=source),)
    return Rule(section=section, key=key, values=values, source=source)  # type: ignore[arg-type]


def rules_of(*rules: Rule, bearer: str | None = None, pools: tuple[Pool, ...] = ()) -> Rules:
    centers = tuple(CostCenter(code=code, name=f"Center {code}") for code in CODES)
    return Rules(
        cost_centers=centers,
        rules=rules,
        unallocated=bearer,
        unallocated_source="mapping.yaml:99",
        pools=pools,
    )


def place_of(record: UsageRecord) -> tuple[object, ...]:
    """Give what no two records have in common."""
    principal = record.principal_kind, record.principal_id
    return record.day, record.product, record.org_id, *principal, record.session_id


def record(
    place: tuple[str, Principal | None],
    acus: str,
    product: str = "devin",
    day: date = FIRST,
    session: str = "",
) -> UsageRecord:
    org_id, principal = place
    request = f"/v3/{org_id}/{principal.id if principal else ''}"
    return UsageRecord(
        day, product, org_id, *(principal or ("", "")), session, Decimal(acus), (request,)
    )


def charged(
    records: Iterable[UsageRecord],
    rules: Rules,
    card: RateCard = PRICES,
    directory: Directory = DIRECTORY,
) -> World:
    """Charge a cycle as `derive` does."""
    records = sorted(records, key=place_of)
    control: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for one in records:
        control[one.day, one.product] += one.quantity
    resolved, problems = timelines(records, rules, directory)
    whole, unratable = whole_cycle(card, control, FIRST)
    assert [*problems, *unratable] == []
    allocations = tuple(rate(allocate(records, resolved), card, whole))
    charges, _ = charge_cycle(allocations, control, rules, card, whole=whole, cycle=CYCLE)
    heading = Heading(
        enterprise="Acme",
        status="draft",
        cycle=CYCLE,
        currency=card.currency,
        decimals=card.decimals,
    )
    usage = Usage(control=control, records=tuple(records), balancing={})
    numbers = {code: f"CB-{code}" for code in CODES}
    found, _ = statement(heading, usage, allocations, charges, rules, card=card, numbers=numbers)
    return World(
        statement=found,
        lines=charges.lines,
        allocations=allocations,
        control=control,
        rules=rules,
        card=card,
    )


# Figures

PLACES = [
    ("", ADA),
    ("org-1", ADA),
    ("org-1", None),
    ("org-2", None),
    ("", ALAN),
    ("", ROBOT),
    ("", None),
]
records = st.lists(
    st.builds(
        lambda place, product, acus, day: record(place, acus, product, day),
        st.sampled_from(PLACES),
        st.sampled_from(("devin", "cascade", "review")),
        st.decimals("0.001", "50", places=3).map(str),
        st.sampled_from((FIRST, SECOND)),
    ),
    min_size=1,
    max_size=12,
    unique_by=place_of,
)


def check_figures(world: World) -> list[UnallocatedRow]:
    rows, unallocated = world.rows(), world.statement.unallocated
    assert sum((row.amount for row in rows), Decimal(0)) == unallocated.amount
    assert sum(Fraction(row.acus) for row in rows) == Fraction(unallocated.acus)
    by_product = defaultdict(Fraction)
    for row in rows:
        by_product[row.product] += Fraction(row.acus)
        assert -row.amount.as_tuple().exponent == world.card.decimals
    assert by_product == {
        product: Fraction(acus) for product, acus in unallocated.by_product.items()
    }
    assert len({(row.cause, row.id, row.product) for row in rows}) == len(rows)
    assert rows == sorted(rows, key=lambda row: (row.cause, -row.amount, row.id, row.product))
    return rows


@pytest.mark.parametrize("bearer", [None, "CC-9"])
@pytest.mark.parametrize("kind", CARDS)
@given(records)
@examples(60)
def test_the_columns_foot_to_the_statement(kind, bearer, found):
    rules = rules_of(
        rule("orgs", "org-1", "CC-1"), rule("service_users", "robot", "CC-1", "CC-2"), bearer=bearer
    )
    world = charged(found, rules, CARDS[kind])
    rows = check_figures(world)
    exact = defaultdict(Fraction)
    for one in world.allocations:
        if one.kind == "unallocated":
            exact[one.cause, one.record.principal_id or one.record.org_id, one.record.product] += (
                Fraction(one.exact_amount)
            )
    prices = 2  # lines of a product
    step = Fraction(1, 10**world.card.decimals)
    amounts = {(row.cause, row.id, row.product): Fraction(row.amount) for row in rows}
    assert amounts.keys() == exact.keys()
    assert all(abs(amount - exact[key]) < 2 * prices * step for key, amount in amounts.items())


def test_a_cycle_without_orphans_has_no_rows():
    assert charged([record(("", ADA), "1")], rules_of(rule("users", "u-ada", "CC-1"))).rows() == []
    assert charged([], rules_of()).rows() == []


def test_an_unpriced_product_has_acus_and_no_amount():
    (row,) = charged([record(("org-2", None), "3", "review")], rules_of()).rows()
    assert (row.acus, str(row.amount)) == (Decimal(3), "0.00")


def test_nobodys_lines_are_charged_as_they_were_with_everybody_elses():
    """Ten cents over thirds: the cent that is missing falls to the codes before nobody."""
    card = replace(PRICES, prices={"devin": (Price(date.min, Decimal("0.1"), "rates.yaml:3"),)})
    rules = rules_of(rule("users", "u-ada", "CC-1"), rule("orgs", "org-1", "CC-2"))
    world = charged(
        [record(place, "0.35") for place in (("", ADA), ("org-1", None), ("", ALAN))], rules, card
    )
    assert {code: [str(line.amount) for line in found] for code, found in world.lines.items()} == {
        "CC-1": ["0.04"],
        "CC-2": ["0.04"],
        "": ["0.03"],
    }
    assert [(row.id, str(row.amount)) for row in world.rows()] == [("u-alan", "0.03")]


def test_one_id_of_two_kinds_is_two_rows():
    twins = [Principal("user", "x"), Principal("service_user", "x")]
    found = [record(("", twin), "1") for twin in twins] + [record(("x", None), "1")]
    assert [(row.cause, row.id) for row in charged(found, rules_of()).rows()] == [
        ("unmapped organization", "x"),
        ("unmapped service user", "x"),
        ("unmapped user", "x"),
    ]


# Suggestions


def people(
    *entries: tuple[str, str | None, str | None], organizations: Mapping[str, str] | None = None
) -> Directory:
    known = [
        Entry(principal=Principal("user", user), email=email, name=name)
        for user, email, name in entries
    ]
    return Directory(
        entries={entry.principal: entry for entry in known}, organizations=dict(organizations or {})
    )


def suggested(
    kind: str, name: str, rules: Sequence[Rule], directory: Directory = DIRECTORY, **changes
) -> str:
    mapping = replace(rules_of(*rules), **changes)
    return Suggestions(mapping, directory, CYCLE.previous_day()).line(Orphan("", kind, name))


def test_a_person_with_a_second_account_is_suggested_what_the_first_has():
    rules = [rule("user_file", "ada.byron@acme.example", "CC-1")]
    second = people(("u-2", "Ada.Byron@Contractors.example", None), ("u-3", None, "Ada Byron"))
    assert suggested("user", "u-2", rules, second) == '"Ada.Byron@Contractors.example": CC-1'
    assert suggested("user", "u-3", rules, second) == "u-3: CC-1"


def test_nothing_is_suggested_where_a_search_would_not_end():
    rules = [rule("orgs", f"org-{number:06}", "CC-1") for number in range(3_001)]
    assert suggested("", "org-00120x", rules[:3_000]) == "org-00120x: CC-1"
    assert suggested("", "org-00120x", rules) == ""


def test_a_misspelt_key_is_suggested_again():
    assert suggested("", "org-2f8ab6190c4e", [rule("orgs", "org-2f8ab6190c4f", "CC-2")]) == (
        "org-2f8ab6190c4e: CC-2"
    )
    assert suggested("service_user", "robot", [rule("service_users", "robt", "CC-1", "CC-2")]) == (
        "robot: {CC-1: 1, CC-2: 1}"
    )


def test_the_name_of_somebody_who_is_mapped_is_compared_too():
    known = people(("u-1", None, "Grace Hopper"), ("u-9", None, "Grace B. Hopper"))
    assert suggested("user", "u-9", [rule("users", "u-1", "CC-2")], known) == "u-9: CC-2"
    places = people(organizations={"org-1": "Payments 2", "org-2": "Payments"})
    assert suggested("", "org-1", [rule("orgs", "org-2", "CC-2")], places) == "org-1: CC-2"


def test_ids_in_use_are_not_alike():
    known = people(("okta|acme|0042", None, "Ada"), ("okta|acme|0043", None, "Zoe"))
    assert (
        suggested("user", "okta|acme|0043", [rule("users", "okta|acme|0042", "CC-1")], known) == ""
    )


def test_a_namesake_is_not_alike():
    known = people(
        ("u-1", "ada.byron@acme.example", None), ("u-2", "ada.smith@acme.example", "Ada Smith")
    )
    assert suggested("user", "u-2", [rule("users", "ada.byron@acme.example", "CC-1")], known) == ""


def test_a_domain_makes_nobody_alike():
    known = people(("u-1", "ada@acme.example", None), ("u-2", "zoe@acme.example", None))
    assert suggested("user", "u-2", [rule("users", "ada@acme.example", "CC-1")], known) == ""


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("u-ada", []),
        ("u-alan", [rule("users", "alan*@acme.example", "CC-1")]),  # a pattern is nobody's likeness
        (
            "u-ada",
            [rule("users", "ada.byron@acme.example", "CC-1", start=CYCLE.end)],
        ),  # has a key: a date is missing
        (
            "u-ada",
            [rule("user_file", "u-ada"), rule("users", "ada.bryon@acme.example", "CC-1")],
        ),  # `none` is meant
        ("u-ada", [rule("users", "ada.bryon@acme.example")]),
        ("u-ada", [rule("orgs", "u-adb", "CC-1"), rule("service_users", "u-adc", "CC-1")]),
    ],
)
def test_where_nothing_is_close_or_all_is_said_there_is_no_suggestion(name, rules):
    assert suggested("user", name, rules) == ""


def test_nothing_is_suggested_on_a_level_that_is_not_used_or_of_nobody():
    rules = [rule("users", "ada.bryon@acme.example", "CC-1")]
    assert suggested("user", "u-ada", rules) == '"ada.byron@acme.example": CC-1'
    assert suggested("user", "u-ada", rules, precedence=("org",)) == ""
    assert suggested("", "", [rule("orgs", "org", "CC-1")]) == ""


def test_a_pattern_that_begins_later_is_suggested_as_a_key():
    rules = [rule("users", "*@acme.example", "CC-2", start=CYCLE.end)]
    assert suggested("user", "u-ada", rules) == '"ada.byron@acme.example": CC-2'


def test_a_row_of_the_hr_export_that_begins_later_is_suggested_as_a_key_from_the_first_day_on():
    rules = [rule("user_file", "ada.byron@acme.example", "CC-2", start=CYCLE.end)]
    assert suggested("user", "u-ada", rules) == '"ada.byron@acme.example": CC-2'


@pytest.mark.parametrize(
    "name",
    [
        *(
            "okta|acme|0042",
            'a"b\\c',
            "a: b",
            "{a}",
            "#a",
            "null",
            "~",
            "-",
            "0100",
            "é",
            "'a'",
            "@a",
            "1e3",
        ),
        *("2025-12-05", "no", "a,b", "[x", "!t", "&a", "a#b", "a b", "😀"),
    ],
)
def test_a_suggestion_can_be_pasted(name):
    fractions = Split(
        shares=(Share("null", Decimal("0.625"), "0.625"), Share("CC-2", Decimal("0.375"), "0.375"))
    )
    like = replace(
        rule("users", f"{name}x", "CC-1"),
        values=(DatedSplit(start=FIRST, split=fractions, source=""),),
    )
    known = people(
        ("u-1", f"{name}x", "Somebody Unlike Others"), (name, None, "Somebody Unlike Others")
    )
    line = suggested("user", name, [replace(like, key="u-1")], known)
    centers = "cost_centers: {'null': {name: A}, CC-2: {name: B}}"
    document = parse(f"{centers}\nusers:\n  {line}\n", "mapping.yaml")
    file, problems = validate(MappingFile, document)
    assert problems == []
    assert file
    mapping, problems = read_mapping(file, document, [], dict.fromkeys(file.cost_centers, ""))
    assert problems == []
    (found,) = mapping.rules
    assert (found.section, found.key) == ("users", name)
    assert set(found.values[0].split.shares) == set(fractions.shares)


@pytest.mark.parametrize("name", ["a*b", " a", "a\nb", "..", "a\u200bb", "a\u3000b", "x" * 2000])
def test_an_id_that_cannot_be_a_key_gets_no_suggestion(name):
    known = people(("u-1", None, "Ada Byron"), (name, None, "Ada Byron"))
    assert suggested("user", name, [rule("users", "u-1", "CC-1")], known) == ""


FEES = (Fee(name="Platform", amount=Decimal("10.005"), source="rates.yaml:20"),)
TRANSFERS = (
    Transfer(
        cycle=FIRST,
        giver="CC-1",
        receiver="CC-2",
        amount=Decimal(5),
        reason="Ticket",
        source="r:21",
    ),
)


def test_fees_transfers_and_pools_change_nothing():
    found = [record(("", ADA), "7"), record(("", ALAN), "5"), record(("org-1", None), "3")]
    rules = rules_of(rule("users", "u-ada", "CC-1"), rule("orgs", "org-1", "CC-2"), bearer="CC-9")
    plain = charged(found, rules)
    pools = (Pool(cost_center="CC-2", basis="even", source="mapping.yaml:30"),)
    more = charged(
        found, replace(rules, pools=pools), replace(PRICES, fees=FEES, transfers=TRANSFERS)
    )
    assert check_figures(more) == plain.rows()


# The file


def test_formulas_stay_texts_and_numbers_stay_numbers():
    principal = Principal("user", "=cmd|' /C calc'!A0")
    world = charged(
        [record(("", principal), "-1.5", "@devin")], rules_of(), replace(PRICES, prices={"*": STAR})
    )
    written = unallocated_csv(world.rows(), 2)
    assert written.splitlines()[1] == "unmapped user,'=cmd|' /C calc'!A0,'@devin,-1.5,-3.00,"
    (row,) = read_rows(written)
    assert row == {
        "cause": "unmapped user",
        "id": principal.id,
        "product": "@devin",
        "acus": "-1.5",
        "amount": "-3.00",
        "suggestion": "",
    }
