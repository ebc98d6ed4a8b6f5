"""Who used what: how people are called, and what tells each from everybody else."""

from decimal import Decimal

import pytest

from reportgen.core.model import Directory, Entry, Principal, PrincipalUsage
from reportgen.documents.content.usage import usage_rows

ADA = Principal("user", "u|ada")


def entry(**known: str) -> dict[Principal, Entry]:
    return {ADA: Entry(principal=ADA, **known)}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (entry(name="Ada", email="ada@acme.example"), ("Ada", "ada@acme.example")),
        (entry(name="Ada"), ("Ada", "u|ada")),
        (entry(email="ada@acme.example"), ("ada@acme.example", "ada@acme.example")),
        (entry(), ("u|ada", "u|ada")),
        ({}, ("u|ada", "u|ada")),
    ],
)
def test_an_identity_is_the_address_else_the_id(entries, expected) -> None:
    usage = PrincipalUsage(
        org_id="org-main",
        principal_kind="user",
        principal_id="u|ada",
        acus=Decimal(1),
        by_product={},
        amount=Decimal(2),
    )
    (row,) = usage_rows([usage], Directory(entries=entries))
    assert (row.label, row.identity) == expected
