"""The shape of the configuration as JSON Schema (draft-07), for editors that check YAML.

It is read from the same types that read the files, so that a key cannot be in one and not in the
other; `forms` says what a single value looks like, `meanings` what each key means. Law: what we
take, it takes. What it refuses is wrong in form; what only code can see is left to `check`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import Tag
from pydantic.fields import FieldInfo

from reportgen import __version__
from reportgen.sources.config.fields import DATES, EachOnce, EmptyList, EmptyMap, TextReader
from reportgen.sources.config.forms import DAY, FORMS, SHARE, TEXT
from reportgen.sources.config.meanings import MEANINGS
from reportgen.sources.config.schema import (
    ChargebackFile,
    FeeSection,
    MappingFile,
    RatesFile,
    Section,
)

Json = dict[str, Any]
FileName = Literal["configuration", "mapping", "rates"]

ROOTS: Mapping[FileName, tuple[type[Section], str]] = {
    "configuration": (ChargebackFile, "chargeback.yaml"),
    "mapping": (MappingFile, "mapping.yaml"),
    "rates": (RatesFile, "rates.yaml"),
}
"""The three files by what they are called: their shapes, and their usual names."""
_ONE_OF: Mapping[type[Section], Sequence[str]] = {
    RatesFile: ("prices", "tiers", "recover"),
    FeeSection: ("amount", "percent"),
}
"""Keys of which exactly one is written."""


def json_schema(name: FileName) -> Json:
    """Give the JSON Schema of one of the three files."""
    section, file = ROOTS[name]
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"Written by reportgen {__version__}",
        "title": file,
        **{key: value for key, value in _section(section).items() if key != "description"},
    }
    for path, value, _ in list(keys(schema)):
        example, meaning = MEANINGS[name][path]
        value["description"] = meaning
        value["examples"] = [yaml.load(example, yaml.BaseLoader)]  # noqa: S506 - text alone
    return schema


def keys(schema: Json, at: str = "") -> Iterator[tuple[str, Json, bool]]:
    """Give every key with its schema, and whether its section needs it."""
    for name, value in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield path, value, name in schema.get("required", ())
        yield from keys(value, path)
    for one in (schema, *_alternatives(schema)):
        if one is not schema:
            yield from keys({**one, "properties": {}}, at)
        if isinstance(one.get("additionalProperties"), dict):
            yield from keys(one["additionalProperties"], f"{at}.*")
        if isinstance(one.get("items"), dict):
            yield from keys(one["items"], f"{at}[]")


def _alternatives(schema: Json) -> Iterator[Json]:
    return (one for word in ("anyOf", "oneOf") for one in schema.get(word, ()))


def written(name: FileName) -> str:
    """Write the JSON Schema of one of the three files."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def _section(section: type[Section]) -> Json:
    hints = get_type_hints(section, include_extras=True)
    keys = {name: field.alias or name for name, field in section.model_fields.items()}
    dated = next((name for name, key in keys.items() if key == DATES), None)
    schema: Json = {
        "description": (section.__doc__ or "").partition("\n\n")[0].replace("\n", " "),
        "type": "object",
        "properties": {
            key: _value(hints[name]) | _default(section.model_fields[name])
            for name, key in keys.items()
            if name != dated
        },
        "required": [
            keys[name]
            for name, field in section.model_fields.items()
            if field.is_required() and name != dated
        ],
        "additionalProperties": False,
    }
    if dated:
        _, value = get_args(hints[dated])
        schema["patternProperties"] = {DAY["pattern"]: _value(value)}
        schema["minProperties"] = len(schema["required"]) + 1
    if section in _ONE_OF:
        schema["oneOf"] = [{"required": [key]} for key in _ONE_OF[section]]
    if section is MappingFile:
        schema["anyOf"] = [
            {"required": ["cost_centers"], "properties": {"cost_centers": {"minProperties": 1}}},
            {"required": ["cost_center_file"]},
        ]
    return schema


def _default(field: FieldInfo) -> Json:
    """Say what stands for a key that is not written; nothing of whole sections."""
    value = field.default
    if field.is_required() or value is None or isinstance(value, Section):
        return {}
    if isinstance(value, Decimal):
        return {"default": f"{value:f}"}
    return {"default": list(value) if isinstance(value, tuple) else value}


def _value(hint: Any) -> Json:  # noqa: ANN401 - a type, or what stands for one
    """Give the schema of a value by its type."""
    base, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    for mark in marks:
        if isinstance(mark, TextReader):
            return dict(mark.form or FORMS.get(mark.reader, TEXT))
    schema = _bare(base)
    schema |= _sized(base, marks)
    return _or_null(schema) if EmptyMap in marks or EmptyList in marks else schema


def _bare(base: Any) -> Json:  # noqa: ANN401
    origin, arguments = get_origin(base), get_args(base)
    if isinstance(base, type) and issubclass(base, Section):
        return _section(base)
    if origin is Annotated:
        return _value(base)
    if origin in {Union, UnionType}:
        return _union(arguments)
    if origin is dict:
        key, value = map(_value, arguments)
        kinds = [
            {"additionalProperties": one} for one in (SHARE["anyOf"] if value == SHARE else ())
        ]
        return {
            "type": "object",
            "propertyNames": key,
            **({"anyOf": kinds} if kinds else {"additionalProperties": value}),
        }
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    raise TypeError(f"no JSON Schema for {base}")


def _sized(base: Any, marks: Iterable[object]) -> Json:  # noqa: ANN401
    """Say how much there must be at least, and that nothing stands twice."""
    sized: Json = {"uniqueItems": True} if EachOnce in marks else {}
    for mark in marks:
        for inner in getattr(mark, "metadata", ()):  # of a Field
            if least := getattr(inner, "min_length", None):
                sized["minProperties" if get_origin(base) is dict else "minItems"] = least
    return sized


def _union(members: Sequence[Any]) -> Json:
    """Tell the members apart as the reader does: by the shape of the YAML."""
    if NoneType in members:
        (only,) = (member for member in members if member is not NoneType)
        return _or_null(_value(only))
    tagged = {_tag(member): _value(member) for member in members}
    one = tagged["=one"]
    if "=list" in tagged:
        return _where({"type": "array"}, tagged["=list"], one)
    shared, dated = tagged.get("=shares"), tagged.get("=dated")
    if shared is None or dated is None:
        return _where({"type": "object"}, {"minProperties": 1} | (dated or shared or {}), one)
    several = _where({"propertyNames": dict(DAY)}, dated | {"minProperties": 1}, shared)
    return _where({"type": "object"}, several, one)


def _tag(member: Any) -> str:  # noqa: ANN401
    (tag,) = (mark.tag for mark in get_args(member)[1:] if isinstance(mark, Tag))
    return str(tag)


def _where(condition: Json, then: Json, otherwise: Json) -> Json:
    return {"if": condition, "then": then, "else": otherwise}


def _or_null(schema: Json) -> Json:
    """Take nothing written as well: an editor reads null."""
    if isinstance(schema.get("type"), str | list):
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*(kind for kind in kinds if kind != "null"), "null"]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}
