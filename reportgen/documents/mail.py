"""One e-mail per invoice, as the bytes of a message (RFC 5322): text, the same as a page, files.

    multipart/mixed
      multipart/alternative
        text/plain                  email.txt.j2
        text/html                   email.html.j2; multipart/related with the logo, if a PNG
      the files

Laws: the same input is the same message, boundaries included. No text reaches a header that could
end it, or begin another: not by a line break, nor by one that is hidden in an encoded word, which
Python's parser would take apart.
"""

import base64
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256
from pathlib import PurePosixPath
from textwrap import fill

from reportgen.core.text import quoted
from reportgen.documents.content.email import EmailDocument, Picture, email_document
from reportgen.documents.content.invoice import InvoiceDocument
from reportgen.documents.render import draw
from reportgen.documents.tasks import Design, Task
from reportgen.documents.templating.widths import one_line

PNG = "data:image/png;base64,"
LOGO_WIDTH, LOGO_HEIGHT = 180, 48
"""Pixels that the logo may take."""
MEDIA_TYPES = {
    ".pdf": ("application", "pdf"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


class AddressError(Exception):
    """An address that no message can be sent to or from; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Who writes to whom, and when; addresses are bare, `message_id` is in angle brackets.

    The name beside the sender's address is the enterprise's, unless `sender_name` is another.
    """

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    date: datetime
    sender_name: str | None = None
    reply_to: str | None = None


class Folded(EmailPolicy):
    """Headers as Python folds them, but for a long subject: its first line would be empty."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Fold a header; a subject between its words, unless it has to be encoded."""
        if name != "Subject" or not value.isascii():
            return super().fold_binary(name, value)
        folded = fill(
            f"{name}: {value}",
            78,
            subsequent_indent=" ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        return f"{folded}\n".replace("\n", self.linesep).encode()


def message(
    document: InvoiceDocument, design: Design, envelope: Envelope, files: Mapping[str, bytes]
) -> bytes:
    """Write the e-mail of an invoice; `files` are attached by name, in their order.

    Raises AddressError, or Rejected with the mistake in a template. Templates may be a user's own:
    to be called in a worker, like `draw`.
    """
    picture, content = _logo(design.logo)
    names = [one_line(name) for name in files]
    email = email_document(document, names, answered=envelope.reply_to is not None, picture=picture)
    locale = email.cost_center.locale or design.locale
    subject, text, page = (
        draw(Task(path=name, template=f"{name}.j2", document=email, locale=locale), design).decode()
        for name in ("email.subject.txt", "email.txt", "email.html")
    )
    mail = EmailMessage(policy=Folded(linesep="\r\n"))
    for name, value in _headers(envelope, email, subject):
        mail[name] = value
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    if picture:
        _add_picture(mail, picture, content)
    for name, attached in zip(names, files.values(), strict=True):
        mail.add_attachment(attached, *_media_type(name), filename=name)
    # The last, as parts take over what begins with Content-.
    mail["Content-Language"] = locale.replace("_", "-")
    _settle(mail, envelope.message_id)
    return mail.as_bytes()


def address(text: str, name: str = "") -> Address:
    """Give an address for a header; raises AddressError for one that no mail server would take."""
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise AddressError(
            f"{quoted(text)} has letters beyond a to z before the @, which few mail servers take"
        )
    try:
        spec = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
        parsed = Address(display_name=_header_text(name), addr_spec=spec)
    except (MessageError, ValueError, IndexError):
        raise AddressError(f"{quoted(text)} is not an e-mail address") from None
    if parsed.addr_spec != spec:  # the parser left out a comment, or took an encoded word apart
        raise AddressError(f"{quoted(text)} is not an e-mail address")
    return parsed


def _headers(
    envelope: Envelope, email: EmailDocument, subject: str
) -> Iterator[tuple[str, object]]:
    yield "From", address(envelope.sender, envelope.sender_name or email.heading.enterprise)
    yield "To", tuple(map(address, envelope.recipients))
    if envelope.reply_to:
        yield "Reply-To", address(envelope.reply_to)
    yield "Subject", _header_text(subject)
    yield "Date", envelope.date
    yield "Message-ID", envelope.message_id
    yield "Auto-Submitted", "auto-generated"


def _header_text(text: str) -> str:
    """Give a text on one line that no parser takes for an encoded word."""
    return one_line(text).replace("=?", "= ?")


def _logo(logo: str | None) -> tuple[Picture | None, bytes]:
    """Give the logo and its bytes, where it is a PNG: mail programs show no SVG."""
    if not logo or not logo.startswith(PNG):
        return None, b""
    content = base64.b64decode(logo.removeprefix(PNG))
    width, height = struct.unpack(">II", content[16:24])
    shrunk = max(width / LOGO_WIDTH, height / LOGO_HEIGHT, 1)
    cid = f"{sha256(content).hexdigest()[:16]}@logo.invalid"
    return Picture(
        cid=cid, width=max(1, round(width / shrunk)), height=max(1, round(height / shrunk))
    ), content


def _add_picture(mail: EmailMessage, picture: Picture, content: bytes) -> None:
    """Put the logo beside the page, which asks for it by its id."""
    (*_, page) = mail.iter_parts()
    page.add_related(
        content,
        "image",
        "png",
        cid=f"<{picture.cid}>",
        disposition="inline",
        filename="logo.png",
    )


def _media_type(name: str) -> tuple[str, str]:
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), ("application", "octet-stream"))


def _settle(whole: EmailMessage, message_id: str) -> None:
    """Name the boundaries after the message, and leave its version to the whole.

    `=_` stands in no body: in texts `=` is encoded, and base64 ends with it.
    """
    digest = sha256(message_id.encode()).hexdigest()[:32]
    for number, part in enumerate(part for part in whole.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")
    for part in whole.walk():
        if part is not whole:
            del part["MIME-Version"]
