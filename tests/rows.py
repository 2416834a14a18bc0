"""Read lines all the way to classified rows, as plain dictionaries."""

from typing import Any

import numpy as np

from analyzer.classification import classify
from analyzer.parsing import BlockReader, ParsedBlock, known_formats
from analyzer.parsing.parsed import as_judged
from analyzer.schema import conform


def parse(*lines: str | bytes) -> ParsedBlock:
    """Read lines as one block."""
    return BlockReader().read(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))


def rows(*lines: str | bytes) -> list[dict[str, Any]]:
    """Every entry of some lines, classified, by line."""
    found: list[dict[str, Any]] = []
    for entries in parse(*lines).entries:
        columns = conform(entries.columns, len(entries))
        fields = known_formats()[entries.format].fields
        tampered = np.zeros(len(entries), bool) if entries.tampered is None else entries.tampered
        derived = classify(
            as_judged({**entries.columns, **columns}),
            tampered=tampered,
            knows_policy="upstream_cluster" in fields,
            knows_details="response_code_details" in fields,
        )
        values = {name: column.to_pylist() for name, column in {**columns, **derived}.items()}
        for place, line in enumerate(entries.lines.tolist()):
            row = {name: column[place] for name, column in values.items()}
            found.append(row | {"line": line, "log_format": entries.format, "tampered": bool(tampered[place])})
    return sorted(found, key=lambda row: row["line"])


def row(line: str | bytes) -> dict[str, Any]:
    """The one entry of one line."""
    (only,) = rows(line)
    return only
