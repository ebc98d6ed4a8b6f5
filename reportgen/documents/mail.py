"""An e-mail with a document, as the bytes of a message (RFC 5322): text, the same as a page, files.

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
import re
import struct
from collections.abc import Iterable, Iterator
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
from reportgen.documents.content.email import EmailDocument, Picture
from reportgen.documents.tasks import Task
from reportgen.documents.templating.widths import one_line

PNG = "data:image/png;base64,"
WORDS = ("email.subject.txt", "email.txt", "email.html")
"""What is drawn of an e-mail; the templates are called the same."""
LINE = re.compile(rb".{1,76}")
"""A line of base64; RFC 2045 allows no longer ones."""
LOGO_WIDTH, LOGO_HEIGHT = 180, 48
"""Pixels that the logo may take."""
MEDIA_TYPES = {
    ".pdf": ("application", "pdf"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


TWO_MEANINGS = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
"""Letters of domains that are others by older rules, so that a message could go elsewhere."""


class AddressError(Exception):
    """An address that no message can be sent to or from; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Who writes to whom, and when; addresses are bare, `message_id` is in angle brackets.

    `sender_name` stands beside the sender's address.
    """

    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    message_id: str
    date: datetime
    reply_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What an e-mail says, in the language of a locale."""

    subject: str
    text: str
    page: str
    locale: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Framed:
    """A message that is whole but for its files: a mark stands in the place of each."""

    content: bytes
    marks: tuple[bytes, ...]

    def filled(self, files: Iterable[bytes]) -> bytes:
        """Put files in the place of their marks; Python's own way takes five times as long."""
        pieces, left = [], self.content
        for mark, attached in zip(self.marks, files, strict=True):
            before, _, left = left.partition(mark)
            pieces += [before, _lines_of(attached)]
        return b"".join([*pieces, left])


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


def words_of(email: EmailDocument, place: str, locale: str) -> tuple[Task, ...]:
    """List what there is to be drawn of an e-mail, under `place`: subject, text and page."""
    return tuple(
        Task(path=f"{place}/{name}", template=f"{name}.j2", document=email, locale=locale)
        for name in WORDS
    )


def framed(
    words: Words, envelope: Envelope, names: Iterable[str], logo: str | None = None
) -> Framed:
    """Put a message together but for its files, of which it has the names, in their order.

    Raises AddressError.
    """
    mail = EmailMessage(policy=Folded(linesep="\r\n"))
    for name, value in _headers(envelope, words.subject):
        mail[name] = value
    mail.set_content(words.text, cte="quoted-printable")
    mail.add_alternative(words.page, subtype="html", cte="quoted-printable")
    picture, content = picture_of(logo)
    if picture:
        _add_picture(mail, picture, content)
    for name in names:
        shown = attachment_name(name)
        mail.add_attachment(b"", *_media_type(shown), filename=shown)
    # The last, as parts take over what begins with Content-.
    mail["Content-Language"] = words.locale.replace("_", "-")
    marks = _settle(mail, envelope.message_id)
    return Framed(content=mail.as_bytes(), marks=marks)


def attachment_name(name: str) -> str:
    """Give the name of a file as a header has it."""
    return one_line(name)


def address(text: str, name: str = "") -> Address:
    """Give an address for a header; raises AddressError for one that no mail server would take."""
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise AddressError(
            f"{quoted(text)} has letters beyond a to z before the @, which few mail servers take"
        )
    if TWO_MEANINGS & set(domain):
        raise AddressError(
            f"the domain of {quoted(text)} can be read as two: write it as it begins with xn--"
        )
    try:
        spec = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
        parsed = Address(display_name=_header_text(name), addr_spec=spec)
    except (MessageError, ValueError, IndexError):
        raise AddressError(f"{quoted(text)} is not an e-mail address") from None
    if parsed.addr_spec != spec:  # the parser left out a comment, or took an encoded word apart
        raise AddressError(f"{quoted(text)} is not an e-mail address")
    return parsed


def _headers(envelope: Envelope, subject: str) -> Iterator[tuple[str, object]]:
    yield "From", address(envelope.sender, envelope.sender_name)
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


def picture_of(logo: str | None) -> tuple[Picture | None, bytes]:
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


def _settle(whole: EmailMessage, message_id: str) -> tuple[bytes, ...]:
    """Name the boundaries after the message, and leave its version to the whole.

    Gives the marks that stand for what is attached. `=_` stands in no body: in texts `=` is
    encoded, and base64 ends with it.
    """
    digest = sha256(message_id.encode()).hexdigest()[:32]
    for number, part in enumerate(part for part in whole.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")
    for part in whole.walk():
        if part is not whole:
            del part["MIME-Version"]
    marks = []
    for number, part in enumerate(whole.iter_attachments()):
        marks.append(f"=_{digest}_file_{number}")
        part.set_payload(marks[-1])
    return tuple(mark.encode() for mark in marks)


def _lines_of(attached: bytes) -> bytes:
    """Write bytes as lines of base64."""
    text = base64.b64encode(attached)
    return b"\r\n".join(LINE.findall(text))
