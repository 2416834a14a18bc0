"""The report as one HTML file: no request to anywhere, and a policy in the page that would forbid one."""

import base64
import hashlib
import json
import re
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from analyzer.report.bands import laid_out
from analyzer.report.model import Bands, DestinationTable, Figure, Listing, ManifestList, ReportModel, Table
from analyzer.text import printable

_SHORT, _LONG = 22, 60
"""Letters in a cell: up to here it is one word that is not broken, from there on it is a sentence."""
_NUMBERED = re.compile(r"(.*:)(0|[1-9]\d{0,14})", re.DOTALL | re.ASCII)
"""A text and the number that it ends in, written as JavaScript would write it."""
_CODE = re.compile(r"`([^`]+)`|(?<![^\s(])(--[a-z][a-z-]*)")
"""What a sentence names to be typed: between backticks, or an option."""
_DATA_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def as_html(model: ReportModel) -> str:
    """The page. Log text reaches it in two ways only: escaped by Jinja2, or as JSON that scripts put in as text."""
    scripts = {"app": _file("app.js"), "plotly": _file("plotly-basic.min.js")}
    page: str = _template().render(
        model=model,
        style=_file("style.css"),
        scripts=scripts,
        policy=_policy(scripts.values()),
        data=embedded(
            {
                "destinations": as_columns(model.data["destinations"]),
                "figures": _figures(model),
                "manifests": as_columns(_manifests(model)),
            }
        ),
    )
    return page


def as_columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Equal-shaped objects with their keys named once and their texts kept once; `from_columns` undoes it."""
    texts: dict[str, int] = {}
    shapes: dict[tuple[int, ...], int] = {}
    columns = list(rows[0]) if rows else []
    packed = [[_pack(row[name], texts, shapes) for name in columns] for row in rows]
    return {"columns": columns, "texts": list(texts), "shapes": list(shapes), "rows": packed}


def from_columns(packed: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects again, as the page's script sees them."""
    return [
        {name: _unpack(value, packed) for name, value in zip(packed["columns"], row, strict=True)}
        for row in packed["rows"]
    ]


def embedded(content: Any) -> str:
    """JSON that may stand inside a script element: ASCII only, and no letter that could end the element."""
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).translate(_DATA_ESCAPES)


def _pack(value: Any, texts: dict[str, int], shapes: dict[tuple[int, ...], int]) -> Any:
    """Texts become `[index]`, so that they cannot be taken for numbers; mappings `["d", shape, value, ...]`.

    A text that ends in a number, as a place in a file does, becomes `[index, number]`, so that a file's name stands
    there once. A list of texts alone is `["t", index, ...]`. A shape is the keys of a mapping, as indices of texts.
    """
    if isinstance(value, str):
        match = _NUMBERED.fullmatch(value)
        if match is not None:
            return [texts.setdefault(match[1], len(texts)), int(match[2])]
        return [texts.setdefault(value, len(texts))]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        packed = [_pack(item, texts, shapes) for item in value]
        return ["t", *(item[0] for item in packed)] if all(len(item) == 1 for item in packed) else ["l", *packed]
    if isinstance(value, list):
        return ["l", *(_pack(item, texts, shapes) for item in value)]
    if isinstance(value, dict):
        keys = tuple(texts.setdefault(key, len(texts)) for key in value)
        return ["d", shapes.setdefault(keys, len(shapes)), *(_pack(item, texts, shapes) for item in value.values())]
    return value


def _unpack(value: Any, packed: dict[str, Any]) -> Any:
    texts = packed["texts"]
    if not isinstance(value, list):
        return value
    if isinstance(value[0], int):
        return texts[value[0]] + (str(value[1]) if len(value) > 1 else "")
    if value[0] == "t":
        return [texts[place] for place in value[1:]]
    if value[0] == "l":
        return [_unpack(item, packed) for item in value[1:]]
    keys = (texts[place] for place in packed["shapes"][value[1]])
    return dict(zip(keys, (_unpack(item, packed) for item in value[2:]), strict=True))


def _manifests(model: ReportModel) -> list[dict[str, Any]]:
    """The manifests with their text by lines, most of which are the same in all of them."""
    return [
        {**asdict(manifest), "yaml": manifest.yaml.split("\n"), "diff": (manifest.diff or "").split("\n")}
        for section in model.sections
        for block in section.blocks
        if isinstance(block, ManifestList)
        for manifest in block.manifests
    ]


def _figures(model: ReportModel) -> dict[str, Any]:
    return {
        block.id: block.figure for section in model.sections for block in section.blocks if isinstance(block, Figure)
    }


def _policy(scripts: Any) -> str:
    """Scripts by their digests, nothing from anywhere; plotly writes styles into the page, so styles may be inline."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src 'none'; "
        "connect-src 'none'; form-action 'none'; base-uri 'none'"
    )


def _file(name: str) -> str:
    return (files("analyzer.report") / "assets" / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = _shown
    environment.filters["prose"] = _prose
    environment.filters["classes"] = _classes
    environment.filters["drawn"] = laid_out
    environment.filters["lines"] = lambda text: "\n".join(printable(line) for line in text.split("\n"))
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["bands"] = lambda block: isinstance(block, Bands)
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["listing"] = lambda block: isinstance(block, Listing)
    environment.tests["manifests"] = lambda block: isinstance(block, ManifestList)
    environment.tests["destinations"] = lambda block: isinstance(block, DestinationTable)
    return environment.from_string(_file("page.html"))


def _shown(value: Any) -> str:
    """A cell for people: thousands apart, control and direction characters written out."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


def _prose(value: Any) -> Markup:
    """A sentence, with what is to be typed in it set apart and whole."""
    pieces = _CODE.split(_shown(value))
    html = Markup(escape(pieces[0]))
    for quoted, option, after in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        html += Markup("<code>{}</code>{}").format(quoted or option, after)
    return html


def _classes(table: Table) -> list[str]:
    """The class of each column: numbers to the right, short words whole, sentences with room to stand in."""
    return [_class(table, place) for place in range(len(table.columns))]


def _class(table: Table, place: int) -> str:
    if table.columns[place] in table.numeric:
        return "number"
    longest = max((len(_shown(row[place])) for row in table.rows), default=0)
    return "short" if longest <= _SHORT else "long" if longest >= _LONG else "medium"
