"""Figures as plain JSON: fixed ids, colours that colour-blind readers can tell apart."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

COLOURS = {"blocked": "#c8432f", "passthrough": "#d99a1c", "registered": "#2f7fb8"}
"""Vermilion, orange and blue after Okabe and Ito, darkened until they stand on white and on black."""


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


def _plain(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 60, "r": 24, "t": 20, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": -0.18},
        "template": "none",
    }


def _as_plain(figure: go.Figure) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(figure.to_json())
    return {"data": plain["data"], "layout": plain["layout"]}
