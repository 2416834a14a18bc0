"""Narrowed entries as manifests: what was written, with less in it, as files of their own and as patches.

They stand apart from the proposals, for applying them takes something away: what the log shows stays allowed, and
what it does not show may have been missed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from analyzer.detection.texts import entries as counted_entries
from analyzer.evidence import Destination
from analyzer.mesh.model import Document, Mesh, Origin, ServiceEntry
from analyzer.mesh.placed import read_yaml
from analyzer.proposals import Patch
from analyzer.proposals.editing import Narrowed, edit
from analyzer.proposals.patching import Edited, patches_of
from analyzer.proposals.rendering import NEEDS_REVIEW, annotations_of
from analyzer.readiness.ledger import Grant, Ledger
from analyzer.readiness.words import counted
from analyzer.simulation import Simulator
from analyzer.validation import validate
from analyzer.vocabulary import Outcome, Severity

FOLDER = "narrowed"


@dataclass(frozen=True)
class Narrowing:
    """One narrowed entry; `file` is relative to the output folder (`narrowed/<namespace>/<name>.yaml`).

    `patch` is the file of the patch that makes it (`narrowed/patches/<name>.patch`), null where the file that it was
    read from must not be edited.
    """

    reference: str
    file: str
    yaml: str
    reason: str
    patch: str | None = None


@dataclass(frozen=True)
class Narrowings:
    """Every narrowed entry that Istio would take, by `<namespace>/<name>`, and the patches."""

    narrowed: tuple[Narrowing, ...] = ()
    patches: tuple[Patch, ...] = ()

    def of(self, reference: str) -> Narrowing | None:
        """The narrowed form of an entry, if there is one."""
        return next((item for item in self.narrowed if item.reference == reference), None)


def narrowings(ledger: Ledger, destinations: Iterable[Destination], as_is: Simulator) -> Narrowings:
    """What a ledger narrows, as far as the text is at hand that it was read from."""
    wanted = {grant.reference: grant for grant in ledger.grants if grant.narrowed is not None}
    if not wanted:
        return Narrowings()
    users = _users(destinations, as_is, wanted)
    made = list(_made(as_is.mesh, wanted.values(), ledger, users, as_is.istio_version))
    patches, parts = patches_of((edited for _, edited in made if edited is not None), f"{FOLDER}/patches")
    narrowed = (replace(item, patch=parts[item.file].patch) if item.file in parts else item for item, _ in made)
    return Narrowings(tuple(sorted(narrowed, key=lambda item: item.reference)), tuple(patches))


def _made(
    mesh: Mesh,
    grants: Iterable[Grant],
    ledger: Ledger,
    users: dict[str, list[Destination]],
    istio_version: str,
) -> Iterator[tuple[Narrowing, Edited | None]]:
    by_reference = {entry.reference: entry for entry in mesh.service_entries}
    for grant in grants:
        original, narrowed = by_reference[grant.reference], grant.narrowed
        assert narrowed is not None
        made = edit(original, _change(original, narrowed))
        if made is None:
            continue
        file = f"{FOLDER}/{original.namespace}/{original.name}.yaml"
        reason = _reason(grant, original, ledger)
        text = made.document({**annotations_of(users[grant.reference], reason), NEEDS_REVIEW: "true"})
        if not _is_taken(text, original, istio_version):
            continue
        edited = None if made.why_not else Edited(file, original.reference, reason, original.origin, made)
        yield Narrowing(original.reference, file, text, reason), edited


def _change(original: ServiceEntry, narrowed: ServiceEntry) -> Narrowed:
    scopes = None if narrowed.export_to == original.export_to else narrowed.export_to
    return Narrowed(frozenset(port.number for port in narrowed.ports), narrowed.hosts, scopes)


def _users(
    destinations: Iterable[Destination], as_is: Simulator, wanted: dict[str, Grant]
) -> dict[str, list[Destination]]:
    """Who goes out by each entry."""
    found: dict[str, list[Destination]] = defaultdict(list)
    for destination in destinations:
        decisions = [as_is.decide(request) for request in destination.requests]
        taking = {decision.by for decision in decisions if decision.outcome is Outcome.ALLOWED and not decision.stray}
        for reference in wanted.keys() & taking:
            found[reference].append(destination)
    return found


def _reason(grant: Grant, original: ServiceEntry, ledger: Ledger) -> str:
    """What goes, and over which time it was not needed."""
    left = grant.narrowed or original
    kept = {port.number for port in left.ports}
    gone = [f"port {port.number} {port.protocol}".rstrip() for port in original.ports if port.number not in kept]
    gone += [f"host {host}" for host in original.hosts if host not in left.hosts]
    scopes = ["its own namespace" if scope == "." else scope for scope in left.export_to]
    gone += [f"export beyond {' and '.join(scopes)}"] if left.export_to != original.export_to else []
    return (
        f"Over {counted(ledger.days, 'watched day')} {counted_entries(grant.entries)} went out by it, and none needed "
        f"{_listed(gone)}."
    )


def _listed(words: Sequence[str], most: int = 8) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most:,} more" if len(words) > most else "")


def _is_taken(text: str, entry: ServiceEntry, istio_version: str) -> bool:
    """Whether Istio takes the manifest."""
    content = next(read_yaml(text))
    origin = Origin(f"{entry.name}.yaml", 1, 1, text.encode())
    document = Document("ServiceEntry", content["apiVersion"], entry.namespace, entry.name, content, origin)
    return all(finding.severity is not Severity.ERROR for finding in validate([document], istio_version))
