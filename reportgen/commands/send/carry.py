"""Messages taken to the mail server: as large as it takes them, and as far as it lets them."""

from collections.abc import Sequence
from dataclasses import replace

from reportgen.core.delivery import Dispatch
from reportgen.core.problem import Problem
from reportgen.delivery.server import MailFailure
from reportgen.documents.mail import address
from reportgen.operations.context import Context
from reportgen.operations.mail.courier import Courier, Ledger
from reportgen.operations.mail.mail_server import email_of, mail_server
from reportgen.operations.mail.mailing import Addressed, Mailing
from reportgen.sources.config.configuration import Configuration


def courier_of(configuration: Configuration, context: Context) -> Courier:
    """Give somebody who carries messages; raises Rejected where a secret is not there."""
    email = email_of(configuration)
    server = mail_server(configuration, context)
    return Courier(server, address(email.from_).addr_spec, email.per_minute, context)


def carried(
    courier: Courier,
    mailing: Mailing,
    due: Sequence[Addressed],
    ledger: Ledger,
    context: Context,
) -> Problem | None:
    """Carry what is due, and give what ended that, if anything did."""
    try:
        limit = courier.limits().size
        mailing.fit(due, ledger.known, limit)
        parcels = mailing.parcels(due, ledger.known)
        too_large = [one for one in parcels if not mailing.fits(one, limit)]
        ledger.record(*(_too_large(one.dispatch, limit, context) for one in too_large))
        courier.deliver([one for one in parcels if one not in too_large], ledger)
    except MailFailure as failure:
        return failure.problem
    finally:
        courier.close()
    return None


def _too_large(dispatch: Dispatch, limit: int, context: Context) -> Dispatch:
    said = f"not sent: it is larger than the {limit} bytes that the server takes"
    return replace(dispatch, state="failed", at=context.now(), said=said)
