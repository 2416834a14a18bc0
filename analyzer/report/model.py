"""What a report says, before anyone decides how it looks."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

from analyzer.pipeline import Audit
from analyzer.registry import discover

REPORT_VERSION = 1
"""Version of the JSON; it grows where a key changes its meaning or goes away."""

Cell = str | int | float | None


@dataclass(frozen=True)
class Fact:
    """One figure with its name; `tone` is the verdict or outcome whose colour it wears."""

    label: str
    value: Cell
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of plain cells; `numeric` names the columns that are numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A plotly figure as plain JSON under a fixed id, and the same facts as a table."""

    id: str
    figure: dict[str, Any]
    alternative: Table


@dataclass(frozen=True)
class Bands:
    """Bands between two columns of names: every row of the table is source, target, tone (a verdict) and amount.

    `rest` is the name that stands for everything else.
    """

    alternative: Table
    rest: str = ""


@dataclass(frozen=True)
class Manifest:
    """One proposed manifest to read and to copy; `diff` and `patch` are the edit and its file, where it is one."""

    file: str
    hosts: str
    entries: int
    workloads: str
    reason: str
    needs_review: bool
    yaml: str
    action: str = "create"
    edits: str | None = None
    patch: str | None = None
    diff: str | None = None


@dataclass(frozen=True)
class ManifestList:
    """The proposed manifests."""

    manifests: tuple[Manifest, ...]


@dataclass(frozen=True)
class Listing:
    """A text to read and to copy, folded away under what it is."""

    caption: str
    text: str


@dataclass(frozen=True)
class DestinationTable:
    """A place for the table of all destinations, which the page draws from the report's own data."""

    count: int


Block = Table | Figure | Bands | ManifestList | DestinationTable | Listing


@dataclass(frozen=True)
class SectionModel:
    """What a section says: a sentence that carries it, and what backs the sentence."""

    name: str
    title: str
    lead: str
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportModel:
    """The whole report. `data` holds what other programs read; both faces are made from this value."""

    headline: str
    sections: tuple[SectionModel, ...]
    data: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class ReportSection(Protocol):
    """One section, in one file of `analyzer.report.sections`; `position` orders the page."""

    name: str
    title: str
    position: int

    def build(self, audit: Audit) -> SectionModel | None:
        """Say what the section says of an audit; null where there is nothing to say."""
        ...


@lru_cache(maxsize=1)
def known_sections() -> tuple[ReportSection, ...]:
    """Every section, in the order of the page."""
    parts = discover("analyzer.report.sections", "SECTION").values()
    return tuple(sorted(parts, key=lambda section: (section.position, section.name)))
