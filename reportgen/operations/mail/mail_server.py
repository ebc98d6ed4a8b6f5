"""How a command reaches the mail server: secrets are read here, and go nowhere else."""

from collections.abc import Callable

from reportgen.core.problem import Problem, Rejected
from reportgen.delivery.server import (
    AccessToken,
    MailFailure,
    MailServer,
    Password,
    Patience,
    SignIn,
)
from reportgen.delivery.tokens import TokenRequest, from_command, from_server, is_token
from reportgen.operations.connect import proxy_of
from reportgen.operations.context import Context
from reportgen.sources.config.configuration import Configuration
from reportgen.sources.config.schema import ClientCredentialsSection, EmailSection


def email_of(configuration: Configuration) -> EmailSection:
    """Give what is said about e-mail; raises Rejected where nothing is."""
    email = configuration.settings.email
    if email is None:
        source = configuration.email_sources[""]
        message = 'nothing says how documents are mailed: the key "email" is missing'
        hint = "add `email: {host: …, from: …}`; docs/mail.md has recipes"
        raise Rejected([Problem(source=source, message=message, hint=hint)])
    return email


PATIENT = Patience()


def mail_server(
    configuration: Configuration, context: Context, patience: Patience = PATIENT
) -> MailServer:
    """Say where the mail server is and how to sign in; raises Rejected for a variable not set."""
    email = email_of(configuration)
    return MailServer(
        host=email.host,
        source=configuration.email_sources["host"],
        security=email.security,
        port=email.port,
        sign_in=_sign_in(email, configuration, context, patience.token),
        patience=patience,
    )


def _sign_in(
    email: EmailSection, configuration: Configuration, context: Context, patience: float
) -> SignIn:
    if email.sign_in == "none":
        return None
    user = email.from_
    if email.username_env:
        user = _set(email.username_env, "username_env", configuration, context)
    if email.sign_in == "password":
        name = email.password_env or ""
        password = _set(name, "password_env", configuration, context)
        context.secrets.add(password)
        return Password(user=user, password=password)
    fetch = _fetch(email, configuration, context, patience)

    def fetch_token() -> str:
        token = fetch()
        context.secrets.add(token)
        return token

    return AccessToken(user=user, fetch=fetch_token)


def _fetch(
    email: EmailSection, configuration: Configuration, context: Context, patience: float
) -> Callable[[], str]:
    """Say where a token comes from, each time one is needed."""
    sources = configuration.email_sources
    if email.token_command:
        command = email.token_command
        source = sources["token_command"]
        return lambda: from_command(command, context.environment, source, patience)
    if email.client_credentials:
        request = _request(email.client_credentials, configuration, context)
        return lambda: from_server(request, patience)
    token = _set(email.token_env or "", "token_env", configuration, context)
    context.secrets.add(token)
    if not is_token(token):
        message = f"the environment variable {email.token_env} holds what is no token"
        problem = Problem(source=sources["token_env"], message=message, hint="set it to the token")
        raise MailFailure(problem)
    return lambda: token


def _request(
    asked: ClientCredentialsSection, configuration: Configuration, context: Context
) -> TokenRequest:
    name = asked.client_secret_env
    secret = _set(name, "client_credentials", configuration, context)
    context.secrets.add(secret)
    return TokenRequest(
        url=asked.token_url,
        client_id=asked.client_id,
        client_secret=secret,
        scope=asked.scope,
        proxy=proxy_of(asked.token_url, context.environment),
        source=configuration.email_sources["client_credentials"],
    )


def _set(name: str, key: str, configuration: Configuration, context: Context) -> str:
    """Read a variable that has to be set."""
    value = context.environment.get(name, "").rstrip("\r\n")
    if not value.strip() or not value.isprintable():
        state = "holds characters that no sign-in has" if value.strip() else "is not set"
        message = f"the environment variable {name} {state}"
        hint = "set it in the shell, or in what starts the command"
        source = configuration.email_sources[key]
        raise Rejected([Problem(source=source, message=message, hint=hint)])
    return value
