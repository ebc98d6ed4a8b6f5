"""E-mails of invoices, read back by another's parser: whole, safe, and silent about people."""

import re
from dataclasses import replace
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.problem import Rejected
from reportgen.core.text import columns
from reportgen.documents.content.email import email_document
from reportgen.documents.mail import AddressError, Envelope, address
from tests.documents import correspondence as sent
from tests.documents import grove
from tests.documents.correspondence import message
from tests.documents.pdf.test_archivable import secrets

LOCALES = ("en", "ja", "zh")
HEADERS = {
    *(
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Language",
    ),
    *("MIME-Version", "Content-Type"),
}
HOSTILE = {
    "a\r\nBcc: eve@evil.example": "a Bcc: eve@evil.example",
    "a\nBcc: eve@evil.example\n\nbody": "a Bcc: eve@evil.example body",
    "=?utf-8?q?a=0D=0ABcc:_eve=40evil.example?=": "= ?utf-8?q?a=0D=0ABcc:_eve=40evil.example?=",
    "=?utf-8?b?YQ0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=": "= ?utf-8?b?YQ0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=",
    "a\u2028Bcc: eve@evil.example": "a Bcc: eve@evil.example",
    'x" <eve@evil.example>, "y': 'x" <eve@evil.example>, "y',
    "x, eve@evil.example": "x, eve@evil.example",
    "=cmd|' /C calc'!A0": "=cmd|' /C calc'!A0",
    "\x00\x1b[31m\u202eabc": "[31mabc",
}
"""Names that would be more than a name, and what a header has of them."""
COLUMNS = 72


def read(content: bytes):
    return message_from_bytes(content, policy=default)


def body(content: bytes, kind: str) -> str:
    return read(content).get_body((kind,)).get_content()


def named(name: str, **changed: str):
    """Give an invoice of an enterprise and a cost center of some name."""
    document = sent.invoice()
    center = replace(document.cost_center, name=name)
    return replace(
        document,
        heading=replace(document.heading, enterprise=name),
        invoice=replace(document.invoice, cost_center=center),
        note=name,
        **changed,
    )


# The message


def test_it_is_built_as_it_says():
    found = read(sent.mail(logo=sent.png()))
    shape = [(part.get_content_type(), part.get_content_disposition()) for part in found.walk()]
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert shape == [
        ("multipart/mixed", None),
        ("multipart/alternative", None),
        ("text/plain", None),
        ("multipart/related", None),
        ("text/html", None),
        ("image/png", "inline"),
        ("application/pdf", "attachment"),
        (sheet, "attachment"),
    ]
    assert set(found.keys()) == HEADERS
    assert len(found.keys()) == len(HEADERS)
    assert not [part.defects for part in found.walk() if part.defects]


def test_headers_say_who_what_and_when():
    found = read(sent.mail())
    assert str(found["From"]) == "Beech & Partners <chargeback@beech.example>"
    assert [one.addr_spec for one in found["To"].addresses] == list(sent.ENVELOPE.recipients)
    assert found["Reply-To"] == "finance@beech.example"
    assert (
        found["Subject"]
        == "Chargeback invoice CB-2025-12-29-R-1: Research & Development, EUR 37.30"
    )
    assert found["Date"].datetime == sent.ENVELOPE.date
    assert found["Message-ID"] == sent.ENVELOPE.message_id
    assert (found["Auto-Submitted"], found["Content-Language"]) == ("auto-generated", "en")


def test_files_come_back_as_they_were():
    files = {
        "CB-1.pdf": bytes(range(256)) * 999,
        '請求書 "é"; a=b.xlsx': b"\r\n.\r\n--=_" * 99,
        "x.csv": b"",
    }
    found = read(message(sent.invoice(), sent.design(), sent.ENVELOPE, files))
    assert {
        part.get_filename(): part.get_payload(decode=True) for part in found.iter_attachments()
    } == files
    assert [part.get_content_type() for part in found.iter_attachments()][
        2
    ] == "application/octet-stream"
    assert b"filename*=utf-8''" in message(sent.invoice(), sent.design(), sent.ENVELOPE, files)


def test_the_same_input_is_the_same_message():
    assert sent.mail(logo=sent.png()) == sent.mail(logo=sent.png())
    other = replace(sent.ENVELOPE, message_id="<2@beech.example>")
    assert message(sent.invoice(), sent.design(), other, sent.FILES) != sent.mail()


@pytest.mark.quick(1)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_mail_server_takes_its_lines(locale):
    content = sent.mail(sent.invoice(locale=locale), logo=sent.png())
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    long = [line for line in content.split(b"\r\n") if len(line) > 78]
    assert long == [
        b"Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ]
    assert b"Subject:\r\n" not in content


def test_nobody_is_told_to_answer_where_nobody_reads():
    silent = replace(sent.ENVELOPE, reply_to=None)
    content = message(sent.invoice(), sent.design(), silent, {})
    assert "reply to this message" not in body(content, "plain") + body(content, "html")
    assert "Attached" not in body(content, "plain") + body(content, "html")
    assert "Reply-To" not in read(content)


# What it says


@pytest.mark.quick(1)
@pytest.mark.parametrize("locale", LOCALES)
def test_both_bodies_have_every_figure(locale):
    content = sent.mail(sent.invoice(locale=locale))
    page = " ".join("".join(fromstring(body(content, "html")).itertext()).split())  # noqa: S314 - our own
    for said in (
        "R-1",
        "CB-2025-12-29-R-1",
        "EUR 37.30",
        "11.50",
        "+14.53",
        "+63.81%",
        "1.7333",
        "19.54",
        "-1.pdf",
    ):
        assert said in body(content, "plain")
        assert said in page
    for line in sent.invoice().invoice.lines:
        assert f"{line.amount:.2f}" in page


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("locale", "subject", "draft"),
    [
        ("en", "Chargeback invoice", "PRELIMINARY"),
        ("ja", "社内配賦請求書", "暫定版"),
        ("zh", "内部分摊账单", "草稿"),
    ],
)
def test_it_speaks_the_language_of_the_document(locale, subject, draft):
    closed, open_ = (
        sent.mail(sent.invoice(locale=locale, closed=closed)) for closed in (True, False)
    )
    assert read(closed)["Subject"].startswith(f"{subject} CB-")
    assert read(closed)["Content-Language"] == locale
    for kind in ("plain", "html"):
        assert subject in body(closed, kind)
        assert draft not in body(closed, kind)
        assert draft in body(open_, kind)
    assert read(open_)["Subject"].startswith(f"{draft}")
    assert draft not in read(closed)["Subject"]


@pytest.mark.quick(4)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "name",
    ["Research", "Ein sehr langer Name " * 9, "非常に長い名前のコストセンター、" * 9, "x" * 300],
)
def test_text_has_72_columns_and_figures_that_align(locale, name):
    document = named(name)
    center = replace(document.cost_center, locale=locale)
    content = sent.mail(replace(document, invoice=replace(document.invoice, cost_center=center)))
    lines = body(content, "plain").splitlines()
    assert max(map(columns, lines)) == COLUMNS
    first, last = _rules(lines)
    assert (
        len({columns(line) - len(line.rpartition(".")[2]) for line in lines[first + 1 : last]}) == 1
    )


@pytest.mark.parametrize("recover", [False, True])
def test_every_invoice_has_its_email(recover):
    found = [
        task.document
        for task in grove.tasks(grove.derived(recover=recover))
        if task.template == "invoice.html.j2"
    ]
    assert len(found) == 4
    for document in found:
        said = body(sent.mail(document), "plain")
        assert f"{document.heading.currency} {document.invoice.amount:.2f}" in said
        assert ("Effective unit price" in said) is recover
        assert max(map(columns, said.splitlines())) == COLUMNS


def _rules(lines: list[str]) -> tuple[int, int]:
    """Give where the lines of the table begin and end."""
    found = [number for number, line in enumerate(lines) if line == "-" * COLUMNS]
    return found[-2], found[-1]


def test_the_page_loads_nothing_and_runs_nothing():
    page = body(sent.mail(logo=sent.png(400, 120)), "html")
    assert not re.search(r"https?:|url\(|<script|<link|@import|\son\w+=|data:", page)
    (picture,) = re.findall(r"<img [^>]*>", page)
    assert 'width="160" height="48"' in picture
    assert 'alt="Beech &amp; Partners"' in picture
    parts = [part for part in read(sent.mail(logo=sent.png(400, 120))).walk() if part["Content-ID"]]
    assert [f"cid:{part['Content-ID'][1:-1]}" in picture for part in parts] == [True]
    assert "max-width: 600px" in page


def test_a_logo_that_mail_programs_do_not_show_is_left_out():
    content = sent.mail(logo="data:image/svg+xml;base64,PHN2Zy8+")
    assert "<img" not in body(content, "html")
    assert "image" not in {part.get_content_maintype() for part in read(content).walk()}


# Injection


@pytest.mark.quick(3)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_in_its_header(name):
    content = sent.mail(named(name), users="names")
    found = read(content)
    assert set(found.keys()) == HEADERS
    assert len(found.keys()) == len(HEADERS)
    assert [one.addr_spec for one in found["From"].addresses] == ["chargeback@beech.example"]
    assert [one.addr_spec for one in found["To"].addresses] == list(sent.ENVELOPE.recipients)
    assert HOSTILE[name] in found["Subject"]
    assert found["From"].addresses[0].display_name == HOSTILE[name]
    assert not re.search(rb"(?im)^Bcc:", content.partition(b"\r\n\r\n")[0])


@pytest.mark.quick(3)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_line_of_the_text_and_no_markup_of_the_page(name):
    content = sent.mail(named(f"{name}<b>&amp;"))
    lines = body(content, "plain").splitlines()
    assert not [
        line for line in lines if line.lstrip().startswith("Bcc: eve") and columns(line) < 40
    ]
    page = fromstring(body(content, "html"))  # noqa: S314 - our own
    assert "&amp;" in "".join(page.itertext())


@pytest.mark.heavy
@given(st.text(max_size=120))
def test_no_name_makes_another_header(name):
    envelope = replace(sent.ENVELOPE, sender_name=name)
    found = read(message(named(name), sent.design(), envelope, {}))
    assert set(found.keys()) == HEADERS
    assert [one.addr_spec for one in found["From"].addresses] == ["chargeback@beech.example"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a",
            "a@",
            "@b.example",
            "a@b.example\r\nBcc: x@y.example",
            "a b@c.example",
            "a@b.example, c@d.example",
        ),
        *(
            "ä@b.example",
            "a(b)@c.example",
            "<a@b.example>",
            "=?utf-8?q?a?=@b.example",
            'a"b@c.example',
            "a@b c",
        ),
    ],
)
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(AddressError, match=r"is not an e-mail address|beyond a to z"):
        address(text)


def test_a_domain_in_other_letters_is_written_as_servers_know_it():
    assert address("a@bücher.example").addr_spec == "a@xn--bcher-kva.example"


def test_a_message_id_cannot_begin_a_header():
    envelope = replace(sent.ENVELOPE, message_id="<a@b>\r\nBcc: x@y.example")
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        message(sent.invoice(), sent.design(), envelope, {})


# Templates


def test_a_mistake_in_a_template_is_named_by_its_line():
    for name in ("email.txt.j2", "email.html.j2", "email.subject.txt.j2"):
        templates = {**sent.design().templates, name: "\n{{ document.numbr }}"}
        with pytest.raises(
            Rejected, match=rf'^{name}:2: .*has no field "numbr"; did you mean "number"'
        ):
            sent.mail(templates=templates)


def test_only_the_page_is_escaped():
    content = sent.mail()
    assert "Research & Development" in body(content, "plain")
    assert "Research &amp; Development" in body(content, "html")


# Privacy


@pytest.mark.parametrize("code", ["R-1", "S-2", "Z-9"])
def test_it_names_nobody_whatever_documents_show(code):
    document = sent.invoice(code)
    contacts = replace(document.cost_center, contacts=("office@beech.example",))
    own = replace(document, invoice=replace(document.invoice, cost_center=contacts))
    assert own.directory.entries or code == "Z-9"
    content = sent.mail(own)
    said = body(content, "plain") + body(content, "html") + str(read(content)["Subject"])
    assert [word for word in secrets() if word in said] == []


@pytest.mark.heavy
def test_no_template_of_it_can_name_anybody():
    """Everything that a template reaches is in the fields of its document."""
    document = sent.email_task("email.txt.j2").document
    assert [word for word in secrets() if word in repr(document)] == []
    assert [word for word in secrets() if word in repr(sent.invoice())] != []


def test_an_envelope_has_what_it_needs():
    envelope = Envelope(
        sender="a@b.example",
        sender_name="Beech",
        recipients=("c@d.example",),
        message_id="<1@b>",
        date=sent.ENVELOPE.date,
    )
    found = read(message(sent.invoice(), sent.design(), envelope, {}))
    assert found["To"] == "c@d.example"


# What is too much for it


def test_of_many_lines_the_largest_are_shown_and_the_others_as_one():
    document = sent.invoice()
    (line, *_) = document.usage_lines
    lines = [
        replace(line, product=f"product-{n:02}", amount=Decimal(n), acus=Decimal(1))
        for n in range(20)
    ]
    many = replace(document, invoice=replace(document.invoice, lines=tuple(lines)))
    email = email_document(many, ())
    assert [one.line.product for one in email.lines] == [f"product-{n}" for n in range(13, 20)]
    assert (email.others.count, email.others.acus) == (13, Decimal(13))
    assert email.others.amount == Decimal(sum(range(13)))
    content = sent.mail(many)
    for kind in ("plain", "html"):
        assert "13 more lines" in body(content, kind)
    eight = replace(document, invoice=replace(document.invoice, lines=tuple(lines[:8])))
    assert len(email_document(eight, ()).lines) == 8
    assert email_document(eight, ()).others is None


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_left_out_and_the_seal_are_said(locale):
    told = {"left_out": ["CB-1.xlsx"], "seal": "5e" * 32}
    document = sent.invoice(locale=locale)
    content = message(document, sent.design(), sent.ENVELOPE, {"CB-1.pdf": b""}, **told)
    for kind in ("plain", "html"):
        assert body(content, kind).count("CB-1.xlsx") == 1
        assert body(content, kind).count("5e" * 32) == 1
    assert [part.get_filename() for part in read(content).iter_attachments()] == ["CB-1.pdf"]


def test_a_domain_that_older_rules_read_otherwise_is_refused():
    for domain in ("straße.example", "STRAẞE.example", "a\u200db.example"):
        with pytest.raises(AddressError, match="can be read as two"):
            address(f"a@{domain}")
    assert address("a@bücher.example").addr_spec == "a@xn--bcher-kva.example"
