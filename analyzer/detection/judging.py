"""Ask every detector in turn about every destination."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from analyzer.detection.detector import Context, context_of, is_internal, known_detectors
from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination, Judged, Reason
from analyzer.settings import Rule, Settings
from analyzer.vocabulary import ApplicationProtocol, Verdict

_Service = tuple[str | None, str | None, int | None, ApplicationProtocol | None]


def judge(
    destinations: Sequence[Destination], settings: Settings, as_of: date | datetime | None
) -> tuple[tuple[Judged, ...], tuple[str, ...]]:
    """A verdict for every destination, by key, and what is to be said of the settings themselves.

    An explicit deny stands before an explicit allow, an allow before every heuristic. `as_of` is the day on which
    expiry dates are looked at; the verdicts never ask a clock.
    """
    day = as_of.date() if isinstance(as_of, datetime) else as_of
    context = context_of(destinations, settings, day)
    ordered = sorted(destinations, key=lambda destination: destination.key.order)
    judged = _in_company([_judge_one(destination, context) for destination in ordered])
    return tuple(_remarked(item, context) for item in judged), tuple(
        _expired(rule) for rule in settings.rules if day and rule.expired(day)
    )


def _judge_one(destination: Destination, context: Context) -> Judged:
    """The first that speaks gives the verdict; others are still heard, if theirs is the same."""
    verdict: Verdict | None = None
    reasons: list[Reason] = []
    for detector in known_detectors():
        if verdict is None or detector.verdict is verdict:
            reason = detector.examine(destination, context)
            if reason is not None:
                verdict = detector.verdict
                reasons.append(reason)
    if verdict is None:
        return Judged(destination, Verdict.REVIEW, (Reason("nothing_decides", "No detector speaks of this."),))
    return Judged(destination, verdict, tuple(reasons))


def _in_company(judged: Sequence[Judged]) -> list[Judged]:
    """Thin evidence of one workload is no question where its neighbours settle it.

    A ServiceEntry serves a whole namespace, so what one workload proves a need for is open to the others as well;
    what a rule allows is not proven by the log and stays with whom the rule names.
    """
    proven: dict[_Service, Judged] = {}
    for item in judged:
        if item.verdict is Verdict.LEGITIMATE and item.reasons[0].code == "valid_host":
            best = proven.setdefault(_service(item), item)
            if item.destination.entries > best.destination.entries:
                proven[_service(item)] = item
    return [
        _joined(item, proven[_service(item)]) if item.verdict is Verdict.REVIEW and _service(item) in proven else item
        for item in judged
    ]


def _service(judged: Judged) -> _Service:
    key = judged.key
    return key.source_namespace, key.host, key.destination_port, key.application_protocol


def _joined(judged: Judged, neighbour: Judged) -> Judged:
    reason = Reason(
        "proven_by_neighbour",
        f"{shown(neighbour.key.source_workload or 'Another workload')} of the same namespace calls it "
        f"({entries(neighbour.destination.entries)}), and a ServiceEntry serves the whole namespace.",
    )
    return Judged(judged.destination, Verdict.LEGITIMATE, (reason, *judged.reasons))


def _remarked(judged: Judged, context: Context) -> Judged:
    """With what is worth a word and decides nothing."""
    remarks: list[Reason] = []
    private: list[str] = []
    if judged.key.host is not None and judged.verdict in (Verdict.LEGITIMATE, Verdict.REVIEW):
        addresses, networks = judged.destination.dialled, context.settings.networks
        private = [address for address in addresses if is_internal(address, networks)]
    if private:
        remarks.append(
            Reason(
                "name_at_private_address",
                f"The name was dialled at {shown(', '.join(private[:3]))}, a private address; the proxy goes by names.",
            )
        )
    if judged.destination.unchecked_entries:
        remarks.append(_unchecked(judged.destination))
    if judged.key.source_namespace is None:
        remarks.append(
            Reason(
                "source_unknown",
                "The log does not say which namespace this came from: give `--label source_namespace=...` or log "
                "`%ENVIRONMENT(POD_NAMESPACE)%`.",
            )
        )
    return replace(judged, reasons=(*judged.reasons, *remarks)) if remarks else judged


def _unchecked(destination: Destination) -> Reason:
    """A wildcard entry with resolution NONE checks the name and lets the client choose the address: a way out."""
    dialled = destination.dialled
    more = f" and {len(dialled) - 3} more" if len(dialled) > 3 else ""
    return Reason(
        "address_unchecked",
        f"{entries(destination.unchecked_entries)} left by a wildcard entry for whatever address the client dialled "
        f"({shown(', '.join(dialled[:3]))}{more}): nobody checked that it is the name's. An entry for the exact host "
        "with resolution DNS would.",
    )


def _expired(rule: Rule) -> str:
    what = ", ".join((*rule.hosts, *(f"*{suffix}" for suffix in rule.suffixes), *rule.cidrs, *map(str, rule.ports)))
    ticket = f", {rule.ticket}" if rule.ticket else ""
    who = f"owner {rule.owner}{ticket}"
    return f"the rule to {rule.action} {what} expired on {rule.expires} and no longer counts ({who})"
