"""What stands where something else is wanted is named with what to write in its place."""

import pytest

from reportgen.core.problem import Rejected
from reportgen.sources.config.configuration import load, load_settings
from tests.sources.config.test_configuration import CENTERS, CHARGEBACK, problems

USER_FILE = "user_file: {path: hr.csv, user: email, cost_center: cc}\n"


def said(folder, **texts) -> str:
    return "\n".join(problems(folder, **texts))


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("users: {ada: [{A: 1}, {B: 2}]}\n", "write the shares without the dashes before them"),
        ("users: {ada: [A, B]}\n", "write weights or percentages: {A: 1, B: 1}"),
        ("users: {ada: [A, {B: 1}]}\n", "mapping.yaml:2"),
        ("users: {ada: {A: 0.5, B: 0.5}}\n", "write 50% for a part, or a whole-number weight"),
        ("users: {ada: 'A, B'}\n", "to share it among them, write {A: 1, B: 1}"),
        ("users: {ada: 01.02.2025}\n", "looks like a date in another form"),
        ("users:\u00a0{ada: A}\n", "is followed by"),
        ("\n# none\nusers\n\n  ada: A\n", "mapping.yaml:4"),
    ],
)
def test_a_rule_that_is_written_otherwise(tmp_path, mapping, words):
    assert words in said(tmp_path, mapping=mapping)


@pytest.mark.parametrize(
    ("center", "words"),
    [
        ("Alpha", "write A: {name: Alpha}"),
        ("{name:Alpha}", "write a blank after the colon: name: Alpha"),
        ("{name: Alpha, budget: [1, 2]}", "mapping.yaml:1"),
        ("{name: Alpha, fields: {' PO': X}}", '" PO" begins or ends with a space'),
        (f"{{name: {'x' * 1001}}}", "is longer than"),
        ("{name: Alpha, contacts: ['a@x.example, b@x.example']}", "[a@x.example, b@x.example]"),
    ],
)
def test_a_cost_center_that_is_written_otherwise(tmp_path, center, words):
    text = CENTERS.replace("{name: Alpha}", center)
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    for name, content in {"chargeback.yaml": CHARGEBACK, "rates.yaml": "currency: USD\n"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(Rejected) as caught:
        load(tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("user_file", "words"),
    [
        ("ada@x.example,A\nbob@x.example,B\n", "no row names the columns"),
        ("email,cc\nada@x.example,“A”\nbob@x.example,“B”\n", "likewise in line 3"),
        ("email,cc\nada@x.example;A\nbob@x.example;B\n", "the rows are parted by"),
        ("“email”,cc\nada@x.example,A\n", 'has no column "email": '),
    ],
)
def test_an_export_that_is_written_otherwise(tmp_path, user_file, words):
    assert words in said(tmp_path, mapping=USER_FILE, user_file=user_file)


def test_a_product_has_a_label(tmp_path):
    chargeback = CHARGEBACK + "products: {devin: Devin}\n"
    assert "write devin: {label: Devin}" in said(tmp_path, chargeback=chargeback)


def test_chargeback_yaml_is_read_alone(tmp_path):
    (tmp_path / "chargeback.yaml").write_text(CHARGEBACK, encoding="utf-8")
    assert load_settings(tmp_path).enterprise == "Acme"
    (tmp_path / "chargeback.yaml").write_text(CHARGEBACK + "more: 1\n", encoding="utf-8")
    with pytest.raises(Rejected, match=r"chargeback\.yaml:5: the key \"more\" is unknown"):
        load_settings(tmp_path)


def test_what_is_no_text_is_no_export(tmp_path):
    said_ = said(tmp_path, mapping=USER_FILE, user_file="email,cc\nada@x.example,A\0\n")
    assert "holds characters that no text has" in said_


def test_text_in_the_quotes_of_a_word_processor_is_named(tmp_path):
    assert "“A”" in said(tmp_path, mapping="users: {ada: “A”}\n")


def test_a_document_that_begins_and_holds_nothing_is_empty(tmp_path):
    (tmp_path / "chargeback.yaml").write_text("---\n", encoding="utf-8")
    with pytest.raises(Rejected):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("chargeback", "words"),
    [
        ("source: {token_env: $TOKEN}\n", "write its name alone: TOKEN"),
        ("source: {token_env: '${TOKEN}'}\n", "write its name alone: TOKEN"),
        ("api_key: hunter2\n", "and write `source: {token_env: DEVIN_API_TOKEN}`"),
        ("password: hunter2\n", "and write `email: {password_env: MAIL_PASSWORD}`"),
        (
            'enterprise: "Acme\nmapping: "m.yaml"\n',
            "the quote that opens here is not closed in its line",
        ),
    ],
)
def test_what_stands_for_a_secret_or_breaks_off(tmp_path, chargeback, words):
    assert words in said(tmp_path, chargeback=chargeback)
