"""Sidecar: REGISTRY_ONLY namespace by namespace, the readiest first, with what would break and the way back.

A namespace's Sidecar replaces the mesh's default for it: its policy wins over the mesh's, and its egress list is all
that its proxies learn of (istio/istio pilot/pkg/model/sidecar.go). So the list names whole namespaces, not services,
and only where the log was watched long enough for what is not in it to count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.companions.companion import CompanionFile, Companions, Situation
from analyzer.companions.objects import manifest
from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination
from analyzer.mesh.model import Mesh, Sidecar
from analyzer.mesh.names import is_dns1123_label
from analyzer.mesh.scoping import EgressListener, OutboundPolicy
from analyzer.proposals.editing import Listed, Switched, edit
from analyzer.proposals.editing.edits import Changing
from analyzer.proposals.listing import lines_between
from analyzer.proposals.rendering import annotations_of
from analyzer.readiness import NamespaceReadiness
from analyzer.readiness.words import counted
from analyzer.simulation import Simulator
from analyzer.vocabulary import MANAGED_BY, EgressClass, Mode, Outcome, Readiness

_NAME = "default"
_EVERYTHING = ("*/*",)
_ROWS = 20


class SidecarCompanion:
    """One Sidecar a namespace, in the order of a rollout."""

    name = "sidecar"
    summary = "REGISTRY_ONLY namespace by namespace, readiest first: a Sidecar, its rollback, what would break."

    def make(self, situation: Situation) -> Companions:
        """A Sidecar and a rollback for each namespace, and the plan."""
        steps: list[_Step] = []
        notes: list[str] = []
        for readiness in _in_order(situation):
            own = _existing(situation.mesh, readiness.namespace or "")
            if own is None:
                steps.append(_Step(readiness, _hosts(situation, readiness)))
            elif own.outbound_policy is not None and own.outbound_policy.mode is Mode.REGISTRY_ONLY:
                notes.append(f"{own.namespace} is REGISTRY_ONLY already, by its Sidecar {own.name}.")
            elif edit(own, Listed(())) is None:
                notes.append(
                    f"{own.namespace} has the Sidecar {own.name} already, and its document is not at hand: set "
                    "`outboundTrafficPolicy: {mode: REGISTRY_ONLY}` there."
                )
            else:
                after = next(item for item in situation.applied.sidecars if item.reference == own.reference)
                lists = tuple(host for listener in after.egress or () for host in listener.hosts)
                steps.append(_Step(readiness, lists or _EVERYTHING, own, lines_between(own, after)))
        files = [file for number, step in enumerate(steps, 1) for file in _files(situation, number, step)]
        return Companions((*files, _plan(steps, situation)) if steps else (), tuple(notes))


@dataclass(frozen=True)
class _Step:
    """One namespace's switch: what it sees, and the Sidecar that it has already with the lines it is to get."""

    readiness: NamespaceReadiness
    hosts: tuple[str, ...]
    own: Sidecar | None = None
    lines: Mapping[int | None, tuple[str, ...]] = field(default_factory=dict)


def _in_order(situation: Situation) -> list[NamespaceReadiness]:
    """Those that are ready first, then those in which least would break."""
    ours = [item for item in situation.readiness if item.namespace in situation.outbound]
    ranks = list(Readiness)[::-1]
    return sorted(
        ours,
        key=lambda item: (ranks.index(item.status), item.breaking.entries, item.unsure.entries, item.namespace or ""),
    )


def _existing(mesh: Mesh, namespace: str) -> Sidecar | None:
    """The Sidecar of a namespace that another without selector would conflict with."""
    return next((item for item in mesh.sidecars if item.namespace == namespace and not item.workload_selector), None)


def _hosts(situation: Situation, readiness: NamespaceReadiness) -> tuple[str, ...]:
    """What the namespace needs to see; everything, where the log is too short to tell or a list would hide some."""
    namespace = readiness.namespace or ""
    if not readiness.meter.is_enough:
        return _EVERYTHING
    root = situation.mesh.config.root_namespace
    seen = situation.outbound[namespace]
    neighbours = {_namespace_of(item) for item in seen if EgressClass.IN_MESH in item.by_class}
    if None in neighbours or situation.registered_elsewhere[namespace]:
        return _EVERYTHING
    others = {name for name in neighbours if name} - {namespace, root}
    shared = {
        f"{use.entry.namespace}/{host}"
        for use in situation.uses.get(namespace, ())
        if use.entry.namespace not in (namespace, root, *others)
        for host in use.entry.hosts
    }
    hosts = ("./*", *(f"{name}/*" for name in sorted({root, *others} - {namespace})), *sorted(shared))
    return _EVERYTHING if _hides(situation, namespace, hosts) else hosts


def _namespace_of(destination: Destination) -> str | None:
    """The namespace of a service in the cluster, `name.namespace.svc`; null where the name does not tell."""
    parts = (destination.key.host or "").split(".")
    return parts[1] if len(parts) > 2 and parts[2] == "svc" and is_dns1123_label(parts[1]) else None


def _hides(situation: Situation, namespace: str, hosts: tuple[str, ...]) -> bool:
    """Whether the list would refuse what is let out without it."""
    sidecar = Sidecar(
        namespace=namespace,
        name=_NAME,
        egress=(EgressListener(hosts),),
        outbound_policy=OutboundPolicy(Mode.REGISTRY_ONLY),
        proposed=True,
    )
    listed = Simulator(
        situation.applied.over(Mesh(sidecars=(sidecar,))),
        mode=Mode.REGISTRY_ONLY,
        istio_version=situation.istio_version,
    )
    return any(
        situation.after.decide(request).outcome is Outcome.ALLOWED
        and listed.decide(request).outcome is not Outcome.ALLOWED
        for destination in situation.outbound[namespace]
        for request in destination.requests
    )


def _files(situation: Situation, number: int, step: _Step) -> Iterator[CompanionFile]:
    """The step and its way back; of a Sidecar that exists both are its document with one line more or less."""
    readiness, namespace = step.readiness, step.readiness.namespace or ""
    file = f"{number:02d}-{namespace}.yaml"
    before = situation.mesh.config.outbound_policy.mode
    there = f"Step {number}: {_forecast(readiness)}"
    back = f"Undoes step {number}: {namespace} sees and reaches what it did"
    if step.own is None:
        yield _sidecar(situation, namespace, file, step.hosts, Mode.REGISTRY_ONLY, there)
        undone = f"{back} under the mesh's own {before}."
        yield _sidecar(situation, namespace, f"rollback/{file}", _EVERYTHING, before, undone)
        return
    lines = Listed(tuple(step.lines.items()))
    former = step.own.outbound_policy.mode if step.own.outbound_policy else None
    undo: Changing = Switched(former.value, lines) if former else lines
    parts: list[tuple[str, Changing, str]] = [
        (file, Switched(Mode.REGISTRY_ONLY.value, lines), there),
        (f"rollback/{file}", undo, f"{back} under {'its own' if former else 'the mesh-wide'} {former or before}."),
    ]
    for path, change, reason in parts:
        made = edit(step.own, change)
        if made is not None:
            text = made.document(annotations_of(situation.outbound[namespace], reason))
            yield CompanionFile("sidecar", f"companions/sidecar/{path}", text, reason)


def _sidecar(
    situation: Situation, namespace: str, file: str, hosts: Sequence[str], mode: Mode, reason: str
) -> CompanionFile:
    return manifest(
        "sidecar",
        "Sidecar",
        (namespace, _NAME),
        {"egress": [{"hosts": list(hosts)}], "outboundTrafficPolicy": {"mode": mode.value}},
        reason=reason,
        seen=situation.outbound[namespace],
        istio_version=situation.istio_version,
        file=file,
    )


def _forecast(readiness: NamespaceReadiness) -> str:
    breaking = readiness.breaking
    if not breaking.entries:
        return f"nothing that the log shows would break in {readiness.namespace} ({_words(readiness.status)})."
    return (
        f"{entries(breaking.entries)} of {counted(len(breaking.workloads), 'workload')} to "
        f"{counted(breaking.destinations, 'destination')} "
        f"would break in {readiness.namespace} ({_words(readiness.status)})."
    )


def _plan(steps: Sequence[_Step], situation: Situation) -> CompanionFile:
    lines = [
        "# REGISTRY_ONLY, namespace by namespace",
        "",
        f"Proposed by {MANAGED_BY}. Apply the ServiceEntries first (`kubectl apply -k manifests`), then one step at a",
        "time, and watch each for a day. A step is undone by its rollback; where the namespace had no Sidecar before,",
        "also by `kubectl delete sidecar default` there. Steps that see `*/*` hide nothing, because the log is too",
        "short or does not say what is needed; the others let proxies see only what is listed: what the log shows to",
        "be needed, or what the namespace's own Sidecar lists.",
        "",
        "| step | namespace | status | would break | unsure | sees | apply | undo |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for number, step in enumerate(steps, 1):
        readiness = step.readiness
        file = f"{number:02d}-{readiness.namespace}.yaml"
        cells = (
            str(number),
            readiness.namespace or "",
            _words(readiness.status),
            f"{readiness.breaking.entries:,} entries",
            f"{readiness.unsure.entries:,} entries",
            " ".join(f"`{host}`" for host in step.hosts),
            f"`{file}`",
            f"`rollback/{file}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    for number, step in enumerate(steps, 1):
        readiness = step.readiness
        lines += ["", f"## {number}. {readiness.namespace}", "", f"{_cell(readiness.because)}"]
        if readiness.rows:
            lines += ["", "| would break | entries | because |", "|---|---|---|"]
        for row in readiness.rows[:_ROWS]:
            lines.append(f"| {_cell(row.key.name)} | {row.entries:,} | {_cell(row.decision.because)} |")
        if len(readiness.rows) > _ROWS:
            lines.append(f"| and {len(readiness.rows) - _ROWS:,} more | | |")
    reason = f"The order of {counted(len(steps), 'namespace')}, what would break in each, and the way back."
    return CompanionFile("sidecar", "companions/sidecar/ROLLOUT.md", "\n".join(lines) + "\n", reason)


def _words(status: Readiness) -> str:
    return status.value.replace("_", " ")


def _cell(text: str) -> str:
    """Log text in a table of Markdown: no markup, no cell of its own making."""
    return "".join(f"\\{letter}" if letter in "|\\`*_[]<>#&~" else letter for letter in shown(text))


COMPANION = SidecarCompanion()
