"""What was read, what could not be, and what the log cannot show."""

from analyzer.parsing import known_formats
from analyzer.pipeline import Audit, FieldCoverage
from analyzer.report.model import Fact, SectionModel, Table
from analyzer.vocabulary import HostSource, Verdict

_REMEDY = {
    "start_time": "Lines without a time cannot be placed: export them whole, or log `%START_TIME%`.",
    "source_namespace": (
        "Istio's formats do not name the caller: keep the kubelet's file names, give `--label source_namespace=NAME`, "
        "or log `%ENVIRONMENT(POD_NAMESPACE)%`."
    ),
    "source_workload": (
        "Keep the pod's name in the file name, give `--label source_workload=NAME`, or log `%ENVIRONMENT(POD_NAME)%`."
    ),
    "upstream_cluster": "Blocked HTTP has none by nature; where it is always missing, log `%UPSTREAM_CLUSTER%`.",
    "downstream_local_address": "Without it the address dialled is unknown: log `%DOWNSTREAM_LOCAL_ADDRESS%`.",
    "response_code_details": "TCP has none by nature; where HTTP lacks it, log `%RESPONSE_CODE_DETAILS%` (Istio 1.9+).",
}


class InputHealth:
    """An audit is as good as its input: here is how good that was."""

    name = "input_health"
    title = "Input health"
    position = 80

    def build(self, audit: Audit) -> SectionModel:
        """The tally, the rejected lines, the blind spots."""
        tally = audit.tally
        facts = (
            Fact("sources", tally.sources),
            Fact("lines", tally.lines, "entries + rejected + duplicates"),
            Fact("entries", tally.entries),
            Fact("rejected", tally.rejected, "no format could read them"),
            Fact("duplicates", tally.duplicates),
        )
        blocks = (
            Table(
                ("what", "lines"),
                (
                    *((f"format {name}", count) for name, count in tally.formats.items()),
                    *((f"envelope {name}", count) for name, count in tally.envelopes.items()),
                    *((f"rejected: {name}", count) for name, count in tally.rejected_by_reason.items()),
                ),
                ("lines",),
                "Lines by format, envelope and reason",
            ),
            Table(
                ("field", "present", "share", "what to do where it is missing"),
                tuple(_coverage(coverage) for coverage in audit.field_coverage),
                ("present",),
                "What the outbound entries show",
            ),
            Table(
                ("place", "reason", "text"),
                tuple((f"{e.origin}:{e.line_number}", e.reason, e.text) for e in audit.rejected_examples),
                (),
                "Some rejected lines",
            ),
        )
        share = f"{100 * tally.rejected / tally.lines:.1f} %" if tally.lines else "none"
        lead = f"{tally.lines:,} lines from {tally.sources:,} sources; {share} could not be read as access log."
        return SectionModel(
            self.name, self.title, lead, facts=facts, blocks=blocks, notes=(*tally.notes, *_blind_spots(audit))
        )


def _coverage(coverage: FieldCoverage) -> tuple[str, int, str, str]:
    share = f"{100 * coverage.present / coverage.entries:.1f} %" if coverage.entries else "-"
    missing = coverage.present < coverage.entries
    return coverage.field, coverage.present, share, _REMEDY.get(coverage.field, "") if missing else ""


def _blind_spots(audit: Audit) -> tuple[str, ...]:
    nameless = [j for j in audit.judged if j.key.host is None and j.verdict is Verdict.REVIEW]
    named = sum(j.destination.entries for j in audit.judged if HostSource.SNI in j.destination.host_sources)
    notes = []
    if nameless:
        entries = sum(j.destination.entries for j in nameless)
        ports = ", ".join(str(port) for port in sorted({j.key.destination_port or 0 for j in nameless})[:8])
        notes.append(
            f"{entries:,} entries show an address and no name (ports {ports}); {named:,} show a server name. A "
            "ServiceEntry without addresses and with a TLS port makes Istio read the server name on that port; without "
            "one it never does."
        )
    read = [log_format for name, log_format in known_formats().items() if name in audit.tally.formats]
    notes += dict.fromkeys(log_format.blind_spot for log_format in read if log_format.blind_spot)
    notes.append(
        "No log shows what went round the proxy: UDP and ICMP, excluded ports and ranges, uid 1337, pods without a "
        "sidecar, connections that are still open, and probes of ports 80 and 443 that sent nothing."
    )
    return tuple(notes)


SECTION = InputHealth()
