"""The mail server: reached and signed in to, and left without a word to anybody."""

from collections.abc import Iterator

from reportgen.commands.doctor.finding import Finding, fine, told, untried
from reportgen.core.problem import Rejected
from reportgen.delivery.server import MailFailure, Patience
from reportgen.delivery.session import connected
from reportgen.operations.context import Context
from reportgen.operations.mail.mail_server import mail_server
from reportgen.sources.config.configuration import Configuration

MAIL = "mail"
PATIENCE = Patience(connect=4, command=4, token=4)


def mail(configuration: Configuration, context: Context) -> Iterator[Finding]:
    """Reach the mail server, and sign in where that is configured."""
    email = configuration.settings.email
    if email is None:
        yield untried(MAIL, "the configuration has no `email:`")
        return
    try:
        server = mail_server(configuration, context, PATIENCE)
        with connected(server) as session:
            limits = session.limits
    except Rejected as rejected:
        yield from (told(MAIL, problem) for problem in rejected.problems)
    except MailFailure as failure:
        yield told(MAIL, failure.problem)
    else:
        secured = limits.secured or "not encrypted"
        yield fine(MAIL, f"{server.place} answers: {secured}, sign-in {email.sign_in}")
