"""What pydantic found wrong, in our words: each error a problem at its file and line."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reportgen.core.problem import Problem
from reportgen.core.text import did_you_mean, quoted
from reportgen.sources.config.fields import CHANGE, DATES, REVOKE, STEPS
from reportgen.sources.config.schema import Section
from reportgen.sources.config.yamldoc import List, Node, Scalar, YamlDocument, child

F = TypeVar("F", bound=Section)
SENTENCES = {
    "missing": ("the key {key} is missing", "add it"),
    "too_short": ("{key} is empty", "write at least one entry"),
    "model_type": ("{key} takes keys and values", "write `key: value` lines below it"),
    "dict_type": ("{key} takes keys and values", "write `key: value` lines below it"),
    "tuple_type": ("{key} takes a list", "write it in brackets: [a, b]"),
}
"""What pydantic's error types mean to the user: message and hint."""
SECRETS = {
    **dict.fromkeys(("token", "access_token", "bearer", "api_token"), ("token_env",)),
    **dict.fromkeys(("api_key", "apikey", "key"), ("token_env",)),
    **dict.fromkeys(("password", "passwd", "pass"), ("password_env",)),
    **dict.fromkeys(("client_secret", "secret"), ("client_secret_env", "token_env")),
}
"""Keys that people write for a secret itself, and those that name where it is instead."""
MAIL = {
    "token_env": "MAIL_TOKEN",
    "password_env": "MAIL_PASSWORD",
    "client_secret_env": "MAIL_CLIENT_SECRET",
}
API = {"token_env": "DEVIN_API_TOKEN"}
"""Variables to propose, for the mail server and for the API."""
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
UNKNOWN_SENTENCE = ("{key} cannot be read", "compare it with the example configuration")


def validate(section: type[F], document: YamlDocument) -> tuple[F | None, list[Problem]]:
    """Give the typed file, or every problem of its shape with file:line."""
    try:
        return section.model_validate(_values(document.root)), []
    except ValidationError as error:
        return None, list(_problems(section, error.errors(include_url=False), document))


def mistakes_in(
    section: type[F], values: dict[str, Any]
) -> tuple[F | None, list[tuple[str, str, str]]]:
    """Give what the cells of a row hold, typed, or each mistake: its key, the message, the hint.

    A mistake in an entry of a map is that of the entry's key.
    """
    try:
        return section.model_validate(values), []
    except ValidationError as error:
        return None, [_cell_mistake(one) for one in error.errors(include_url=False)]


def _cell_mistake(error: ErrorDetails) -> tuple[str, str, str]:
    steps = [step for step in error["loc"] if isinstance(step, str) and step not in STEPS]
    key = steps[-1]
    if error["type"] == "reading":
        return key, error["msg"], str(error["ctx"]["hint"])
    return key, "is empty" if error["type"] == "missing" else "cannot be read", f"write the {key}"


def _values(node: Node) -> Any:  # noqa: ANN401 - pydantic takes anything
    if isinstance(node, Scalar):
        return None if node.empty else node.text
    if isinstance(node, List):
        return [_values(child) for child in node.nodes]
    return {key.text: _values(value) for key, value in node.entries}


def _problems(
    section: type[Section], errors: list[ErrorDetails], document: YamlDocument
) -> Iterator[Problem]:
    """Give a problem per error, but none for the value of a key that is wrong itself."""
    wrong_keys = [error["loc"][:-1] for error in errors if _is_about_key(error)]
    for error in errors:
        if not _is_about_key(error) and any(error["loc"][: len(key)] == key for key in wrong_keys):
            continue
        loc = tuple(_written(error["loc"], document.root))
        message, hint = _sentence(section, error, loc)
        yield Problem(source=document.line(*loc), message=message, hint=hint)


def _is_about_key(error: ErrorDetails) -> bool:
    return error["type"] == "reading" and error["loc"][-1] == "[key]"


def _written(loc: tuple[int | str, ...], node: Node) -> Iterator[int | str]:
    """Leave out the steps that pydantic adds to a path: they lead nowhere in the file."""
    for step in loc:
        inner = child(node, step)
        if inner or step not in STEPS:
            yield step
        node = inner[1] if inner else node


def _sentence(
    section: type[Section], error: ErrorDetails, loc: tuple[int | str, ...]
) -> tuple[str, str]:
    """Turn an error of pydantic into our words."""
    key = next((quoted(step) for step in reversed(loc) if isinstance(step, str)), "the file")
    match error["type"]:
        case "reading":
            message, hint = error["msg"], str(error["ctx"]["hint"])
            return (f"the key {message}" if _is_about_key(error) else f"{key}: {message}"), hint
        case "extra_forbidden":
            at = _section_at(section, loc[:-1])
            return _secret(at, str(loc[-1]), error) or _unknown_key(at, str(loc[-1]))
    written = error.get("input")
    if isinstance(written, str) and (better := _better_hint(error["type"], written, loc)):
        return SENTENCES[error["type"]][0].format(key=key), better
    message, hint = SENTENCES.get(error["type"], UNKNOWN_SENTENCE)
    return message.format(key=key), hint


def _better_hint(kind: str, written: str, loc: tuple[int | str, ...]) -> str:
    """Say what to write for a text that stands where a list or a section belongs."""
    if kind == "tuple_type" and re.fullmatch(r"\S+([,;] *\S+)*", written):
        return f"write it in brackets: [{', '.join(re.split(r'[,;] *', written))}]"
    if kind == "model_type" and loc[:1] == ("cost_centers",):
        return f"write {loc[-1]}: {{name: {written}}}"
    if kind == "model_type" and loc[:1] == ("products",):
        return f"write {loc[-1]}: {{label: {written}}}"
    return ""


def _unknown_key(section: type[Section], key: str) -> tuple[str, str]:
    if key in section.later:
        return f"the key {quoted(key)} is not supported by this version", "remove it until it is"
    known = [field.alias or name for name, field in section.model_fields.items()]
    known = ["dates such as 2025-12-05" if name == DATES else name for name in known]
    near = did_you_mean(key, known)
    name, colon, value = key.partition(":")
    if colon and name.strip() in known:
        hint = f"write a blank after the colon: {name}: {value.strip()}"
        return f"{quoted(key)} has no blank after its colon, so it is no key with a value", hint
    return (
        f"the key {quoted(key)} is unknown",
        f"did you mean {quoted(near)}?" if near else f"known here: {', '.join(sorted(known))}",
    )


def _secret(section: type[Section], key: str, error: ErrorDetails) -> tuple[str, str] | None:
    """Say of a secret that it does not belong into a file; it is not repeated."""
    named, written = SECRETS.get(key.lower().replace("-", "_")), error.get("input")
    if named is None or not isinstance(written, str) or VARIABLE.fullmatch(written):
        return None
    name = next((name for name in named if name in section.model_fields), named[0])
    variable = MAIL[name] if "host" in section.model_fields else API.get(name, MAIL[name])
    place = f"{name}: {variable}"
    if name not in section.model_fields:
        place = f"{'source' if name == 'token_env' else 'email'}: {{{place}}}"
    message = f"{quoted(key)} is a secret, and no secret belongs in this file"
    undone = REVOKE if name == "token_env" else CHANGE
    return message, f"{undone}, put the new one into an environment variable, and write `{place}`"


def _section_at(section: type[Section], loc: tuple[int | str, ...]) -> type[Section]:
    """Follow a path to the section whose keys stand there."""
    for step in loc:
        field = section.model_fields.get(str(step))
        inner = _sections_in(field.annotation) if field else []
        section = inner[0] if inner else section
    return section


def _sections_in(annotation: object) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    parts = getattr(annotation, "__args__", ())
    return list(chain.from_iterable(map(_sections_in, parts)))
