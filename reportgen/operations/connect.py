"""How a command reaches the API, or the recording that stands in for it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx

from reportgen.archive import evidence
from reportgen.core.model import RecordedResponse
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import Context
from reportgen.sources.api import versions as api
from reportgen.sources.api.client import ApiFailure, Connection
from reportgen.sources.api.client import drive as driven
from reportgen.sources.api.plan import Plan
from reportgen.sources.api.replay import ReplayTransport
from reportgen.sources.api.wire import MIB
from reportgen.sources.config.configuration import Configuration
from reportgen.sources.config.plain_http import is_loopback, is_plain

T = TypeVar("T")
Responses = Mapping[str, RecordedResponse]
OTHER_KEYS = {"v3": "apk_", "v2": "cog_"}
"""How the keys of the other version begin, which this one refuses."""
NOWHERE = "http://recording.invalid"
"""Stands for the host of a recording, which knows requests without host or path before theirs."""


class Retold(Mapping[str, RecordedResponse]):
    """The answers of a recording that were asked for, in that order: they stay where they lie."""

    def __init__(self, recording: Responses) -> None:
        """Begin when nothing was asked for."""
        self._recording = recording
        self._asked: dict[str, None] = {}

    def append(self, response: RecordedResponse) -> None:
        """Note that an answer was asked for."""
        self._asked[response.request] = None

    def __getitem__(self, request: str) -> RecordedResponse:
        """Read an answer."""
        if request not in self._asked:
            raise KeyError(request)
        return self._recording[request]

    def __contains__(self, request: object) -> bool:
        """Tell without reading."""
        return request in self._asked

    def __iter__(self) -> Iterator[str]:
        """Give the requests."""
        return iter(self._asked)

    def __len__(self) -> int:
        """Count the requests."""
        return len(self._asked)


def connect(
    configuration: Configuration, context: Context, concurrency: int
) -> tuple[Connection, Responses]:
    """Connect to the API or to the recording; responses arrive in the mapping that is returned."""
    if configuration.replay:
        return _connected_to_recording(configuration, configuration.replay, context, concurrency)
    responses: dict[str, RecordedResponse] = {}

    def append(response: RecordedResponse) -> None:
        responses[response.request] = response

    tokens, source = _tokens(configuration, context), configuration.settings.source
    connection = _connection(configuration, context, concurrency, tokens, append)
    if is_plain(source.base_url):
        context.terminal.problems([_plain(configuration)])
    return replace(connection, proxy=proxy_of(source.base_url, context.environment)), responses


def _connected_to_recording(
    configuration: Configuration, path: Path, context: Context, concurrency: int
) -> tuple[Connection, Responses]:
    refuse_missing_recording(configuration)
    recording = evidence.stored(path)
    retold, tokens = Retold(recording), dict.fromkeys(variables(configuration), "")
    connection = _connection(configuration, context, concurrency, tokens, retold.append)
    transport = ReplayTransport(recording, str(path))
    return replace(connection, base_url=NOWHERE, transport=transport), retold


def _connection(
    configuration: Configuration,
    context: Context,
    concurrency: int,
    tokens: Mapping[str, str],
    append: Callable[[RecordedResponse], None],
) -> Connection:
    return Connection(
        base_url=configuration.settings.source.base_url,
        tokens=tokens,
        append=append,
        now=context.now,
        progress=lambda done, known: None,  # noqa: ARG005 - shown by the caller
        tell=context.terminal.say,
        largest_answer=configuration.settings.source.max_answer_mib * MIB,
        concurrency=concurrency,
    )


def drive(plan: Plan[T], connection: Connection, known: Mapping[str, RecordedResponse]) -> T:
    """Follow a plan to its end: from what is `known`, else over the connection."""
    return asyncio.run(driven(plan, connection, known))


def credentials(configuration: Configuration, connection: Connection) -> Iterator[str]:
    """Say whose each credential is, if the API tells; nothing depends on it: it is asked once."""
    source = configuration.settings.source
    if configuration.replay:
        return
    for organizations in [[own] for own in source.organizations] or [[]]:
        plan = api.credentials(source.model_copy(update={"organizations": organizations}))
        with suppress(ApiFailure):
            yield from drive(plan, replace(connection, attempts=1), {})


def variables(configuration: Configuration) -> Mapping[str, str]:
    """Give the variable of every credential, by organization; the enterprise's stands under ""."""
    source = configuration.settings.source
    if source.organizations:
        return {organization.id: organization.token_env for organization in source.organizations}
    return {"": source.token_env}


def of_other_version(name: str, api_name: str, source: str) -> Problem:
    """Say that a token is for another version of the API, without showing it."""
    other, wanted = (
        ("v2", "a service user (cog_…)")
        if api_name == "v3"
        else ("v3", "an enterprise admin (apk_user_…)")
    )
    message = f"the environment variable {name} holds a key of {other}, but `api` is {api_name}"
    hint = f"set it to the key of {wanted}, or write `api: {other}` under `source`"
    return Problem(source=source, message=message, hint=hint)


def refuse_missing_recording(configuration: Configuration) -> None:
    """Raise Rejected where the recording that `replay` names is not there."""
    path = configuration.replay
    if path and not path.exists():
        hint = "correct the path, or remove `replay` to ask the API"
        message = f"the recording {path} does not exist"
        raise Rejected([Problem(source=configuration.replay_source, message=message, hint=hint)])


def proxy_of(base_url: str, environment: Mapping[str, str]) -> str:
    """Give the proxy that the environment names for an address, empty where there is none.

    What is in clear text as it stays on this machine goes through no proxy elsewhere.
    """
    url = httpx.URL(base_url)
    named = {
        name.lower().removesuffix("_proxy"): value.strip()
        for name, value in sorted(environment.items())  # names in small letters count most
        if name.lower().endswith("_proxy") and value.strip()
    }
    proxy = named.get(url.scheme) or named.get("all", "")
    if not proxy or _is_exempt(url, named.get("no", "")):
        return ""
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    stays_here = url.scheme == "http" and is_loopback(base_url)
    return "" if stays_here and _is_elsewhere(proxy) else proxy


def _is_exempt(url: httpx.URL, no_proxy: str) -> bool:
    """Tell whether NO_PROXY lists a host, or a domain that it lies in."""
    listed = {entry.strip().lower().removeprefix("*").lstrip(".") for entry in no_proxy.split(",")}
    names = (url.host, url.netloc.decode("ascii"))
    return no_proxy.strip() == "*" or any(
        name == entry or name.endswith(f".{entry}") for entry in listed if entry for name in names
    )


def _is_elsewhere(proxy: str) -> bool:
    try:
        return not is_loopback(proxy)
    except httpx.InvalidURL:
        return False


def _plain(configuration: Configuration) -> Problem:
    return Problem(
        source=configuration.base_url_source,
        message="the token is sent in clear text, as `allow_plain` says",
        hint="write https:// as soon as the API can be reached so",
        warning=True,
        code="token-in-clear-text",
    )


def _tokens(configuration: Configuration, context: Context) -> Mapping[str, str]:
    """Read the token of every credential that is used; raises Rejected for all that are missing."""
    names = variables(configuration)
    tokens = {key: context.secret(name) for key, name in names.items()}
    sources = configuration.token_sources
    problems = [
        _not_a_token(names[key], token, sources[key])
        for key, token in tokens.items()
        if not _is_token(token)
    ]
    api_name = configuration.settings.source.api
    problems += [
        of_other_version(names[key], api_name, sources[key])
        for key, token in tokens.items()
        if token.startswith(OTHER_KEYS[api_name])
    ]
    if problems:
        raise Rejected(problems)
    return tokens


def _is_token(value: str) -> bool:
    return value != "" and value.isascii() and value.isprintable()


def _not_a_token(name: str, value: str, source: str) -> Problem:
    """Say what is wrong with a token without showing it."""
    state = "holds characters that no token has" if value else "is not set"
    message = f"the environment variable {name} {state}"
    hint = "set it to the key of a service user (cog_…)"
    return Problem(source=source, message=message, hint=hint)
