"""inputs/resolved.json: what was understood of a configuration, word for word."""

import json
from pathlib import Path

import pytest

from reportgen.core.cycle import BillingCycle, cycle_between
from reportgen.sources.config.configuration import load
from reportgen.sources.config.resolved import resolved_json
from tests.scenarios.job import EXAMPLE

CYCLE = cycle_between(1764921600, 1767600000)
FILES = {
    "chargeback.yaml": """\
enterprise: Acme Corporation
source:
  organizations: [{id: org-1, token_env: SECRET_1}, {id: org-2, token_env: SECRET_2}]
  prefix: /v3beta1
mapping: mapping.yaml
rates: rates.yaml
archive: archive
tolerance: 0.0001
fiscal_year: 7
products: {review: {label: Reviews}}
""",
    "mapping.yaml": """\
cost_centers:
  CC-2: {name: Payments, closed: 2026-12-31, year_budget: 1000.00, fields: {PO: "0042"}}
  CC-1: {name: プラットフォーム}
users:
  ada@acme.example:
    2025-07-01: CC-1
    2025-12-15: {CC-2: 1, CC-1: 2}
    2026-02-01: none
  "*@contractors.example": {CC-1: 33.3%, CC-2: 66.7%}
user_file: {path: hr.csv, user: email, cost_center: cc, until: until}
sessions: {0a1b: CC-2}
pools: {CC-2: {CC-1: 100%}}
unallocated: CC-1
""",
    "hr.csv": "email,cc,until\nGrace@acme.example\u200b,CC-2,2025-12-31\n",
    "rates.yaml": """\
currency: USD
contract: Order form 7
prices:
  devin: 2.00
  "*": {2025-07-01: 1.75, 2025-12-20: 0.000000000001}
fees: [{name: Support, percent: 2.5%, to: [CC-2, CC-1]}, {name: Team, amount: 500.00, to: each}]
transfers: [{cycle: 2025-12-05, from: CC-1, to: CC-2, amount: 150.00, reason: Ticket 4711}]
memo_currency: {CC-2: {currency: JPY, 2025-12-05: 155.20}}
vendor_invoices: {2025-12-05: {number: INV-0042, amount: 41250.00, acus: 20625}}
""",
}
RESOLVED = """\
{
"schema": "reportgen.resolved/1",
"rules_version": 1,
"enterprise": "Acme Corporation",
"cycle": {
  "start": "2025-12-05",
  "end": "2026-01-05",
  "after": 1764921600,
  "before": 1767600000
},
"source": {
  "api": "v3",
  "prefix": "/v3beta1",
  "organizations": ["org-1", "org-2"]
},
"tolerance": "0.0001",
"invoice": {
  "users": "names",
  "detail": "days",
  "tie_out": "own"
},
"fiscal_year": 7,
"products": {
  "review": {"label": "Reviews", "meaning": null}
},
"precedence": ["session", "user", "org"],
"unallocated": "CC-1",
"unallocated_source": "mapping.yaml:13",
"cost_centers": {
  "CC-1": {"name": "プラットフォーム", "closed": null, "year_budget": null, "fields": {}},
  "CC-2": {"name": "Payments", "closed": "2026-12-31", "year_budget": "1000.00", \
"fields": {"PO": "0042"}}
},
"rules": [
  {"section": "sessions", "key": "devin-0a1b", "source": "mapping.yaml:11", "values": [\
{"from": null, "shares": {"CC-2": "1"}, "source": "mapping.yaml:11"}]},
  {"section": "user_file", "key": "grace@acme.example", "source": "hr.csv:2", "values": [\
{"from": null, "shares": {"CC-2": "1"}, "source": "hr.csv:2"}, \
{"from": "2026-01-01", "shares": {}, "source": "hr.csv:2"}]},
  {"section": "users", "key": "*@contractors.example", "source": "mapping.yaml:9", "values": [\
{"from": null, "shares": {"CC-1": "0.333", "CC-2": "0.667"}, "source": "mapping.yaml:9"}]},
  {"section": "users", "key": "ada@acme.example", "source": "mapping.yaml:5", "values": [\
{"from": "2025-07-01", "shares": {"CC-1": "1"}, "source": "mapping.yaml:6"}, \
{"from": "2025-12-15", "shares": {"CC-1": "2/3", "CC-2": "1/3"}, "source": "mapping.yaml:7"}, \
{"from": "2026-02-01", "shares": null, "source": "mapping.yaml:8"}]}
],
"pools": [
  {"cost_center": "CC-2", "basis": "shares", "shares": {"CC-1": "1"}, "source": "mapping.yaml:12"}
],
"currency": "USD",
"decimals": 2,
"contract": "Order form 7",
"rates_source": "rates.yaml:3",
"prices": {
  "*": [{"from": "2025-07-01", "unit_price": "1.75", "source": "rates.yaml:5"}, \
{"from": "2025-12-20", "unit_price": "0.000000000001", "source": "rates.yaml:5"}],
  "devin": [{"from": null, "unit_price": "2.00", "source": "rates.yaml:4"}]
},
"tiers": [],
"recover": null,
"fees": [
  {"name": "Support", "amount": null, "fraction": "0.025", "to": ["CC-1", "CC-2"], \
"source": "rates.yaml:6"},
  {"name": "Team", "amount": "500.00", "fraction": null, "to": null, "source": "rates.yaml:6"}
],
"transfers": [
  {"cycle": "2025-12-05", "from": "CC-1", "to": "CC-2", "amount": "150.00", \
"reason": "Ticket 4711", "source": "rates.yaml:7"}
],
"memo_currencies": {
  "CC-2": {"currency": "JPY", "decimals": 0, "rates": {"2025-12-05": "155.20"}, \
"source": "rates.yaml:8"}
},
"vendor_invoices": {
  "2025-12-05": {"number": "INV-0042", "amount": "41250.00", "acus": "20625", \
"source": "rates.yaml:9"}
}
}
"""


def resolved(folder: Path, cycle: BillingCycle = CYCLE, **files: str) -> str:
    for name, text in (
        FILES | {key.replace("_", "."): text for key, text in files.items()}
    ).items():
        (folder / name).write_text(text, encoding="utf-8")
    return resolved_json(load(folder), cycle)


def test_all_that_was_understood_is_written(tmp_path):
    assert resolved(tmp_path) == RESOLVED


def test_it_is_json_and_the_same_every_time(tmp_path):
    text = resolved_json(load(EXAMPLE), CYCLE)
    assert json.loads(text)["rules"]
    assert text == resolved_json(load(EXAMPLE), CYCLE)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (
            "tiers: [{up_to: 10000, price: 2.00}, {price: 2.25}]",
            {
                "prices": {},
                "recover": None,
                "tiers": [
                    {"up_to": "10000", "unit_price": "2.00", "source": "rates.yaml:2"},
                    {"up_to": None, "unit_price": "2.25", "source": "rates.yaml:2"},
                ],
            },
        ),
        (
            "recover: {weights: {devin: 1, cascade: 0.80}}",
            {
                "prices": {},
                "tiers": [],
                "recover": {
                    "weights": {"cascade": "0.80", "devin": "1"},
                    "source": "rates.yaml:2",
                },
            },
        ),
    ],
)
def test_the_other_ways_to_charge_an_acu(tmp_path, way, expected):
    values = json.loads(resolved(tmp_path, rates_yaml=f"currency: USD\n{way}\n"))
    assert {key: values[key] for key in expected} == expected


def test_it_carries_no_secret_nor_the_name_of_one(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_1", "cog_1")
    text = resolved(tmp_path)
    assert "SECRET" not in text
    assert "cog_" not in text
