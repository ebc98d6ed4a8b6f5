"""YAML as an editor reads it: the core schema of YAML 1.2, and no key twice."""

import re
from typing import Any

import yaml


class CoreLoader(yaml.SafeLoader):
    """Types what stands without quotes as YAML 1.2 does: no dates, no `yes`, no sexagesimals."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - how PyYAML is told


def _mapping(loader: CoreLoader, node: yaml.MappingNode) -> dict[str, Any]:
    if any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        raise yaml.constructor.ConstructorError("", node.start_mark, "a key is no text")
    pairs = [
        (str(key.value), loader.construct_object(value, deep=True)) for key, value in node.value
    ]
    if len({key for key, _ in pairs}) < len(pairs):
        raise yaml.constructor.ConstructorError("", node.start_mark, "a key stands twice")
    return dict(pairs)


def _whole(_loader: CoreLoader, node: yaml.ScalarNode) -> int:
    return int(node.value, 0 if node.value[:2] in {"0x", "0o"} else 10)


def _number(_loader: CoreLoader, node: yaml.ScalarNode) -> float:
    return float(node.value.replace(".inf", "inf").replace(".nan", "nan").lower())


for _tag, _pattern, _first in (
    ("null", r"|~|null|Null|NULL", ["", "~", "n", "N"]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first
    )
CoreLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
CoreLoader.add_constructor("tag:yaml.org,2002:int", _whole)
CoreLoader.add_constructor("tag:yaml.org,2002:float", _number)


def core(text: str) -> Any:
    """Read one document; raises yaml.YAMLError."""
    return yaml.load(text, CoreLoader)  # noqa: S506 - a safe one
