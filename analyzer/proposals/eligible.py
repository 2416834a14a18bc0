"""Which destinations a manifest should be made for, and why there is none for the others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from analyzer.evidence import Destination, Judged
from analyzer.mesh.model import Mesh, ServiceEntry
from analyzer.mesh.names import is_dns1123_label
from analyzer.proposals.naming import object_name
from analyzer.proposals.proposal import NotProposed
from analyzer.settings import Settings, inside
from analyzer.simulation import Simulator
from analyzer.simulation.services import visible_entries
from analyzer.vocabulary import MANAGED_BY, MANAGED_BY_LABEL, EgressClass, Outcome, Verdict

_OPEN_QUESTIONS = (Verdict.LEGITIMATE, Verdict.REVIEW)


def not_proposed(item: Judged, code: str, reason: str) -> NotProposed:
    """A destination without a manifest."""
    return NotProposed(item.key, item.verdict, code, reason, item.destination.entries)


def placed(destination: Destination, settings: Settings) -> Destination:
    """A destination whose requests come from the default namespace where the log does not show theirs."""
    namespace = settings.proposals.default_namespace
    if destination.key.source_namespace is not None or namespace is None:
        return destination
    key = destination.key._replace(source_namespace=namespace)
    return replace(destination, requests=tuple(replace(request, key=key) for request in destination.requests))


def eligible(
    judged: Sequence[Judged], settings: Settings, before: Simulator
) -> tuple[dict[str, list[Judged]], list[NotProposed]]:
    """Legitimate destinations that need a manifest, by namespace, and the reasons of all others.

    A host is taken with all its ports or not at all: an entry in the caller's namespace hides the ports of a
    shared entry for the same host (istio/istio pilot/pkg/model/sidecar.go, since 1.24).
    """
    refused: list[NotProposed] = []
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for item in judged:
        if set(item.destination.by_class) == {EgressClass.INBOUND}:
            continue
        reason = _why_not(item, settings, before)
        if reason is not None:
            refused.append(reason)
        else:
            groups[_namespace(item, settings), item.key.host or item.key.name].append(item)
    wanted: dict[str, list[Judged]] = defaultdict(list)
    known = _Existing(before.mesh)
    for (namespace, _), items in sorted(groups.items()):
        existing = known.entry_for(items[0].key.host, namespace)
        if all(is_registered(item.destination, before) for item in items):
            refused += [_registered(item) for item in items]
        elif existing is not None:
            refused += [why_not_again(item, existing, before) for item in items]
        else:
            wanted[namespace] += items
    return wanted, refused


def is_registered(destination: Destination, before: Simulator) -> bool:
    """Whether the mesh as it is admits every request by an entry, not by a policy that admits anything."""
    decisions = [before.decide(request) for request in destination.requests]
    return bool(decisions) and all(
        decision.outcome is Outcome.ALLOWED and (decision.by is not None or not decision.unguarded)
        for decision in decisions
    )


def is_ours(entry: ServiceEntry) -> bool:
    """Whether an entry was made by this program."""
    return entry.labels.get(MANAGED_BY_LABEL) == MANAGED_BY


def _namespace(item: Judged, settings: Settings) -> str:
    return item.key.source_namespace or settings.proposals.default_namespace or ""


def _why_not(item: Judged, settings: Settings, before: Simulator) -> NotProposed | None:
    """Why a destination needs no manifest or may have none; null where one may be made."""
    if item.verdict in _OPEN_QUESTIONS and is_registered(item.destination, before):
        # A host that needs a manifest for another port keeps this one too, so it is not refused here.
        return None if item.verdict is Verdict.LEGITIMATE and item.key.source_namespace else _registered(item)
    if item.verdict is not Verdict.LEGITIMATE:
        return not_proposed(item, item.reasons[0].code, item.reasons[0].text)
    address = item.key.destination_ip
    if item.key.host is None and address and inside(address, settings.networks.auto_allocated):
        return not_proposed(
            item, "auto_allocated_address", "Istio made this address up for an entry's host: mend that entry's ports."
        )
    if not _namespace(item, settings):
        return not_proposed(
            item,
            "source_namespace_unknown",
            "The log does not show which namespace called: ingest with `--label source_namespace=NAME`, keep the "
            "kubelet's file names, or set `proposals.default_namespace`.",
        )
    if not is_dns1123_label(_namespace(item, settings)):
        return not_proposed(
            item, "source_namespace_invalid", "Kubernetes takes no namespace of the name that is logged."
        )
    return None


def _registered(item: Judged) -> NotProposed:
    return not_proposed(
        item, "already_registered", "Every request is admitted by what is registered already; nothing is missing."
    )


class _Existing:
    """The entries that each namespace sees, by host; looked up once a namespace."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._by_namespace: dict[str, dict[str, list[ServiceEntry]]] = {}

    def entry_for(self, host: str | None, namespace: str) -> ServiceEntry | None:
        """The entry for exactly this host that a proposal would compete with; one that it replaces does not count."""
        if host is None:
            return None
        if namespace not in self._by_namespace:
            self._by_namespace[namespace] = self._visible(namespace)
        replaced = f"{namespace}/{object_name(host)}"
        entries = self._by_namespace[namespace].get(host, ())
        return next((entry for entry in entries if not (is_ours(entry) and entry.reference == replaced)), None)

    def _visible(self, namespace: str) -> dict[str, list[ServiceEntry]]:
        by_host: dict[str, list[ServiceEntry]] = defaultdict(list)
        for entry in visible_entries(self._mesh, namespace):
            for host in entry.hosts:
                by_host[host.lower()].append(entry)
        return by_host


def why_not_again(item: Judged, existing: ServiceEntry, before: Simulator) -> NotProposed:
    """Why a destination of a host that has an entry already gets no second one."""
    if is_registered(item.destination, before):
        return _registered(item)
    return not_proposed(
        item,
        "existing_entry",
        f"{existing.reference} is for this host and does not admit port {item.key.destination_port} as "
        f"{item.key.application_protocol}: add the port there; a second entry would hide ports or lose its own.",
    )
