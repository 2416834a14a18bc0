"""Bands between two columns of names, laid out in numbers: the page draws them as SVG, with no script."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.report.model import Bands

_THICKNESS = 220
"""Of all bands together, in pixels."""
_THINNEST = 1.5
_PITCH = 19
"""Pixels that every name has at least, so that no two overlap."""


@dataclass(frozen=True)
class Node:
    """A name with its amount: the room it has in its column, and the bar in the middle of that, in pixels."""

    name: str
    amount: int
    room: float
    bar: float


@dataclass(frozen=True)
class Band:
    """One row, as the path of an area that is 100 wide."""

    source: str
    target: str
    tone: str
    amount: int
    path: str


@dataclass(frozen=True)
class Drawing:
    """Everything there is to draw, `height` pixels high."""

    height: float
    sources: tuple[Node, ...]
    targets: tuple[Node, ...]
    bands: tuple[Band, ...]

    @property
    def tones(self) -> list[str]:
        """For the legend: the tones in the order of the rows."""
        return list(dict.fromkeys(band.tone for band in self.bands))


def laid_out(bands: Bands) -> Drawing:
    """The largest names first, the rest last; a band is as thick as its share of the amounts."""
    sources, targets, tones = ([str(row[place]) for row in bands.alternative.rows] for place in range(3))
    amounts = [int(row[3] or 0) for row in bands.alternative.rows]
    thick = [max(_THINNEST, _THICKNESS * amount / (sum(amounts) or 1)) for amount in amounts]
    left, right = (_totals(names, amounts, bands.rest) for names in (sources, targets))
    height = sum(thick) + _PITCH * max(len(left), len(right))
    callers, leaves = _column(left, sources, list(map(list(right).index, targets)), thick, height)
    called, arrives = _column(right, targets, list(map(list(left).index, sources)), thick, height)
    paths = map(_path, leaves, arrives, thick)
    return Drawing(round(height, 1), callers, called, tuple(map(Band, sources, targets, tones, amounts, paths)))


def _totals(names: Sequence[str], amounts: Sequence[int], rest: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for name, amount in zip(names, amounts, strict=True):
        totals[name] += amount
    return {name: totals[name] for name in sorted(totals, key=lambda name: (name == rest, -totals[name], name))}


def _column(
    totals: Mapping[str, int], names: Sequence[str], facing: Sequence[int], thick: Sequence[float], height: float
) -> tuple[tuple[Node, ...], list[float]]:
    """One column over the whole height, and where in it each row's band begins.

    In each bar they lie in the order of what they face in the other column, so that few of them cross.
    """
    spare = (height - sum(thick)) / max(1, len(totals))
    nodes, begins, top = [], [0.0] * len(names), spare / 2
    for name, amount in totals.items():
        begin = top
        for row in sorted((row for row, own in enumerate(names) if own == name), key=facing.__getitem__):
            begins[row], begin = begin, begin + thick[row]
        nodes.append(Node(name, amount, round(begin - top + spare, 1), round(begin - top, 1)))
        top = begin + spare
    return tuple(nodes), begins


def _path(leaves: float, arrives: float, thick: float) -> str:
    """Over and back again, level at both ends."""
    over = f"M0 {leaves:.1f}C50 {leaves:.1f} 50 {arrives:.1f} 100 {arrives:.1f}"
    return f"{over}v{thick:.1f}C50 {arrives + thick:.1f} 50 {leaves + thick:.1f} 0 {leaves + thick:.1f}Z"
