"""What the keys of `email` must not say together: a way to sign in has all it needs, and no other.

Law: no password, token or document is sent where others can read it on the way, unless somebody
says that nobody can.
"""

from collections.abc import Iterator

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.plain_http import is_plain, is_this_machine
from reportgen.sources.config.schema import EmailSection
from reportgen.sources.config.yamldoc import YamlDocument

TOKENS = ("token_env", "token_command", "client_credentials")
"""Where a token comes from: one of these."""
NEEDED_BY = {"password_env": "password", **dict.fromkeys(TOKENS, "xoauth2")}
"""Which way to sign in each key belongs to."""


def unsound_email(email: EmailSection | None, document: YamlDocument) -> Iterator[Problem]:
    """Report what does not go together."""
    if email is None:
        return
    yield from _readable_on_the_way(email, document)
    yield from _of_another_way(email, document)
    yield from _incomplete(email, document)


def lines_of_email(email: EmailSection | None, document: YamlDocument) -> dict[str, str]:
    """Give the line of every key below `email`; that of `email` itself stands under ""."""
    if email is None:
        return {"": document.line()}
    names = [field.alias or name for name, field in EmailSection.model_fields.items()]
    return {"": document.line("email"), **{name: document.line("email", name) for name in names}}


def _readable_on_the_way(email: EmailSection, document: YamlDocument) -> Iterator[Problem]:
    if email.allow_plain:
        return
    if email.security == "plain" and not is_this_machine(email.host):
        yield Problem(
            source=document.line("email", "security"),
            message='"security": everybody on the way could read what is sent',
            hint="write starttls or tls, or `allow_plain: true` below it if nobody else can listen",
        )
    if email.client_credentials and is_plain(email.client_credentials.token_url):
        yield Problem(
            source=document.line("email", "client_credentials", "token_url"),
            message='"token_url": the secret would be sent in clear text',
            hint="write https://",
        )


def _of_another_way(email: EmailSection, document: YamlDocument) -> Iterator[Problem]:
    """Report keys that the way to sign in does not use: somebody meant another."""
    for key, needed in NEEDED_BY.items():
        if getattr(email, key) is not None and email.sign_in != needed:
            message = f"{quoted(key)}: it is not used, as the sign-in is {quoted(email.sign_in)}"
            hint = f"write `auth: {needed}`, or remove it"
            yield Problem(source=document.line("email", key), message=message, hint=hint)


def _incomplete(email: EmailSection, document: YamlDocument) -> Iterator[Problem]:
    source = document.line("email", "auth")
    if email.sign_in == "password" and email.password_env is None:
        hint = "add `password_env`, the name of the variable that holds the password"
        message = '"auth": nothing says where the password is'
        yield Problem(source=source, message=message, hint=hint)
    named = [key for key in TOKENS if getattr(email, key) is not None]
    if email.sign_in == "xoauth2" and not named:
        message = '"auth": nothing says where the token comes from'
        yield Problem(source=source, message=message, hint=f"add one of {', '.join(TOKENS)}")
    for key in named[1:] if email.sign_in == "xoauth2" else ():
        message = f"{quoted(key)}: the token comes from {quoted(named[0])} already"
        yield Problem(
            source=document.line("email", key), message=message, hint="name one place for it"
        )
