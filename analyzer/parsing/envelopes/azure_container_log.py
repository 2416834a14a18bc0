"""Azure Monitor's ContainerLogV2: exported rows, one a line, and the tables that a query returns."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.claims import claims_of
from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, inners


def _records(value: Any) -> Sequence[Inner] | None:
    if isinstance(value, list):
        return [inner for row in value for inner in _of_row(row)] if value and all(map(_is_row, value)) else None
    if _is_row(value):
        return _of_row(value)
    tables = value.get("tables")
    rows = [row for table in tables for row in _rows(table)] if isinstance(tables, list) else []
    return [inner for row in rows for inner in _of_row(row)] if any(map(_is_row, rows)) else None


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and "LogMessage" in value and ("PodName" in value or "ContainerName" in value)


def _rows(table: Any) -> list[dict[str, Any]]:
    """The rows of a table as objects; its columns are named once."""
    if (
        not isinstance(table, dict)
        or not isinstance(table.get("columns"), list)
        or not isinstance(table.get("rows"), list)
    ):
        return []
    names = [str(column.get("name")) if isinstance(column, dict) else "" for column in table["columns"]]
    return [dict(zip(names, row, strict=False)) if isinstance(row, list) else {} for row in table["rows"]]


def _of_row(row: dict[str, Any]) -> list[Inner]:
    return inners(row.get("LogMessage"), claims_of(row))


ENVELOPE = JsonEnvelope(
    name="azure_container_log",
    reference="MicrosoftDocs/azure-docs, Azure Monitor logs reference, ContainerLogV2; Log Analytics API, query response",
    hints=(b'"LogMessage"',),
    records=_records,
)
