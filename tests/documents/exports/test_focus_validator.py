"""The public focus-validator (2.x) as a second opinion on the rules of 1.2.

It needs Python 3.12, NumPy 1 and a pyarrow of before NumPy 2, so it cannot be installed beside us:
FOCUS_VALIDATOR names the program in an environment of its own, and without it nothing is asked.

    python3.12 -m venv validator && validator/bin/pip install focus-validator==2.2.1 'pyarrow<20'
    FOCUS_VALIDATOR=$PWD/validator/bin/focus-validator python -m pytest tests/documents/exports
"""

import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.documents.exports.materials import of_grove, written

PROGRAM = os.environ.get("FOCUS_VALIDATOR", "")
APPLICABLE = (
    *("ACCOUNT_NAMING_SUPPORTED", "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED"),
    *("NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED"),
    *("UNIT_PRICING_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "VIRTUAL_CURRENCY_SUPPORTED"),
    *("PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED"),
)
FALSE_ALARMS = {
    "BilledCost-C-005-C",  # an issuer that is not the provider is taken for a marketplace
    "InvoiceId-C-004-C",  # no condition: every charge would have to be without an invoice
    "BillingAccountName-C-002-M",  # names need not be ASCII
    "SubAccountName-C-002-M",
    "EffectiveCost-C-005-C",  # every purchase is taken for one of future charges
    "ConsumedQuantity-C-004-C",  # these ask for a column of commitment discounts
    "ConsumedQuantity-C-006-C",
}
COMPOSITES = {
    *("BilledCost-C-000-M", "BillingAccountName-C-000-M", "SubAccountName-C-000-C"),
    "EffectiveCost-C-000-M",
    *("ConsumedQuantity-C-000-C", "ConsumedQuantity-C-003-C", "ConsumedQuantity-C-005-C"),
}
"""Rules that are nothing but the sum of others, of those above."""


@pytest.mark.heavy
@pytest.mark.skipif(not PROGRAM, reason="FOCUS_VALIDATOR names no focus-validator")
@pytest.mark.parametrize("way", [{}, {"recover": True}], ids=["prices", "recover"])
def test_the_public_validator_has_no_objection_but_those_that_are_known(way, tmp_path):
    charges = tmp_path / "charges.csv"
    charges.write_bytes(written("focus", of_grove(closed=True, **way))["focus-CostAndUsage.csv"])
    report = tmp_path / "report.xml"
    options = [
        *("--data-file", charges, "--validate-version", "1.2", "--block-download"),
        *("--applicability-criteria", ",".join(APPLICABLE)),
        *("--output-type", "unittest", "--output-destination", report),
    ]
    (rules,) = Path(PROGRAM).parents[1].glob("lib/python*/site-packages")  # it looks for them here
    subprocess.run([PROGRAM, *map(str, options)], cwd=rules, capture_output=True, check=False)
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - just written
    assert len(cases) > 500
    failed = {
        str(case.get("name")).partition(" ")[0]
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    assert failed - FALSE_ALARMS - COMPOSITES == set()
