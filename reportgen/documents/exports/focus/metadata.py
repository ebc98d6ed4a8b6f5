"""What is told beside the datasets: who made them, by which schema and version, how many rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from reportgen import __version__
from reportgen.core.model import FocusVersion
from reportgen.documents.exports.focus.columns import FocusColumn

CREATED = "2026-12-01T00:00:00Z"
"""When the columns of either version were last changed."""
Described = tuple[str, str, Sequence[FocusColumn], int]
"""A file, its dataset, its columns, and how many rows it has."""


def metadata(
    version: FocusVersion, described: Sequence[Described], *, complete: bool, updated: str
) -> str:
    """Write the side-car, as FOCUS's metadata has it, with the files and their rows.

    It is `complete` where nothing of it can change any more; `updated` is the latest moment it
    tells of.
    """
    values: dict[str, Any] = {"DataGenerator": {"DataGenerator": "reportgen"}}
    if version == "1.4":
        values["DatasetInstance"] = [_instance(dataset) for _, dataset, _, _ in described]
    values["Schema"] = [_schema(version, dataset, columns) for _, dataset, columns, _ in described]
    if version == "1.4":
        values["Recency"] = [
            {
                "DatasetInstanceId": _identity("instance", dataset),
                "DatasetInstanceComplete": complete,
                "DatasetInstanceLastUpdated": updated,
                "RecencyLastUpdated": updated,
            }
            for _, dataset, _, _ in described
        ]
    values["x_Files"] = [
        {"Name": name, "Dataset": dataset, "Rows": rows, "Complete": complete}
        for name, dataset, _, rows in described
    ]
    return json.dumps(values, indent=2) + "\n"


def _instance(dataset: str) -> Mapping[str, str]:
    return {
        "DatasetInstanceId": _identity("instance", dataset),
        "DatasetInstanceName": f"Devin chargeback, {dataset}",
        "FocusDataset": dataset,
    }


def _schema(version: FocusVersion, dataset: str, columns: Sequence[FocusColumn]) -> dict[str, Any]:
    names = ",".join(f"{_name(column, version)}:{column.type}" for column in columns)
    values: dict[str, Any] = {
        "SchemaId": _identity("schema", version, dataset, names),
        "FocusVersion": version,
        "CreationDate": CREATED,
        "DataGeneratorVersion": __version__,
    }
    if version == "1.4":
        values["DatasetInstanceId"] = _identity("instance", dataset)
    return values | {"ColumnDefinition": [_definition(column, version) for column in columns]}


def _definition(column: FocusColumn, version: FocusVersion) -> dict[str, str]:
    described = {"ColumnName": _name(column, version), "DataType": column.type}
    return described | ({"StringEncoding": "UTF-8"} if column.type == "STRING" else {})


def _name(column: FocusColumn, version: FocusVersion) -> str:
    return column.in_1_2 if version == "1.2" else column.in_1_4


def _identity(*parts: str) -> str:
    """Give the same identity for the same thing, whoever asks and whenever."""
    return str(uuid5(NAMESPACE_URL, "/".join(("reportgen", "focus", *parts))))
