"""The JSON Schemas held against the whole corpus, by a validator that is not ours.

What is right is taken. What is wrong in form is refused; whatever else is wrong, which only the
program can see, is listed here by name, with the reason.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

from reportgen.cli import main
from reportgen.core.problem import Rejected
from reportgen.sources.config.configuration import load
from tests.scenarios.job import ROOT, SMALL
from tests.yaml_core import core

HERE = Path(__file__).parent
FILES = {
    "chargeback.yaml": "configuration",
    "mapping.yaml": "mapping",
    "rates.yaml": "rates",
}
BEYOND = {
    "it lies in another file, or on the machine": """
        archive-below-file archive-is-file archive-not-writable
        cost-center-file-empty cost-center-file-missing
        file-mapping-missing
        file-rates-is-folder fonts-damaged fonts-missing fonts-none fonts-not-truetype
        logo-is-folder logo-is-pipe logo-jpg logo-missing logo-of-one-name-with-vendor-document
        logo-png-16-bit-grey logo-png-too-many-pixels logo-png-truncated logo-svg-doctype
        logo-svg-doctype-utf-16 logo-svg-embedded-gif logo-svg-external-fill
        logo-svg-external-href logo-svg-foreign-object logo-svg-import logo-svg-is-html
        logo-svg-not-well-formed logo-svg-script logo-text-named-png logo-too-large
        recording-missing send-nobody-there send-password-not-set send-secret-not-set
        send-token-not-set send-user-not-set templates-missing token-not-set user-file-is-pipe
        user-file-missing user-file-sheet-unknown vendor-document-is-folder
        vendor-document-is-pipe vendor-document-missing vendor-document-not-readable
        vendor-document-of-one-name yaml-syntax-bracket""",
    "whether a code is declared": """
        cost-center-file-undeclared cost-center-undeclared-rule cost-center-undeclared-share
        cost-center-undeclared-unallocated fee-undeclared memo-undeclared pool-share-undeclared
        pool-undeclared transfer-from-undeclared transfer-to-undeclared""",
    "what adds up": "pool-99-percent pool-nobody-shares recover-weights-zero shares-99-percent",
    "an order, or two values that are one to us": """
        cost-center-codes-differ-in-case dates-out-of-order dates-out-of-order-price
        emails-differ-in-case fee-named-twice invoice-number-twice memo-currency-of-the-card
        memo-dates-out-of-order pool-loop pool-loop-of-three pool-loops pool-of-itself
        products-one-label session-twice tiers-endless-first tiers-equal tiers-last-ends
        tiers-not-ascending transfer-to-itself""",
    "keys that do not go together": """
        close-export-journal-unsaid email-password-missing email-plain email-token-missing
        email-token-of-another-sign-in
        email-token-twice email-token-url-plain recover-weight-star recover-without-amount
        source-plain-http source-plain-http-like-loopback source-v2-organizations""",
    "how a number was written, which YAML has read, or its decimals by currency": """
        budget-too-fine fee-too-fine fee-too-fine-yen price-exponent price-too-fine
        price-too-large rates-vendor-amount-too-fine transfer-too-fine year-budget-too-fine""",
    "usage, or the day on which it was": """
        close-unpriced close-vendor-acus cost-center-closed-before-rule
        cost-center-closed-before-usage cost-center-closed-unallocated patterns-of-equal-rank
        recover-invoice-missing""",
    "what a journal is made of, and the names of templates": """
        export-journal-account-missing export-journal-accrual-closed export-journal-code-too-long
        export-journal-entity-without-account export-journal-lacks-entity
        export-journal-lacks-ledger export-journal-no-entity
        export-journal-period-closed export-journal-separator-in-code journal-layout-unknown
        journal-segment-misspelt""",
    "words, as documents and mail servers take them": """
        cost-center-locale-right-to-left cost-center-locale-without-catalog
        invoice-locale-right-to-left invoice-locale-without-catalog invoice-number-grows
        invoice-number-loops invoice-number-separator invoice-number-separator-in-one
        invoice-number-separator-in-some invoice-number-syntax invoice-number-unknown-name
        send-copy-domain-of-two send-from-beyond-ascii""",
    "a means of YAML that leaves no trace in what is read": "yaml-anchor yaml-tag",
}
REASONS = {name: reason for reason, names in BEYOND.items() for name in names.split()}

BOMB = "yaml-alias-bomb"


@cache
def validator(name: str) -> Draft7Validator:
    """Take the schema as the command writes it."""
    written = CliRunner().invoke(main, ["schema", FILES[name]]).stdout
    schema = json.loads(written)
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def refusals(path: Path) -> list[str]:
    """Say what an editor would underline in a file."""
    try:
        document = core(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return [str(error)]
    found = validator(path.name).iter_errors(document)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in found]


def pointed_at(case: Path) -> list[Path]:
    """Give the files of a case that its messages point into."""
    said = (case / "expected.txt").read_text(encoding="utf-8")
    named = {match[1] for match in re.finditer(r"(?m)^(\S+\.yaml):\d+: ", said)}
    return [case / name for name in FILES if name in named and (case / name).exists()]


def cases() -> dict[str, Path]:
    """Give the cases whose mistake is pointed at in one of the three files.

    But for one whose aliases grow: it is refused where it is read, and validating it takes minutes.
    """
    folders = (path.parent for path in HERE.glob("*/expected.txt") if path.parent.name != BOMB)
    return {folder.name: folder for folder in sorted(folders) if pointed_at(folder)}


def test_whatever_is_wrong_in_form_is_refused() -> None:
    beyond = {
        name
        for name, case in cases().items()
        if not any(refusals(case / file) for file in FILES if (case / file).exists())
    }
    assert sorted(beyond - REASONS.keys()) == [], "give the reason in BEYOND, or refuse it"
    assert sorted(REASONS.keys() - beyond) == [], "it is refused by now, or gone"
    assert len(cases()) - len(beyond) > 150


def configurations() -> list[Path]:
    """Give every folder of this checkout that holds a configuration which we take."""
    folders = {
        path.parent for path in (*ROOT.glob("configs/*/*.yaml"), *ROOT.glob("tests/**/*.yaml"))
    }
    right = []
    for folder in sorted(folders):
        if (folder / "chargeback.yaml").exists() and (
            HERE not in folder.parents or folder.name == "base"
        ):
            try:
                load(folder)
            except Rejected:
                continue
            right.append(folder)
    return right


def test_whatever_is_right_is_taken() -> None:
    folders = configurations()
    assert len(folders) > 15
    refused = {
        str(path.relative_to(ROOT)): refusals(path)
        for folder in folders
        for path in (folder / name for name in FILES)
        if path.exists() and refusals(path)
    }
    assert refused == {}


@pytest.mark.parametrize("name", FILES)
def test_what_tests_write_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SMALL[name], encoding="utf-8")
    assert refusals(tmp_path / name) == []


def test_of_the_corpus_what_else_is_wrong_is_right_in_form() -> None:
    """Whoever is told of usage has written a file that an editor has nothing against."""
    for name, case in cases().items():
        for path in pointed_at(case) if name in REASONS else ():
            assert refusals(path) == [], name
