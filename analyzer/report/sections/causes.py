"""Why it is refused, or would be, and the smallest change that would mend it."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from analyzer.pipeline import Audit
from analyzer.readiness import Block
from analyzer.readiness.words import counted
from analyzer.report.model import Cell, SectionModel, Table
from analyzer.vocabulary import CauseCode

_SHOWN = 20
_MEANING = {
    CauseCode.NO_ENTRY: "no entry is for it",
    CauseCode.NOT_EXPORTED: "an entry is for it, and is not exported here",
    CauseCode.SIDECAR_LIST: "an entry is for it, and a Sidecar does not list it",
    CauseCode.PORT_MISSING: "an entry is for it, without this port",
    CauseCode.PROTOCOL_WRONG: "an entry has the port, with another protocol",
    CauseCode.NAME_DIFFERS: "an entry is for almost this name",
    CauseCode.ADDRESS_DIFFERS: "an entry is for it, at another address",
    CauseCode.AUTO_ALLOCATED: "an address that Istio made up",
    CauseCode.CAPTURED: "another entry takes it",
    CauseCode.CANNOT_WORK: "an entry takes it, and cannot work",
    CauseCode.NAME_UNKNOWN: "the log does not show what would decide",
    CauseCode.REGISTERED_SINCE: "the mesh admits it by now",
    CauseCode.UPSTREAM_FAILURE: "no matter of policy: it fails on the way",
}


class CausesSection:
    """Grouped by what should change, so that one repair stands in one row; report.json has every destination."""

    name = "causes"
    title = "Causes of blocks"
    position = 45

    def build(self, audit: Audit) -> SectionModel:
        """Count the causes, then list the repairs that help most."""
        blocks = audit.assessment.blocks
        if not blocks:
            return SectionModel(self.name, self.title, "Nothing is refused in this log, and nothing would be.")
        refused = sum(block.refused for block in blocks)
        would = sum(block.entries for block in blocks if block.cause.code is not CauseCode.UPSTREAM_FAILURE) - refused
        lead = (
            f"{counted(refused, 'entry', 'entries')} were refused, {would:,} more would be under REGISTRY_ONLY with "
            "the mesh as it is. A change is marked proven where it was replayed and let all of its entries out."
        )
        return SectionModel(self.name, self.title, lead, blocks=(_by_cause(blocks), _repairs(blocks)))


def _by_cause(blocks: Sequence[Block]) -> Table:
    entries: Counter[CauseCode] = Counter()
    destinations: Counter[CauseCode] = Counter()
    for block in blocks:
        entries[block.cause.code] += block.entries
        destinations[block.cause.code] += 1
    return Table(
        ("cause", "meaning", "destinations", "entries"),
        tuple(
            (code.value, _MEANING[code], destinations[code], entries[code])
            for code in sorted(entries, key=lambda code: (-entries[code], code))
        ),
        ("destinations", "entries"),
        "By cause",
    )


def _repairs(blocks: Sequence[Block]) -> Table:
    """One row for each change: what it mends together."""
    groups: dict[tuple[str, str | None, str], list[Block]] = defaultdict(list)
    for block in blocks:
        groups[block.cause.code.value, block.cause.object, block.cause.repair].append(block)
    largest = sorted(groups.items(), key=lambda item: (-sum(block.entries for block in item[1]), str(item[0])))
    more = f" ({len(largest):,}, the first {_SHOWN} shown)" if len(largest) > _SHOWN else ""
    return Table(
        ("cause", "destination", "entries", "because", "smallest change", "where", "proven"),
        tuple(_repair(group) for _, group in largest[:_SHOWN]),
        ("entries",),
        f"What to change, what helps most first{more}",
    )


def _repair(group: Sequence[Block]) -> tuple[Cell, ...]:
    cause = group[0].cause
    names = sorted({block.key.name for block in group})
    namespaces = sorted({block.key.source_namespace or "unknown" for block in group})
    proven = {block.proven for block in group}
    proposal = next((block.proposal for block in group if block.proposal), None)
    return (
        cause.code.value,
        f"{_few(names)}, from {_few(namespaces)}",
        sum(block.entries for block in group),
        cause.because,
        cause.repair,
        cause.place or proposal or "",
        "yes" if proven == {True} else "no" if False in proven else "",
    )


def _few(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")


SECTION = CausesSection()
