"""How the lake is laid out: the table's schema, its partitions and the paths of its files."""

from datetime import date
from urllib.parse import quote

import pyarrow as pa

from analyzer.schema import ENTRY, REJECTED

PARTITION_BY = ["kind", "day"]
ENTRY_KIND = "entry"
REJECTED_KIND = "rejected"
_NO_DAY = "__HIVE_DEFAULT_PARTITION__"
"""How Hive, Spark and Delta write a null partition value."""


def plain(schema: pa.Schema) -> pa.Schema:
    """A schema as Delta knows it: dictionaries are an encoding, not a type."""
    return pa.schema(
        [
            pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            for field in schema
        ]
    )


ROW = (
    plain(pa.schema([*ENTRY, *(field for field in REJECTED if field.name not in ENTRY.names)]))
    .append(pa.field("kind", pa.string()))
    .append(pa.field("day", pa.date32()))
)
"""The columns of the table: those of an entry, those of a rejected line, and the two it is partitioned by."""


def folder(kind: str, day: date | None) -> str:
    """The folder of a partition, relative to the lake."""
    return f"kind={quote(kind)}/day={day.isoformat() if day else _NO_DAY}"


def partition_values(kind: str, day: date | None) -> dict[str, str | None]:
    """The same as Delta's log writes it."""
    return {"kind": kind, "day": day.isoformat() if day else None}
