"""Which destinations a manifest should be made for, and why there is none for the others."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.evidence import Destination, DestinationKey, Judged
from analyzer.mesh.model import ServiceEntry
from analyzer.mesh.names import is_dns1123_label
from analyzer.proposals.existing import Existing, Lacking, is_nameable
from analyzer.proposals.proposal import NotProposed
from analyzer.proposals.unlisted import Unlisted
from analyzer.settings import Settings, inside
from analyzer.simulation import Simulator
from analyzer.vocabulary import EgressClass, Outcome, Verdict

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


@dataclass
class Wanted:
    """What is to be made: new manifests by namespace, edits by `<namespace>/<name>`; and what is not, and why."""

    new: dict[str, list[Judged]] = field(default_factory=lambda: defaultdict(list))
    lacking: dict[str, Lacking] = field(default_factory=dict)
    refused: list[NotProposed] = field(default_factory=list)

    def lacks(self, entry: ServiceEntry, items: Iterable[Judged], *, hidden_from: str | None = None) -> Lacking:
        """Note destinations that an existing entry is for and does not admit."""
        lacking = self.lacking.setdefault(entry.reference, Lacking(entry))
        for item in items:
            lacking.items.append(item)
            if hidden_from is not None:
                lacking.hidden_from[item.key] = hidden_from
        return lacking


def eligible(judged: Sequence[Judged], settings: Settings, before: Simulator, unlisted: Unlisted) -> Wanted:
    """Legitimate destinations that need a manifest or an edit of one, and the reasons of all others.

    A host is taken with all its ports or not at all: an entry in the caller's namespace hides the ports of a
    shared entry for the same host (istio/istio pilot/pkg/model/sidecar.go, since 1.24).
    """
    wanted = Wanted()
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    known = Existing(before.mesh)
    for item in judged:
        if set(item.destination.by_class) == {EgressClass.INBOUND}:
            continue
        reason = _why_not(item, settings, before)
        if reason is not None:
            wanted.refused.append(reason)
        else:
            groups[_namespace(item, settings), item.key.host or item.key.name].append(item)
    for (namespace, _), items in sorted(groups.items()):
        _place(namespace, items, known, before, unlisted, wanted)
    return wanted


def _place(
    namespace: str,
    items: Sequence[Judged],
    known: Existing,
    before: Simulator,
    unlisted: Unlisted,
    wanted: Wanted,
) -> None:
    """Say where one host's ports belong: in an entry that exists, or in a new one."""
    missing: list[Judged] = []
    admitted: list[Judged] = []
    for item in items:
        (admitted if is_registered(item.destination, before) else missing).append(item)
    if not missing:
        wanted.refused += [_registered(item) for item in items]
        return
    key = missing[0].key
    seen = known.seen(key, namespace)
    hidden = known.own_hidden(key, namespace) or (None if admitted else known.shared_hidden(missing))
    behind = {item.key: unlisted.behind(item) for item in missing}
    entry = seen or hidden or _wildcard_behind(namespace, missing, behind, unlisted)
    if entry is not None:
        to_export = entry is hidden and seen is None
        rivals = known.rivals(entry, key, to_export=to_export)
        if "~" in entry.export_to:
            text = (
                f"{entry.reference} is for this host and is exported to nobody (`~`): change that if it was not meant."
            )
        elif not is_nameable(entry):
            text = "The entry for this host has a name or a namespace that Kubernetes does not take."
        elif rivals:
            text = f"{entry.reference} and {', '.join(rivals)} are for this host and do not merge: make them one first."
        else:
            lacking = wanted.lacks(entry, missing, hidden_from=namespace if to_export else None)
            lacking.unlisted |= {key for key, found in behind.items() if found is entry}
            text = ""
        wanted.refused += [not_proposed(item, "existing_entry", text) for item in missing if text]
    elif before.mesh.is_empty:
        wanted.new[namespace] += items  # what the log calls registered is so by an entry that nobody has shown
        return
    else:
        wanted.new[namespace] += missing
    wanted.refused += [_registered(item) for item in admitted]


def _wildcard_behind(
    namespace: str,
    missing: Sequence[Judged],
    behind: Mapping[DestinationKey, ServiceEntry | None],
    unlisted: Unlisted,
) -> ServiceEntry | None:
    """A wildcard entry that only a Sidecar's list hides; none where an own entry would be seen without a new line."""
    found = {entry.reference: entry for entry in behind.values() if entry is not None}
    if len(found) != 1 or None in behind.values() or unlisted.shows_own(missing[0], namespace):
        return None
    return next(iter(found.values()))


def is_registered(destination: Destination, before: Simulator) -> bool:
    """Whether the mesh as it is admits every request by an entry, not by a policy that admits anything."""
    decisions = [before.decide(request) for request in destination.requests]
    return bool(decisions) and all(
        decision.outcome is Outcome.ALLOWED and (decision.by is not None or not decision.unguarded)
        for decision in decisions
    )


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
