"""Pools, tiers, what is recovered, fees, transfers, other currencies, the vendor's documents."""

from datetime import date
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.model import (
    Fee,
    MemoCurrency,
    MemoRate,
    Pool,
    Recover,
    Share,
    Split,
    Tier,
    Transfer,
)
from reportgen.core.problem import Rejected
from reportgen.sources.config.configuration import load
from reportgen.sources.config.messages import validate
from reportgen.sources.config.pools import read_pools
from reportgen.sources.config.schema import MappingFile
from reportgen.sources.config.yamldoc import parse

ROOT = Path(__file__).parents[3]
CHARGEBACK = "enterprise: Acme\nmapping: mapping.yaml\nrates: rates.yaml\narchive: archive\n"
CENTERS = "cost_centers: {A: {name: Alpha}, B: {name: Beta}, C: {name: Gamma}, P: {name: Shared}}\n"
PRICES = "currency: USD\nprices: {devin: 2.00}\n"


def configured(folder, *, mapping="", rates=PRICES, chargeback=""):
    texts = {
        "chargeback.yaml": CHARGEBACK + chargeback,
        "mapping.yaml": CENTERS + mapping,
        "rates.yaml": rates,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load(folder)


def problems(folder, **texts):
    with pytest.raises(Rejected) as caught:
        configured(folder, **texts)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def card(folder, rates):
    return configured(folder, rates=rates).rate_card


# Pools


def test_pools_are_shared_in_proportion_evenly_or_by_shares_in_the_order_of_their_codes(tmp_path):
    mapping = "pools:\n  P: proportional\n  C: even\n  B: {A: 70%, P: 30%}\n"
    assert configured(tmp_path, mapping=mapping).mapping.pools == (
        Pool(
            cost_center="B",
            basis="shares",
            split=Split(
                shares=(Share("A", Decimal("0.7"), "0.7"), Share("P", Decimal("0.3"), "0.3"))
            ),
            source="mapping.yaml:5",
        ),
        Pool(cost_center="C", basis="even", source="mapping.yaml:4"),
        Pool(cost_center="P", basis="proportional", source="mapping.yaml:3"),
    )


def test_a_pool_is_shared_by_weights(tmp_path):
    (pool,) = configured(tmp_path, mapping="pools: {P: {A: 2, B: 1}}\n").mapping.pools
    shares = (Share("A", Decimal(2), "2/3"), Share("B", Decimal(1), "1/3"))
    assert (pool.basis, pool.split) == ("shares", Split(shares=shares, by_weight=True))


@pytest.mark.parametrize("written", ["", "pools:\n", "pools: {}\n"])
def test_no_pool_is_none(tmp_path, written):
    assert configured(tmp_path, mapping=written).mapping.pools == ()


def test_a_chain_of_pools_is_no_loop(tmp_path):
    mapping = "pools: {P: {C: 100%}, C: {B: 1, A: 1}, B: proportional}\n"
    assert [pool.cost_center for pool in configured(tmp_path, mapping=mapping).mapping.pools] == [
        "B",
        "C",
        "P",
    ]


CODES = "ABCDE"


@given(st.dictionaries(st.sampled_from(CODES), st.sets(st.sampled_from(CODES), min_size=1)))
def test_a_loop_is_named_where_there_is_one_and_only_there(shares):
    shares = {pool: receivers - {pool} for pool, receivers in shares.items() if receivers - {pool}}
    lines = [
        f"  {pool}: {{{', '.join(f'{code}: 1' for code in sorted(codes))}}}"
        for pool, codes in shares.items()
    ]
    centers = "".join(f"  {code}: {{name: {code}}}\n" for code in CODES)
    document = parse(f"cost_centers:\n{centers}pools:\n" + "\n".join(lines), "mapping.yaml")
    file, _ = validate(MappingFile, document)
    _, found = read_pools(file, document)
    ways = [
        problem.message.removeprefix("the pools share in a loop: ").split(" → ")
        for problem in found
    ]
    for way in ways:
        assert way[0] == way[-1] == min(way)
        assert len(set(way)) == len(way) - 1
        assert all(code in shares[pool] for pool, code in pairwise(way))
    assert len({tuple(way) for way in ways}) == len(ways)
    try:
        TopologicalSorter(shares).prepare()
    except CycleError:
        assert ways
    else:
        assert not ways


# What an ACU costs


def test_tiers_know_their_line_and_the_last_has_no_end(tmp_path):
    found = card(
        tmp_path, "currency: USD\ntiers:\n  - {up_to: 10000, price: 2.00}\n  - {price: 2.25}\n"
    )
    assert found.tiers == (
        Tier(Decimal(10000), Decimal("2.00"), "rates.yaml:3"),
        Tier(None, Decimal("2.25"), "rates.yaml:4"),
    )
    assert (found.prices, found.recover, found.source) == ({}, None, "rates.yaml:2")


def test_a_single_tier_may_stand_alone_and_cost_nothing(tmp_path):
    assert card(tmp_path, "currency: USD\ntiers: [{price: 0}]\n").tiers == (
        Tier(None, Decimal(0), "rates.yaml:2"),
    )


def test_what_is_recovered_is_weighed_as_written(tmp_path):
    found = card(
        tmp_path, "currency: USD\nrecover:\n  weights: {devin: 1, cascade: 0.8, search: 0}\n"
    )
    weights = {"devin": Decimal(1), "cascade": Decimal("0.8"), "search": Decimal(0)}
    assert found.recover == Recover(weights=weights, source="rates.yaml:2")
    assert (found.prices, found.tiers, found.source) == ({}, (), "rates.yaml:2")


@pytest.mark.parametrize(
    "written", ["recover:", "recover: {}", "recover: {weights: {}}", "recover: {weights: }"]
)
def test_recovering_without_weights_weighs_all_alike(tmp_path, written):
    assert card(tmp_path, f"currency: USD\n{written}\n").recover == Recover(
        weights={}, source="rates.yaml:2"
    )


def test_a_vendor_invoice_may_lack_its_amount_where_nothing_is_recovered(tmp_path):
    invoices = "vendor_invoices: {2025-12-05: {number: INV-1}}\n"
    assert card(tmp_path, PRICES + invoices).vendor_invoices[date(2025, 12, 5)].amount is None


# What is charged besides usage


def test_fees_are_amounts_or_fractions_to_each_or_to_some(tmp_path):
    fees = (
        "fees:\n  - {name: Platform team, amount: 500.00, to: each}\n"
        "  - {name: Support, percent: 2.5%, to: [B, A]}\n"
        "  - {name: Goodwill, amount: -20, to: [C]}\n"
    )
    assert card(tmp_path, PRICES + fees).fees == (
        Fee(name="Platform team", amount=Decimal("500.00"), source="rates.yaml:4"),
        Fee(name="Support", fraction=Decimal("0.025"), to=("B", "A"), source="rates.yaml:5"),
        Fee(name="Goodwill", amount=Decimal(-20), to=("C",), source="rates.yaml:6"),
    )


def test_a_percentage_may_be_a_discount(tmp_path):
    (fee,) = card(tmp_path, PRICES + "fees: [{name: Discount, percent: -5 %, to: each}]\n").fees
    assert fee.fraction == Decimal("-0.05")


@given(st.decimals(-1000, 1000, places=4).filter(bool))
def test_a_percentage_of_a_fee_is_an_exact_hundredth(tmp_path_factory, percent):
    folder = tmp_path_factory.mktemp("rates")
    (fee,) = card(
        folder, f"{PRICES}fees: [{{name: Support, percent: {percent:f}%, to: each}}]\n"
    ).fees
    assert fee.fraction * 100 == percent


def test_transfers_name_who_gives_and_who_takes_over(tmp_path):
    written = (
        "transfers:\n  - {cycle: 2025-12-05, from: A, to: B, amount: 150.00, reason: Ticket 4711}\n"
    )
    assert card(tmp_path, PRICES + written).transfers == (
        Transfer(
            cycle=date(2025, 12, 5),
            giver="A",
            receiver="B",
            amount=Decimal("150.00"),
            reason="Ticket 4711",
            source="rates.yaml:4",
        ),
    )


def test_another_currency_has_its_own_decimals_and_rates_from_dates_on(tmp_path):
    yen = "B: {currency: JPY, 2025-12-05: 155.20, 2026-01-05: 156}"
    euro = "A: {currency: EUR, 2025-12-05: 0.86}"
    found = card(tmp_path, f"{PRICES}memo_currency:\n  {yen}\n  {euro}\n").memo_currencies
    assert list(found) == ["A", "B"]
    rates = (
        MemoRate(date(2025, 12, 5), Decimal("155.20"), "rates.yaml:4"),
        MemoRate(date(2026, 1, 5), Decimal(156), "rates.yaml:4"),
    )
    assert found["B"] == MemoCurrency(
        currency="JPY", decimals=0, rates=rates, source="rates.yaml:4"
    )
    assert (found["A"].decimals, found["A"].source) == (2, "rates.yaml:5")


@pytest.mark.parametrize("key", ["fees", "transfers", "memo_currency"])
def test_a_key_below_which_all_is_commented_out_charges_nothing(tmp_path, key):
    found = card(tmp_path, f"{PRICES}{key}:\n")
    assert (found.fees, found.transfers, found.memo_currencies) == ((), (), {})


def test_mistakes_of_both_files_are_told_at_once(tmp_path):
    rates = PRICES + "fees:\n  - name: IT\n    amount: 1.001\n    to:\n      - A\n      - Z\n"
    assert problems(tmp_path, mapping="pools: {Q: even}\n", rates=rates) == [
        (
            'mapping.yaml:2: cost center "Q" is not declared; '
            "declare it under `cost_centers` in the mapping"
        ),
        (
            'rates.yaml:5: the amount 1.001 of "IT" has more decimals than USD has; '
            "write it with at most 2 decimals, or as 1001 if the point parts thousands"
        ),
        (
            'rates.yaml:8: cost center "Z" is not declared; '
            "declare it under `cost_centers` in the mapping"
        ),
    ]


def test_who_is_charged_is_not_judged_where_the_mapping_cannot_be_read(tmp_path):
    rates = PRICES + "fees: [{name: Support, amount: 1, to: [Z]}]\n"
    (problem,) = problems(tmp_path, mapping="colour: red\n", rates=rates)
    assert problem.startswith('mapping.yaml:2: the key "colour" is unknown; ')


# The vendor's invoices as files


def vendor_invoice(day, number, document):
    return f"  2025-{day}: {{number: {number}, amount: 1.00, document: {document}}}\n"


def test_a_document_lies_beside_the_file_that_names_it(tmp_path):
    (tmp_path / "finance" / "vendor").mkdir(parents=True)
    (tmp_path / "finance" / "vendor" / "inv-0042.pdf").write_bytes(b"\xff")
    rates = (
        PRICES + "vendor_invoices:\n" + vendor_invoice("12-05", "INV-0042", "vendor/inv-0042.pdf")
    )
    (tmp_path / "finance" / "rates.yaml").write_text(rates, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(CENTERS, encoding="utf-8")
    main_file = CHARGEBACK.replace("rates.yaml", "finance/rates.yaml")
    (tmp_path / "chargeback.yaml").write_text(main_file, encoding="utf-8")
    found = load(tmp_path)
    assert found.rate_card.vendor_invoices[date(2025, 12, 5)].document == "inv-0042.pdf"
    assert found.assets == {"inv-0042.pdf": tmp_path / "finance" / "vendor" / "inv-0042.pdf"}
    assert "inv-0042.pdf" not in found.files


def test_two_invoices_may_share_one_document(tmp_path):
    (tmp_path / "both.pdf").write_bytes(b"")
    invoices = vendor_invoice("11-05", "INV-1", "both.pdf") + vendor_invoice(
        "12-05", "INV-2", "./both.pdf"
    )
    found = configured(tmp_path, rates=f"{PRICES}vendor_invoices:\n{invoices}")
    assert {invoice.document for invoice in found.rate_card.vendor_invoices.values()} == {
        "both.pdf"
    }
    assert found.assets == {"both.pdf": tmp_path / "both.pdf"}


def test_a_path_that_no_file_can_have_is_a_problem(tmp_path):
    invoices = vendor_invoice("12-05", "INV-1", "x" * 300)
    (problem,) = problems(tmp_path, rates=f"{PRICES}vendor_invoices:\n{invoices}")
    assert problem.startswith(f"rates.yaml:4: the file {tmp_path}/xxx")
    assert " cannot be read: file name too long; " in problem


def test_without_documents_there_are_no_assets(tmp_path):
    assert configured(tmp_path).assets == {}


# Elsewhere


def test_summaries_are_named(tmp_path):
    found = configured(tmp_path, chargeback="invoice: {summaries: [entity, department]}\n")
    assert found.settings.invoice.summaries == ("entity", "department")
    assert configured(tmp_path).settings.invoice.summaries == ()


def test_an_hr_export_lies_beside_the_mapping_that_names_it(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "hr.csv").write_text("email,cc\nada,A\n", encoding="utf-8")
    mapping = CENTERS + "user_file: {path: hr.csv, user: email, cost_center: cc}\n"
    (tmp_path / "sub" / "mapping.yaml").write_text(mapping, encoding="utf-8")
    (tmp_path / "rates.yaml").write_text(PRICES, encoding="utf-8")
    main_file = CHARGEBACK.replace("mapping.yaml", "sub/mapping.yaml")
    (tmp_path / "chargeback.yaml").write_text(main_file, encoding="utf-8")
    assert [rule.source for rule in load(tmp_path).mapping.rules] == ["sub/hr.csv:2"]


UNCOMMENTED = {
    "mapping.yaml": ["pools:"],
    "rates.yaml": ["fees:", "transfers:", "memo_currency:"],
}


def with_comments_taken_out(text, keys):
    """Take the `# ` from each line of the named keys, as whoever wants the example to count."""
    lines, inside = [], False
    for line in text.splitlines():
        inside = line.removeprefix("# ") in keys or (inside and line.startswith("#   "))
        lines.append(line.removeprefix("# ") if inside else line)
    return "\n".join(lines) + "\n"


def test_what_the_example_shows_in_comments_can_be_used(tmp_path):
    example = ROOT / "configs" / "example"
    for path in example.iterdir():
        text = path.read_text(encoding="utf-8")
        shown = with_comments_taken_out(text, UNCOMMENTED.get(path.name, ()))
        (tmp_path / path.name).write_text(shown, encoding="utf-8")
    found = load(tmp_path)
    assert found.warnings == ()
    assert [pool.cost_center for pool in found.mapping.pools] == ["CC-9000"]
    assert [fee.name for fee in found.rate_card.fees] == ["Platform team", "Support"]
    assert len(found.rate_card.transfers) == len(found.rate_card.memo_currencies) == 1


@pytest.mark.parametrize("way", ["tiers", "recover"])
def test_the_other_ways_that_the_example_shows_can_be_used(tmp_path, way):
    text = (ROOT / "configs" / "example" / "rates.yaml").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"# {way}:"))
    assert getattr(card(tmp_path, f"currency: USD\n{line.removeprefix('# ')}\n"), way)
