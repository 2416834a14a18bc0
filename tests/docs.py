"""Write the generated pages of `analyzer/docs`, or check with `--check` that they are current."""

import os
import sys
from pathlib import Path

os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}

import click
import typer.main

from analyzer.catalog import catalog
from analyzer.cli import app
from analyzer.schema import COLUMNS

DOCS = Path(__file__).parents[1] / "analyzer" / "docs"
NOTE = "<!-- Written by `make docs` from the code; change it there. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page, by file name."""
    content = catalog()
    parts = [
        f"## {kind.replace('_', ' ')}\n\n{_table(('name', 'about'), _rows(items))}" for kind, items in content.items()
    ]
    columns = [
        (
            f"`{c.name}`",
            str(c.type).split("<")[0],
            c.meaning,
            f"`{c.source}`",
            c.writer.value,
            "kept" if c.survives else "if it has one reading",
        )
        for c in COLUMNS
    ]
    cautions = [(f"`{c.name}`", c.caution) for c in COLUMNS if c.caution]
    return {
        "catalog.md": f"# Catalog\n\n{NOTE}What `egress-audit catalog` lists.\n\n" + "\n".join(parts),
        "access_log.md": (
            f"# Columns of an entry\n\n{NOTE}`written by` says in whose hand a value is: what a client can write, "
            "the audit does not rest on. The last column says what becomes of it on a tampered line; "
            "[belief.md](belief.md) says why.\n\n"
            + _table(("column", "type", "meaning", "source", "written by", "on a tampered line"), columns)
            + "\n## What a value does not prove\n\n"
            + _table(("column", "caution"), cautions)
        ),
        "cli.md": f"# Command line\n\n{NOTE}" + "\n".join(_helps()),
    }


def _rows(items: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [(f"`{item['name']}`", item["about"]) for item in items]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _helps() -> list[str]:
    command = typer.main.get_command(app)
    texts = [_help(command, "egress-audit")]
    names = command.commands if isinstance(command, click.Group) or hasattr(command, "commands") else {}
    texts += [_help(names[name], f"egress-audit {name}") for name in names]
    return texts


def _help(command: click.Command, name: str) -> str:
    with command.make_context(name, [], resilient_parsing=True) as context:
        text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"## {name}\n\n```\n{text}\n```\n"


def main() -> int:
    """Write or check; 1 where a page is not current."""
    stale = []
    for name, text in pages().items():
        path = DOCS / name
        if "--check" in sys.argv:
            if not path.is_file() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    if stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
