"""Truth against what the analyzer says, line by line, for every format that the proxy wrote at once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.execution.local import ingest
from analyzer.store import Lake
from analyzer.vocabulary import ApplicationProtocol, EgressClass, Result
from tests.envoy.access_logs import (
    ENVOY_TEXT,
    FORMATS,
    ISTIO_TEXT_1_1,
    ISTIO_TEXT_1_2,
    ISTIO_TEXT_1_3,
    ISTIO_TEXT_1_8,
    AccessLog,
)
from tests.envoy.cases import FORGED_QUOTES
from tests.envoy.running import Run, lines_by_port
from tests.envoy.truth import Truth

REJECTED = "rejected"
_WANTED = ["line_number", "egress_class", "result", "application_protocol", "host"]
_WITHOUT_ROUTE = (ISTIO_TEXT_1_1, ISTIO_TEXT_1_2)
_WITHOUT_DETAILS = (*_WITHOUT_ROUTE, ISTIO_TEXT_1_3, ISTIO_TEXT_1_8)
_NOTHING_SAID = (None, EgressClass.UNCLASSIFIED, Result.OTHER, REJECTED)
_KNOWN_BY_DETAILS = {
    "no_host": EgressClass.UNCLASSIFIED,
    "options_star": EgressClass.UNCLASSIFIED,
    "route_redirects": EgressClass.UNCLASSIFIED,
    "route_answers": EgressClass.UNCLASSIFIED,
    "upgrade_unknown": EgressClass.REGISTERED,
}
"""Answers of the proxy's own that only the response code details tell from a server's (Istio 1.9 onwards)."""


@dataclass(frozen=True)
class Compared:
    """One line in one format: the case, the truth as far as the format can show it, and what was said."""

    log: AccessLog
    case: str
    truth: Truth
    said: dict[str, Any]

    @property
    def in_doubt(self) -> bool:
        """Whether a client wrote quotes where nothing escapes them: less may be said then, never something else."""
        return self.log.json is None and self.case in FORGED_QUOTES

    @property
    def disagreements(self) -> dict[str, tuple[object, object]]:
        """The columns in which the analyzer said something else, with the truth first."""
        wanted: dict[str, object] = {
            "egress_class": self.truth.egress_class,
            "result": self.truth.result,
            "application_protocol": self.truth.protocol,
            "host": self.truth.host,
        }
        if self.in_doubt:
            wanted = {name: value for name, value in wanted.items() if self.said.get(name) not in _NOTHING_SAID}
        return {name: (value, self.said.get(name)) for name, value in wanted.items() if value != self.said.get(name)}


def compare(run: Run, lakes: Path) -> Iterator[Compared]:
    """Put every line of every format beside the truth.

    Each format has a lake of its own, for lines that say the same in two files of one lake are counted once.
    """
    lines = lines_by_port(run.folder)
    for log in FORMATS:
        ingest([str(log.file(run.folder))], str(lakes / log.name), workers=1, log_format=log.told)
        rows = (row for batch in Lake(str(lakes / log.name)).entries(_WANTED) for row in batch.to_pylist())
        said = {row["line_number"]: row for row in rows}
        for sent in run.sent:
            for number, truth in zip(lines.get(sent.own_port, ()), sent.case.truths(run.mode), strict=True):
                shown = as_shown(truth, log, sent.case.name)
                yield Compared(log, sent.case.name, shown, said.get(number, {"egress_class": REJECTED}))


def as_shown(truth: Truth, log: AccessLog, case: str) -> Truth:
    """The truth as far as a format can show it."""
    if log in (*_WITHOUT_DETAILS, ENVOY_TEXT) and case in _KNOWN_BY_DETAILS:
        truth = replace(truth, egress_class=_KNOWN_BY_DETAILS[case], result=Result.OTHER)
    if log in _WITHOUT_ROUTE and truth.protocol is ApplicationProtocol.GRPC and _is_blocked(truth):
        # A refused call is answered with 200, and nothing else in these formats tells it from an answered one.
        return replace(truth, egress_class=EgressClass.UNCLASSIFIED, result=Result.OTHER)
    return _without_policy(truth) if log is ENVOY_TEXT else truth


def _without_policy(truth: Truth) -> Truth:
    """Envoy's own format has neither cluster nor route, neither address nor server name."""
    http = truth.protocol in (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC)
    result = truth.result
    if _is_blocked(truth):
        result = Result.OTHER if http else Result.NO_HEALTHY_UPSTREAM
    by_flag = truth.egress_class is EgressClass.NO_ROUTE
    return Truth(
        truth.egress_class if by_flag else EgressClass.UNCLASSIFIED,
        result,
        truth.protocol if http else ApplicationProtocol.TCP,
        truth.host if http else None,
    )


def _is_blocked(truth: Truth) -> bool:
    return truth.egress_class is EgressClass.BLOCKED


def confusion(compared: Iterable[Compared]) -> Counter[tuple[str, str, str]]:
    """How often (format, true class, said class) came up."""
    return Counter((one.log.name, one.truth.egress_class.value, one.said["egress_class"]) for one in compared)


def table(compared: Iterable[Compared]) -> str:
    """The confusion table of every format, for people."""
    counts = confusion(compared)
    lines = [f"{'format':<24}{'truth':<16}{'said':<16}{'lines':>6}"]
    lines += [f"{name:<24}{true:<16}{said:<16}{count:>6}" for (name, true, said), count in sorted(counts.items())]
    return "\n".join(lines)
