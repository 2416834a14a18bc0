"""Figures as plain JSON: fixed ids, colours that colour-blind readers can tell apart, no log text as markup."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

COLOURS = {
    "blocked": "#c8432f",
    "passthrough": "#d99a1c",
    "registered": "#2f7fb8",
    "no_route": "#8d6bb0",
    "unclassified": "#8a8f98",
    "legitimate": "#2e8b6f",
    "review": "#d99a1c",
    "suspicious": "#b3376d",
    "denied": "#c8432f",
    "internal": "#6b7a8f",
    "in_mesh": "#6b7a8f",
}
"""Blue, orange, vermilion and purple after Okabe and Ito, darkened until they stand on white and on black."""


def stacked_bars(moments: Sequence[str], series: Mapping[str, Sequence[int]], title: str) -> dict[str, Any]:
    """Entries over time, one colour a class."""
    figure = go.Figure(
        [
            go.Bar(name=name, x=list(moments), y=list(values), marker_color=COLOURS[name])
            for name, values in series.items()
        ]
    )
    figure.update_layout(barmode="stack", bargap=0.08, yaxis_title=title, **_plain(300))
    return _as_plain(figure)


def flows(sources: Sequence[str], targets: Sequence[str], links: Sequence[tuple[int, int, int, str]]) -> dict[str, Any]:
    """Who talks to whom: (source, target, entries, verdict) as bands whose width is the number of entries."""
    labels = [plain_label(label) for label in (*sources, *targets)]
    figure = go.Figure(
        go.Sankey(
            node={"label": labels, "pad": 12, "thickness": 12, "color": "#6b7a8f", "line": {"width": 0}},
            link={
                "source": [source for source, _, _, _ in links],
                "target": [len(sources) + target for _, target, _, _ in links],
                "value": [entries for _, _, entries, _ in links],
                "color": [_translucent(COLOURS[verdict]) for _, _, _, verdict in links],
            },
        )
    )
    figure.update_layout(**_plain(max(260, 24 * len(targets) + 60)))
    return _as_plain(figure)


def plain_label(text: str) -> str:
    """Text for plotly, which reads some HTML in labels: log text must not become a link there."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 56, "r": 12, "t": 12, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": -0.18},
        "template": "none",
    }


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"


def _as_plain(figure: go.Figure) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(figure.to_json())
    return {"data": plain["data"], "layout": plain["layout"]}
