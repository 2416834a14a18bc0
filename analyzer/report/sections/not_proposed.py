"""What is not proposed, and why, and what to do about it."""

from collections import defaultdict

from analyzer.pipeline import Audit
from analyzer.proposals import NotProposed
from analyzer.report.model import SectionModel, Table

_SHOWN = 12
_NOTHING_TO_DO = ("already_registered", "already_admitted")


class NotProposedSection:
    """Grouped by reason, the reasons with most entries first; the CSV beside the page has every row."""

    name = "not_proposed"
    title = "Not proposed, and why"
    position = 60

    def build(self, audit: Audit) -> SectionModel:
        """One table a reason."""
        groups: dict[str, list[NotProposed]] = defaultdict(list)
        for item in audit.proposals.not_proposed:
            groups[item.code].append(item)
        order = sorted(
            groups, key=lambda code: (code in _NOTHING_TO_DO, -sum(item.entries for item in groups[code]), code)
        )
        tables = tuple(_table(code, groups[code]) for code in order)
        count = len(audit.proposals.not_proposed)
        lead = (
            f"{count:,} destinations get no manifest, for {len(groups):,} reasons."
            if count
            else "Nothing was left out."
        )
        return SectionModel(self.name, self.title, lead, blocks=tables)


def _table(code: str, items: list[NotProposed]) -> Table:
    largest = sorted(items, key=lambda item: (-item.entries, item.key.order))
    rows = tuple(
        (item.key.name, item.key.source_namespace or "unknown", item.verdict.value, item.entries, item.reason)
        for item in largest[:_SHOWN]
    )
    more = f", the {_SHOWN} largest shown" if len(items) > _SHOWN else ""
    entries = sum(item.entries for item in items)
    return Table(
        ("destination", "namespace", "verdict", "entries", "what to do"),
        rows,
        ("entries",),
        f"{code} ({len(items):,} destinations, {entries:,} entries{more})",
    )


SECTION = NotProposedSection()
