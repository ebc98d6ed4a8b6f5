"""The OpenAPI descriptions as a contract: what a request means, what is wrong on either side."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

Json = dict[str, Any]
Check = Callable[[Any], str]
"""Says what is wrong with a value; nothing, where nothing is."""

FOLDER = Path(__file__).parents[1] / "openapi"
UNDERSTOOD = {
    *(
        "type",
        "required",
        "properties",
        "items",
        "anyOf",
        "$ref",
        "additionalProperties",
        "propertyNames",
        "enum",
    ),
    *("minimum", "maximum", "format", "default", "description", "example", "examples", "title"),
}
SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
QUERY = re.compile(r"(?:[A-Za-z0-9._~!$'()*+,;:@/?-]|%[0-9A-Fa-f]{2})*")


class Wrong(Exception):  # noqa: N818 - what a request does wrong, answered with 422
    """A request that breaks the contract, at a parameter or at its path."""

    def __init__(self, what: str, parameter: str = "path") -> None:
        super().__init__(f"{parameter}: {what}")
        self.parameter = parameter


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A documented GET: its template, its query parameters by name, and the check of its answer."""

    template: str
    segments: tuple[str, ...]
    parameters: dict[str, Json]
    check: Check

    def ids(self, segments: list[str]) -> dict[str, str]:
        """Read the path values; decoded after the split, as an id may hold a slash."""
        pairs = zip(self.segments, segments, strict=True)
        return {name[1:-1]: _decoded(value, "path") for name, value in pairs if name[:1] == "{"}

    def query(self, text: str) -> dict[str, list[str]]:
        """Read the query, or raise Wrong at the first parameter that is not as documented."""
        found: dict[str, list[str]] = {}
        for part in text.split("&") if text else ():
            name, equals, value = part.partition("=")
            name = _decoded(name, "query")
            if name not in self.parameters:
                raise Wrong("is not documented", name)
            if not equals or not value or not QUERY.fullmatch(value):
                raise Wrong("has no value, or is not percent-encoded", name)
            found.setdefault(name, []).append(_decoded(value.replace("+", " "), name))
        for name, values in found.items():
            _check_parameter(name, values, self.parameters[name])
        return found


def target_of(template: str, ids: dict[str, str] | None = None, **query: Any) -> str:
    """Write path and query of a request; a list in the query becomes repeated keys."""
    for name, value in (ids or {}).items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{template}?{urlencode(query, doseq=True)}" if query else template


class Contract:
    """Both descriptions together."""

    def __init__(self) -> None:
        operations = [found for version in ("v3", "v2") for found in _operations(version)]
        self.operations = {found.template: found for found in operations}
        self._by_length: dict[int, list[Operation]] = {}
        for found in sorted(operations, key=lambda found: found.template.count("{")):
            self._by_length.setdefault(len(found.segments), []).append(found)

    def match(self, path: str) -> tuple[Operation, dict[str, str]]:
        """Find the operation and the path values, or raise Wrong."""
        segments = path.split("/")
        for found in self._by_length.get(len(segments), ()):
            if all(p == s or p[:1] == "{" for p, s in zip(found.segments, segments, strict=True)):
                if not all(SEGMENT.fullmatch(segment) for segment in segments[1:]):
                    raise Wrong("is not percent-encoded")
                return found, found.ids(segments)
        raise Wrong("is not documented")


def _operations(version: str) -> Iterable[Operation]:
    described = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    components = described["components"]
    schemas = Schemas(components["schemas"])
    for template, methods in described["paths"].items():
        get = methods["get"]
        parameters = [
            _resolved(found, components["parameters"]) for found in get.get("parameters", ())
        ]
        answer = get["responses"]["200"]["content"]["application/json"]["schema"]
        yield Operation(
            template=template,
            segments=tuple(template.split("/")),
            parameters={
                found["name"]: found["schema"] for found in parameters if found["in"] == "query"
            },
            check=schemas.check(answer),
        )


def _resolved(parameter: Json, named: Json) -> Json:
    found: Json = named[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
    return found


def _decoded(text: str, parameter: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Wrong("is not UTF-8", parameter) from None


def _check_parameter(name: str, values: list[str], schema: Json) -> None:
    if schema.get("type") == "array":
        schema = schema["items"]
    elif len(values) > 1:
        raise Wrong("is given more than once", name)
    for value in values:
        variants = schema.get("anyOf", [schema])
        if all(_parameter_fault(value, variant) for variant in variants):
            raise Wrong(_parameter_fault(value, variants[0]), name)


def _parameter_fault(text: str, schema: Json) -> str:
    if schema["type"] == "integer":
        number = re.fullmatch(r"-?[0-9]{1,18}", text)
        return _scalar(schema)(int(text)) if number else "is not an integer"
    return "cannot be written" if schema["type"] == "null" else _scalar(schema)(text)


class Schemas:
    """Compiles the few words of JSON Schema that the descriptions use; another word is an error."""

    def __init__(self, named: Json) -> None:
        self._named, self._made = named, dict[str, Check]()

    def check(self, schema: Json) -> Check:
        """Compile a schema."""
        if unknown := schema.keys() - UNDERSTOOD:
            raise ValueError(f"not understood: {unknown}")
        if "$ref" in schema:
            return self._referred(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            return _any([self.check(variant) for variant in schema["anyOf"]])
        if schema.get("type") == "object":
            return self._object(schema)
        if schema.get("type") == "array":
            return _array(self.check(schema.get("items", {})))
        return _scalar(schema)

    def _referred(self, name: str) -> Check:
        if name not in self._made:
            self._made[name] = self.check(self._named[name])
        return self._made[name]

    def _object(self, schema: Json) -> Check:
        required = schema.get("required", ())
        properties = {
            name: self.check(found) for name, found in schema.get("properties", {}).items()
        }
        others = (
            self.check(schema["additionalProperties"]) if "additionalProperties" in schema else None
        )
        names = (
            self.check({"type": "string"} | schema["propertyNames"])
            if "propertyNames" in schema
            else None
        )

        def check(value: Any) -> str:
            if type(value) is not dict:
                return " is not an object"
            for name in required:
                if name not in value:
                    return f".{name} is missing"
            for name, part in value.items():
                inner = properties.get(name, others)
                fault = (inner(part) if inner else "") or (names(name) if names else "")
                if fault:
                    return f".{name}{fault}"
            return ""

        return check


def _any(variants: list[Check]) -> Check:
    def check(value: Any) -> str:
        fault = ""
        for variant in variants:
            fault = variant(value)
            if not fault:
                return ""
        return fault

    return check


def _array(item: Check) -> Check:
    def check(value: Any) -> str:
        if type(value) is not list:
            return " is not a list"
        for number, part in enumerate(value):
            if fault := item(part):
                return f"[{number}]{fault}"
        return ""

    return check


TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}
FORMATS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
}


def _scalar(schema: Json) -> Check:
    if "type" not in schema:
        return lambda _: ""
    kind, types = schema["type"], TYPES[schema["type"]]
    least, most, written = schema.get("minimum"), schema.get("maximum"), schema.get("format")
    allowed = schema.get("enum")

    def check(value: Any) -> str:
        if type(value) not in types:
            return f" is not of type {kind}"
        if (least is not None and value < least) or (most is not None and value > most):
            return " is out of range"
        if allowed is not None and value not in allowed:
            return " is not in the list"
        return _format_fault(value, written) if written else ""

    return check


def _format_fault(text: str, written: str) -> str:
    try:
        FORMATS[written](text)
    except ValueError:
        return f" is not a {written}"
    timed = "T" in text and (text.endswith("Z") or "+" in text)
    return "" if written != "date-time" or timed else " is not a date-time"
