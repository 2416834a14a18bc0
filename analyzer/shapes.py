"""The JSON shapes that commands and report share: stable keys, plain values, times in ISO 8601 with Z."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from analyzer.store import Tally
from analyzer.vocabulary import Readiness

if TYPE_CHECKING:  # the ingest prints a tally and needs nothing of an audit
    from analyzer.evidence import Judged
    from analyzer.pipeline import Audit
    from analyzer.readiness import Assessment, Block, EvidenceMeter, Grant, NamespaceReadiness, Narrowing


def moment_as_json(moment: datetime | None) -> str | None:
    """A moment in UTC, to the millisecond, or null."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def tally_as_json(tally: Tally) -> dict[str, Any]:
    """What was read."""
    return {
        **asdict(tally),
        "notes": list(tally.notes),
        "start": moment_as_json(tally.start),
        "end": moment_as_json(tally.end),
    }


def destination_as_json(judged: "Judged") -> dict[str, Any]:
    """A destination with its evidence and verdict."""
    destination = judged.destination
    return {
        **destination.key._asdict(),
        "entries": destination.entries,
        "by_class": {word.value: count for word, count in destination.by_class.items()},
        "by_result": {word.value: count for word, count in destination.by_result.items()},
        "by_mechanism": {word.value: count for word, count in destination.by_mechanism.items()},
        "bytes_received": destination.bytes_received,
        "bytes_sent": destination.bytes_sent,
        "first_seen": moment_as_json(destination.first_seen),
        "last_seen": moment_as_json(destination.last_seen),
        "days_seen": destination.days_seen,
        "pods_seen": destination.pods_seen,
        "host_sources": [source.value for source in destination.host_sources],
        "addresses": list(destination.addresses),
        "addresses_seen": destination.addresses_seen,
        "user_agents": list(destination.user_agents),
        "examples": list(destination.examples),
        "verdict": judged.verdict.value,
        "reasons": [asdict(reason) for reason in judged.reasons],
    }


def destinations_as_json(audit: "Audit") -> list[dict[str, Any]]:
    """Every destination with its evidence, its verdict, and why it is refused or would be."""
    causes = audit.assessment.causes
    return [
        {**destination_as_json(judged), "causes": [cause_as_json(block) for block in causes.get(judged.key, ())]}
        for judged in audit.judged
    ]


def companions_as_json(audit: "Audit") -> list[dict[str, str]]:
    """The files made on request, each with its companion and what it is for."""
    return [{"file": file.file, "companion": file.companion, "reason": file.reason} for file in audit.companions.files]


def summary_as_json(audit: "Audit") -> dict[str, Any]:
    """Tally, counts per class and verdict, coverage: `summary.json` of the output folder."""
    verdicts: dict[str, int] = {}
    for judged in audit.judged:
        verdicts[judged.verdict.value] = verdicts.get(judged.verdict.value, 0) + 1
    return {
        "tally": tally_as_json(audit.tally),
        "istio_version": audit.istio_version,
        "as_of": _day(audit.as_of),
        "classes": {word.value: count for word, count in audit.entries_by_class.items()},
        "verdicts": dict(sorted(verdicts.items())),
        "proposed": len(audit.proposals.proposed),
        "not_proposed": len(audit.proposals.not_proposed),
        "coverage": {word.value: count for word, count in audit.replay.coverage.items()},
        "coverage_as_is": {word.value: count for word, count in audit.replay_as_is.coverage.items()},
        "readiness": readiness_counts(audit.assessment),
    }


def readiness_counts(assessment: "Assessment") -> dict[str, int]:
    """Namespaces per status, worst first."""
    return {
        status.value: sum(namespace.status is status for namespace in assessment.namespaces) for status in Readiness
    }


def assessment_as_json(assessment: "Assessment") -> dict[str, Any]:
    """Everything that was concluded about the switch to REGISTRY_ONLY."""
    return {
        "watched": _meter(assessment.watched),
        "namespaces": [_namespace(namespace) for namespace in assessment.namespaces],
        "causes": [{**block.key._asdict(), **cause_as_json(block)} for block in assessment.blocks],
        "side_effects": [asdict(effect) for effect in assessment.side_effects],
        "proposed_side_effects": [asdict(effect) for effect in assessment.proposed_side_effects],
        "ledger": {
            "days": assessment.ledger.days,
            "wanted": assessment.ledger.wanted,
            "is_long_enough": assessment.ledger.is_long_enough,
            "decides_on": _day(assessment.ledger.decides_on),
            "grants": [_grant(grant, assessment.narrowings.of(grant.reference)) for grant in assessment.ledger.grants],
        },
    }


def _grant(grant: "Grant", narrowing: "Narrowing | None") -> dict[str, Any]:
    return {
        **asdict(replace(grant, narrowed=None)),
        "narrowed": narrowing and narrowing.yaml,
        "file": narrowing and narrowing.file,
        "patch": narrowing and narrowing.patch,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def cause_as_json(block: "Block") -> dict[str, Any]:
    """Why entries of a destination are refused, or would be, and what would mend it."""
    cause = block.cause
    return {
        "code": cause.code.value,
        "because": cause.because,
        "repair": cause.repair,
        "object": cause.object,
        "place": cause.place,
        "entries": block.entries,
        "refused": block.refused,
        "proven": block.proven,
        "proposal": block.proposal,
    }


def _meter(meter: "EvidenceMeter") -> dict[str, Any]:
    return {
        **asdict(meter),
        "first": moment_as_json(meter.first),
        "last": moment_as_json(meter.last),
        "gaps": [
            {"start": moment_as_json(gap.start), "end": moment_as_json(gap.end), "hours": gap.hours}
            for gap in meter.gaps
        ],
        "silent_pods": list(meter.silent_pods),
        "lacks": list(meter.lacks),
        "decides_on": _day(meter.decides_on),
    }


def _namespace(namespace: "NamespaceReadiness") -> dict[str, Any]:
    traffic = {
        name: {**asdict(part), "workloads": list(part.workloads)}
        for name, part in (
            ("breaking", namespace.breaking),
            ("stopped", namespace.stopped),
            ("unsure", namespace.unsure),
            ("refused", namespace.refused),
            ("mended", namespace.mended),
        )
    }
    return {
        "namespace": namespace.namespace,
        "status": namespace.status.value,
        "because": namespace.because,
        "entries": namespace.entries,
        **traffic,
        "proposals": list(namespace.proposals),
        "mode_seen": namespace.mode_seen.value if namespace.mode_seen else None,
        "meter": _meter(namespace.meter),
        "rows": [
            {
                **row.key._asdict(),
                "verdict": row.verdict.value,
                "entries": row.entries,
                "bytes": row.bytes,
                "outcome": row.decision.outcome.value,
                "rule": row.decision.rule,
                "because": row.decision.because,
                "by": row.decision.by,
                "examples": list(row.examples),
            }
            for row in namespace.rows
        ],
    }
