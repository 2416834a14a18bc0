"""What would become of this traffic under REGISTRY_ONLY."""

from collections import Counter

from analyzer.pipeline import Audit
from analyzer.report.model import Fact, SectionModel, Table
from analyzer.vocabulary import Outcome

_SHOWN = 15
_MEANING = {
    Outcome.BLOCKED: "refused by the outbound policy",
    Outcome.BROKEN: "matched, and cannot work",
    Outcome.MISDIRECTED: "let out to another host's entry",
    Outcome.CONDITIONAL: "depends on what the log does not show",
    Outcome.ALLOWED: "reaches what it asked for",
}


class ReplaySection:
    """The same log, replayed with and without the proposals."""

    name = "replay"
    title = "Replayed under REGISTRY_ONLY"
    position = 70

    def build(self, audit: Audit) -> SectionModel:
        """Compare the coverage as it is with that after the proposals, and list what still would not work."""
        before, after = audit.replay_as_is.coverage, audit.replay.coverage
        facts = tuple(
            Fact(
                outcome.value,
                after[outcome],
                f"{_MEANING[outcome]}; without the proposals {before[outcome]:,}",
                outcome.value,
            )
            for outcome in reversed(Outcome)
        )
        rules: Counter[tuple[str, str]] = Counter()
        for destination in audit.replay.destinations:
            rules[destination.decision.outcome.value, destination.decision.rule] += destination.entries
        still = sorted(
            (d for d in audit.replay.destinations if d.decision.outcome is not Outcome.ALLOWED),
            key=lambda d: (-d.entries, d.key.order),
        )
        more = ", the largest shown" if len(still) > _SHOWN else ""
        tables = (
            Table(
                ("outcome", "rule that decided", "entries"),
                tuple(
                    (outcome, rule, entries)
                    for (outcome, rule), entries in sorted(rules.items(), key=lambda i: (-i[1], i[0]))
                ),
                ("entries",),
                "By the rule that decided",
            ),
            Table(
                ("destination", "namespace", "outcome", "entries", "because"),
                tuple(
                    (
                        d.key.name,
                        d.key.source_namespace or "unknown",
                        d.decision.outcome.value,
                        d.entries,
                        d.decision.because,
                    )
                    for d in still[:_SHOWN]
                ),
                ("entries",),
                f"What would not simply work ({len(still):,} destinations{more})",
            ),
        )
        lead = f"Every outbound request of this log against Istio {audit.istio_version}'s own rules, entry by entry."
        return SectionModel(self.name, self.title, lead, facts=facts, blocks=tables)


SECTION = ReplaySection()
