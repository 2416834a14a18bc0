"""`egress-audit rejected`: the lines that no format could read."""

from analyzer.cli.options import LakeOption, Output, OutputOption

_SHOWN = 120


def command(lake: LakeOption, output: OutputOption = Output.table) -> None:
    """Print the lines that no format could read, with place and reason."""
    from analyzer.cli.terminal import print_json, print_table
    from analyzer.store import Lake

    columns = ["origin", "line_number", "reason", "text"]
    rows = [row for batch in Lake(lake).rejected() for row in batch.select(columns).to_pylist()]
    rows.sort(key=lambda row: (row["origin"], row["line_number"]))
    if output is Output.json:
        print_json(rows)
        return
    print_table(
        ("place", "reason", "text"),
        [(f"{row['origin']}:{row['line_number']}", row["reason"], _cut(row["text"])) for row in rows],
    )


def _cut(text: str) -> str:
    """The beginning of a line is enough for people; programs get all of it."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
