"""What a companion is made from, what it consists of, and the companions that this build knows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

from analyzer.evidence import Destination, Judged
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import is_dns1123_label
from analyzer.proposals import Proposals
from analyzer.proposals.listing import missing_line
from analyzer.readiness import NamespaceReadiness
from analyzer.registry import discover
from analyzer.settings import Settings
from analyzer.simulation import Simulator
from analyzer.versions import version_of
from analyzer.vocabulary import EgressClass, Mode, Outcome, Verdict

_UNWANTED = frozenset((Verdict.DENIED, Verdict.SUSPICIOUS))


class Use(NamedTuple):
    """A destination that would be let out after the proposals, and the ServiceEntry that lets it out."""

    destination: Destination
    entry: ServiceEntry


@dataclass(frozen=True)
class CompanionFile:
    """One file of a companion, `file` relative to the output folder; `reason` says in a sentence what it is for."""

    companion: str
    file: str
    text: str
    reason: str


@dataclass(frozen=True)
class Companions:
    """All files, sorted by name, and what a person must know of them or why some were not made."""

    files: tuple[CompanionFile, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """Everything that is concluded before companions are made.

    `destinations` are those that are replayed; `mesh` is the mesh as it is, without the proposals; `coverage` says by
    field how many entries have it, and of how many.
    """

    judged: Sequence[Judged]
    destinations: Sequence[Destination]
    proposals: Proposals
    mesh: Mesh
    settings: Settings
    istio_version: str
    readiness: Sequence[NamespaceReadiness] = ()
    coverage: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def applied(self) -> Mesh:
        """The mesh with the proposals applied."""
        return self.mesh.over(self.proposals.mesh)

    @cached_property
    def after(self) -> Simulator:
        """The replay under REGISTRY_ONLY with the proposals applied."""
        return Simulator(self.applied, mode=Mode.REGISTRY_ONLY, istio_version=self.istio_version)

    @cached_property
    def outbound(self) -> Mapping[str, Sequence[Destination]]:
        """What each namespace calls, in the cluster and out of it, by name; only names that Kubernetes would take."""
        found: dict[str, list[Destination]] = defaultdict(list)
        for destination in sorted(self.destinations, key=lambda item: item.key.order):
            namespace = destination.key.source_namespace
            if namespace and is_dns1123_label(namespace) and set(destination.by_class) != {EgressClass.INBOUND}:
                found[namespace].append(destination)
        return dict(sorted(found.items()))

    @cached_property
    def uses(self) -> Mapping[str, Sequence[Use]]:
        """What each namespace would be let out to, and by which entry; nothing suspicious or denied is among it."""
        unwanted = {item.key for item in self.judged if item.verdict in _UNWANTED}
        entries = {entry.reference: entry for entry in self.applied.service_entries}
        found: dict[str, list[Use]] = {}
        for namespace, destinations in self.outbound.items():
            uses = [self._use(item, entries) for item in destinations if item.key not in unwanted]
            found[namespace] = [use for use in uses if use is not None]
        return found

    @cached_property
    def registered_elsewhere(self) -> Mapping[str, Sequence[Destination]]:
        """What each namespace calls under an entry that was not given: it may stand in any namespace."""
        known = {use.destination.key for uses in self.uses.values() for use in uses}
        return {
            namespace: [item for item in found if EgressClass.REGISTERED in item.by_class and item.key not in known]
            for namespace, found in self.outbound.items()
        }

    def unlisted(self, home: str, host: str, client: str, numbers: Iterable[int]) -> set[tuple[str, str]]:
        """The lines that Sidecars of a client's namespace lack for a host of another, with the Sidecar of each."""
        found: set[tuple[str, str]] = set()
        root, version = self.mesh.config.root_namespace, version_of(self.istio_version)
        has_own = any(item.namespace == client and not item.workload_selector for item in self.applied.sidecars)
        for sidecar in self.applied.sidecars:
            if sidecar.namespace == client or (sidecar.namespace == root and not has_own):
                lacking = (missing_line(sidecar, home, host, client, number, version) for number in numbers)
                found.update((sidecar.reference, listing.line) for listing in lacking if listing is not None)
        return found

    def _use(self, destination: Destination, entries: Mapping[str, ServiceEntry]) -> Use | None:
        decisions = [self.after.decide(request) for request in destination.requests]
        by = next((item.by for item in decisions if item.outcome is Outcome.ALLOWED and item.by in entries), None)
        return None if by is None else Use(destination, entries[by])


def lines_by_sidecar(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each Sidecar with the lines that it lacks, for people."""
    lines: dict[str, list[str]] = defaultdict(list)
    for reference, line in sorted(found):
        lines[reference].append(line)
    return [(reference, ", ".join(written)) for reference, written in lines.items()]


@runtime_checkable
class Companion(Protocol):
    """One companion, in one file of `analyzer.companions.kinds`."""

    name: str
    summary: str

    def make(self, situation: Situation) -> Companions:
        """The files, and what to know of them."""
        ...


@lru_cache(maxsize=1)
def known_companions() -> dict[str, Companion]:
    """Every companion by name."""
    return discover("analyzer.companions.kinds", "COMPANION")
