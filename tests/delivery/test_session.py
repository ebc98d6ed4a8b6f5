"""A message given to a real server, which refuses, puts off, hangs up and is silent at any step."""

import base64
from dataclasses import replace

import pytest

from reportgen.delivery.server import AccessToken, MailFailure, MailServer, Password, Patience
from reportgen.delivery.session import Outgoing, connected
from tests.postoffice import (
    DROP,
    END,
    ENDLESS,
    PASSWORD,
    TAKEN_DROP,
    TAKEN_SILENT,
    TOKEN,
    TRICKLING,
    USER,
    certified,
    open_office,
)

CONTENT = b"Message-ID: <1@acme.example>\r\nSubject: a\r\n\r\n.dot\r\n..two\r\nlast line\r\n"
SHORT = Patience(connect=5, command=5, block=5, last=0.3)
BEFORE_THE_END = ("MAIL", "RCPT", "DATA")


def at(office, **changed) -> MailServer:
    server = MailServer(
        host="127.0.0.1",
        source="chargeback.yaml:9",
        security="plain",
        port=office.port,
        patience=SHORT,
    )
    return replace(server, **changed)


def outgoing(recipient="ada@acme.example", content=CONTENT, **told) -> Outgoing:
    return Outgoing(sender=USER, recipient=recipient, content=content, **told)


def handed_over(server, content=CONTENT, begun=None):
    begun = [] if begun is None else begun
    with connected(server) as session:
        return session.hand_over(outgoing(content=content, begin=lambda: begun.append(1)))


def refused(server) -> MailFailure:
    with pytest.raises(MailFailure) as caught:
        handed_over(server)
    assert caught.value.problem.source == "chargeback.yaml:9"
    return caught.value


def failing(verb, answer):
    return lambda asked, argument: answer if asked == verb else None


# What becomes of a message


def test_a_message_arrives_as_it_is():
    with open_office() as office:
        outcome = handed_over(at(office))
    assert (outcome.kind, outcome.said, outcome.lost) == ("accepted", "250 2.0.0 taken as 1", False)
    (received,) = office.received
    assert received.content == CONTENT
    assert (received.sender, received.recipients) == (USER, ("ada@acme.example",))
    assert office.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("verb", BEFORE_THE_END)
@pytest.mark.parametrize(
    ("answer", "kind", "lost"),
    [
        ("451 4.7.1 greylisted, come back", "deferred", False),
        ("421 4.3.2 closing", "deferred", True),
        (DROP, "deferred", True),
        ("nonsense", "deferred", True),
    ],
)
def test_what_is_put_off_or_broken_before_the_end_was_not_taken(verb, answer, kind, lost):
    with open_office() as office:
        office.fault = failing(verb, answer)
        outcome = handed_over(at(office))
        assert office.received == []
    assert (outcome.kind, outcome.lost) == (kind, lost)


@pytest.mark.parametrize("verb", ["RCPT", "DATA", END])
def test_what_is_refused_is_refused(verb):
    with open_office() as office:
        office.fault = failing(verb, "550 5.1.1 nobody of that name")
        outcome = handed_over(at(office))
    assert (outcome.kind, outcome.said, outcome.lost) == (
        "refused",
        "550 5.1.1 nobody of that name",
        False,
    )


def test_one_that_is_too_large_is_refused_alone_and_a_sender_altogether():
    with open_office() as office:
        office.fault = failing("MAIL", "552 5.3.4 too large")
        assert handed_over(at(office)).kind == "refused"
        office.fault = failing("MAIL", "550 5.7.60 not allowed to send as this sender")
        failure = refused(at(office))
    assert "takes nothing from chargeback@acme.example: 550 5.7.60" in failure.problem.message
    assert not failure.passing


def test_an_answer_after_the_end_tells():
    with open_office() as office:
        office.fault = failing(END, "451 4.3.0 disk is full")
        assert handed_over(at(office)).kind == "deferred"


def test_an_answer_after_the_end_that_means_nothing_leaves_it_open():
    with open_office() as office:
        office.fault = failing(END, "399 well")
        outcome = handed_over(at(office))
    assert (outcome.kind, outcome.lost) == ("uncertain", True)
    assert outcome.said == "the answer has no meaning: 399 well"


@pytest.mark.parametrize("kind", [DROP, TAKEN_DROP, TAKEN_SILENT])
def test_without_an_answer_after_the_end_nobody_knows(kind):
    with open_office() as office:
        office.fault = failing(END, kind)
        outcome = handed_over(at(office))
    assert (outcome.kind, outcome.lost) == ("uncertain", True)


@pytest.mark.parametrize("kind", [ENDLESS, TRICKLING])
def test_an_answer_without_end_is_none(kind):
    with open_office() as office:
        office.fault = failing(END, kind)
        outcome = handed_over(at(office))
        assert (outcome.kind, outcome.lost) == ("uncertain", True)
        office.fault = failing("RCPT", kind)
        hurried = replace(SHORT, command=0.3)
        assert handed_over(at(office, patience=hurried)).kind == "deferred"
        office.fault = failing("EHLO", kind)
        assert refused(at(office, patience=hurried)).passing
        assert office.received == []


def test_what_is_begun_is_told_after_the_recipient_is_known_and_before_the_message():
    with open_office() as office:
        begun: list[int] = []
        office.fault = failing("RCPT", "550 no")
        handed_over(at(office), begun=begun)
        assert begun == []
        office.fault = failing("DATA", DROP)
        handed_over(at(office), begun=begun)
        assert begun == [1]


def test_after_a_refusal_the_connection_is_used_again():
    with open_office() as office:
        office.fault = lambda verb, said: "550 no" if verb == "RCPT" and "eve" in said else None
        with connected(at(office)) as session:
            kinds = [
                session.hand_over(outgoing(one)).kind
                for one in ("eve@acme.example", "ada@acme.example", "eve@acme.example")
            ]
    assert kinds == ["refused", "accepted", "refused"]
    assert office.connections == 1


def test_what_the_server_takes_is_read():
    with open_office(size=1000) as office, connected(at(office)) as session:
        assert session.limits.size == 1000
        assert session.limits.secured == ""
        assert "8BITMIME" in session.limits.extensions
        large = CONTENT + b"x" * 1000
        assert session.hand_over(outgoing(content=large)).kind == "refused"


# Secured


def test_starttls_and_tls_are_spoken(trusted):
    for implicit, security in ((False, "starttls"), (True, "tls")):
        with open_office(trusted, implicit=implicit) as office:
            server = at(office, security=security)
            with connected(server) as session:
                assert session.limits.secured.startswith("TLSv1.")
            assert handed_over(replace(server, host="localhost")).kind == "accepted"


def test_a_certificate_that_nobody_signed_is_refused(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with open_office(certificate) as office:
        failure = refused(at(office, security="starttls"))
    assert "cannot be trusted: self-signed certificate" in failure.problem.message
    assert not failure.passing


def test_a_certificate_of_another_host_is_refused(tmp_path, monkeypatch):
    certificate = certified(tmp_path, "IP:127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with open_office(certificate, implicit=True) as office:
        failure = refused(at(office, security="tls"))
    assert "cannot be trusted: IP address mismatch" in failure.problem.message


def test_a_server_without_starttls_is_not_spoken_to_in_clear():
    with open_office() as office:
        failure = refused(by_password(office))
    assert "does not offer STARTTLS" in failure.problem.message
    assert office.commands == ["EHLO"]


def test_tls_where_there_is_none_is_said():
    with open_office() as office:
        failure = refused(at(office, security="tls"))
    assert failure.problem.message.startswith("there is no TLS with the mail server")


def test_nobody_there_is_said():
    with open_office() as office:
        server = at(office)
    failure = refused(server)
    assert failure.problem.message.endswith("cannot be reached: connection refused")
    assert failure.passing


# Signed in


def by_password(office, password=PASSWORD, **changed):
    return at(
        office,
        security="starttls",
        sign_in=Password(user=USER, password=password),
        **changed,
    )


def by_token(office, token=TOKEN):
    return at(office, security="starttls", sign_in=AccessToken(user=USER, fetch=lambda: token))


@pytest.mark.parametrize("without", [(), ("PLAIN",)])
def test_a_password_of_any_letters_signs_in(trusted, without):
    with open_office(trusted, sign_in=True, without=without) as office:
        assert handed_over(by_password(office)).kind == "accepted"


def test_a_wrong_password_is_said_and_never_shown(trusted):
    with open_office(trusted, sign_in=True) as office:
        failure = refused(by_password(office, "wr0ng-päss"))
    assert f"does not let {USER} sign in: 535" in failure.problem.message
    assert not failure.passing
    assert "wr0ng" not in str(failure)


def test_a_token_signs_in(trusted):
    with open_office(trusted, sign_in=True) as office:
        assert handed_over(by_token(office)).kind == "accepted"
        assert office.challenged == []


def test_the_challenge_that_tells_an_error_is_answered_by_an_empty_line(trusted):
    with open_office(trusted, sign_in=True) as office:
        failure = refused(by_token(office, "ya29.0ld"))
    assert office.challenged == [b""]
    assert '"status": "400"' in failure.problem.message
    assert "535" in failure.problem.message
    assert "ya29.0ld" not in str(failure)


def test_every_connection_asks_for_its_own_token(trusted):
    tokens = iter(["ya29.0ld", TOKEN])
    with open_office(trusted, sign_in=True) as office:
        sign_in = AccessToken(user=USER, fetch=lambda: next(tokens))
        server = at(office, security="starttls", sign_in=sign_in)
        refused(server)
        assert handed_over(server).kind == "accepted"


def test_a_sign_in_that_is_not_offered_is_said(trusted):
    with open_office(trusted, sign_in=True, without=("PLAIN", "LOGIN")) as office:
        failure = refused(by_password(office))
    assert "offers no sign-in by PLAIN or LOGIN, only XOAUTH2" in failure.problem.message


def test_a_sign_in_that_is_put_off_may_pass(trusted):
    with open_office(trusted, sign_in=True) as office:
        office.fault = failing("AUTH", "454 4.7.0 later")
        assert refused(by_password(office)).passing


@pytest.mark.parametrize("verb", ["EHLO", "STARTTLS", "AUTH"])
def test_a_server_that_hangs_up_while_it_is_reached_is_said(trusted, verb):
    with open_office(trusted, sign_in=True) as office:
        office.fault = failing(verb, DROP)
        failure = refused(by_password(office))
    assert failure.passing
    assert "cannot be reached" in failure.problem.message


@pytest.mark.parametrize("form", ["{0}", "{1}", "{2}", "user {0} and {2}"])
def test_what_a_server_repeats_of_a_secret_is_hidden(trusted, form):
    plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    own = base64.b64encode(PASSWORD.encode()).decode()
    with open_office(trusted, sign_in=True) as office:
        said = form.format(PASSWORD, plain, own)
        office.fault = failing("AUTH", f"535 5.7.8 {said} is wrong")
        failure = refused(by_password(office))
        assert "[secret]" in failure.problem.message
        office.fault = failing(END, f"550 5.7.1 {said} is known")
        outcome = handed_over(by_password(office))
    for shown in (str(failure), outcome.said, repr(by_password(office))):
        assert PASSWORD not in shown
        assert plain not in shown
        assert own not in shown
