"""Letters become messages: their words are drawn, files are attached, what is too large stays.

Law: every word of a run is drawn before its first message goes out, so that a mistake in a template
stops all of it, or nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reportgen.core.delivery import Delivery, Dispatch, Known
from reportgen.documents.content.email import email_document
from reportgen.documents.mail import (
    WORDS,
    Envelope,
    Words,
    address,
    attachment_name,
    framed,
    picture_of,
    words_of,
)
from reportgen.documents.tasks import Design, Task
from reportgen.documents.templating.templates import read_templates
from reportgen.operations.building.artifacts import design_of
from reportgen.operations.building.drawing import Studio, draw
from reportgen.operations.context import Context
from reportgen.operations.mail.courier import Parcel
from reportgen.operations.mail.letters import Letter, recipients
from reportgen.operations.mail.mail_server import email_of
from reportgen.sources.config.configuration import Configuration
from reportgen.sources.config.schema import EmailSection

SURELY_SMALL = 256 * 1024
"""Bytes that a message has beside twice its files, and more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressed:
    """A letter on its way to an address; `shown` are the addresses that it names."""

    letter: Letter
    delivery: Delivery
    shown: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Mailing:
    """What the messages of a run share; `words` are by the hash of a letter's document.

    `left_out` are the files that a letter goes without, by the same.
    """

    email: EmailSection
    enterprise: str
    design: Design
    context: Context
    workers: int
    words: dict[str, Words] = field(default_factory=dict)
    left_out: dict[str, frozenset[str]] = field(default_factory=dict)

    def write(self, letters: Iterable[Letter]) -> None:
        """Draw the words of letters; raises Rejected with a mistake in a template."""
        listed = {letter.hash: letter for letter in letters}
        if not listed:
            return
        drawn: dict[str, str] = {}
        studio = Studio(workers=self.workers, label="Writing e-mails")
        tasks = [task for letter in listed.values() for task in self._tasks(letter)]
        warnings = draw(
            tasks,
            self.design,
            studio,
            self.context,
            lambda name, content: drawn.update({name: content.decode()}),
        )
        self.context.terminal.problems(warnings)
        for key, letter in listed.items():
            subject, text, page = (drawn[f"{key}/{name}"] for name in WORDS)
            self.words[key] = Words(subject=subject, text=text, page=page, locale=letter.locale)

    def parcels(self, due: Iterable[Addressed], known: Known) -> list[Parcel]:
        """Put messages together but for their files, which are read when their time has come."""
        return [self._parcel(one, known[one.delivery.key]) for one in due]

    def fit(self, due: Iterable[Addressed], known: Known, limit: int) -> None:
        """Leave out of a message that is larger than a server takes all but its PDF."""
        first = {one.letter.hash: one for one in due}.values()
        doubtful = [one for one in first if not _surely_fits(self._weight(one.letter), limit)]
        too_large = [
            one.letter
            for one, parcel in zip(doubtful, self.parcels(doubtful, known), strict=True)
            if not self.fits(parcel, limit)
        ]
        for letter in too_large:
            _, *others = letter.files
            self.left_out[letter.hash] = frozenset(others)
        self.write(too_large)

    def fits(self, parcel: Parcel, limit: int) -> bool:
        """Tell whether a server takes a message of this size; 0 is no limit."""
        return _surely_fits(parcel.weight, limit) or len(parcel.content()) <= limit

    def _parcel(self, one: Addressed, dispatch: Dispatch) -> Parcel:
        letter, names = one.letter, self._attached(one.letter)
        envelope = Envelope(
            sender=self.email.from_,
            sender_name=self.enterprise,
            recipients=one.shown,
            message_id=dispatch.message_id,
            date=dispatch.dated,
            reply_to=self.email.reply_to,
        )
        shown = [PurePosixPath(name).name for name in names]
        frame = framed(self.words[letter.hash], envelope, shown, self.design.logo)
        return Parcel(
            dispatch=dispatch,
            content=lambda: frame.filled(letter.content(name) for name in names),
            files={name: letter.files[name] for name in names},
            weight=self._weight(letter),
        )

    def _weight(self, letter: Letter) -> int:
        return sum((letter.folder / name).stat().st_size for name in self._attached(letter))

    def _attached(self, letter: Letter) -> list[str]:
        left_out = self.left_out.get(letter.hash, frozenset())
        return [name for name in letter.files if name not in left_out]

    def _tasks(self, letter: Letter) -> Sequence[Task]:
        picture, _ = picture_of(self.design.logo)
        left_out = self.left_out.get(letter.hash, frozenset())
        email = email_document(
            letter.document,
            [_shown(name) for name in self._attached(letter)],
            left_out=[_shown(name) for name in letter.files if name in left_out],
            seal=letter.seal,
            answered=self.email.reply_to is not None,
            picture=picture,
        )
        return words_of(email, letter.hash, letter.locale)


def mailing_of(configuration: Configuration, context: Context, workers: int) -> Mailing:
    """Say what messages share: by the templates of today, as the attached documents are final."""
    return Mailing(
        email=email_of(configuration),
        enterprise=configuration.settings.enterprise,
        design=design_of(configuration, read_templates(configuration.templates)),
        context=context,
        workers=workers,
    )


def domain_of(mailing: Mailing) -> str:
    """Give the domain that names of messages end with: the sender's."""
    return address(mailing.email.from_).domain


def addressed(letters: Iterable[Letter], copies: Sequence[str]) -> list[Addressed]:
    """Give every letter to everybody who gets it, each of whom sees the contacts alone."""
    return [
        Addressed(letter=letter, delivery=letter.to(one), shown=letter.center.contacts)
        for letter in letters
        for one in recipients(letter, copies)
    ]


def _surely_fits(weight: int, limit: int) -> bool:
    return not limit or 2 * weight + SURELY_SMALL <= limit


def _shown(name: str) -> str:
    return attachment_name(PurePosixPath(name).name)
