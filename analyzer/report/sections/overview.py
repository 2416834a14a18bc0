"""The verdict in one sentence, with the numbers that carry it."""

from analyzer.pipeline import Audit
from analyzer.report.model import Fact, SectionModel
from analyzer.vocabulary import EgressClass, Outcome, Verdict

_OTHER_FATES = {
    Outcome.BLOCKED: "refused",
    Outcome.BROKEN: "matched and broken all the same",
    Outcome.MISDIRECTED: "sent to another host's entry",
}


def headline(audit: Audit) -> str:
    """One sentence that a platform lead can act on."""
    coverage = audit.replay.coverage
    outward = sum(coverage.values())
    if not outward:
        return "No outbound traffic was found in these logs."
    proposed = len(audit.proposals.proposed)
    several = f"the {proposed:,} proposed manifests"
    manifests = {0: "0 proposed manifests", 1: "1 proposed manifest"}.get(proposed, several)
    fates = [f"{coverage[Outcome.ALLOWED]:,} of {outward:,} outbound entries would be let out"]
    fates += [f"{coverage[outcome]:,} {words}" for outcome, words in _OTHER_FATES.items() if coverage[outcome]]
    unsure = coverage[Outcome.CONDITIONAL]
    listed = " and ".join(filter(None, (", ".join(fates[:-1]), fates[-1])))
    sentence = f"Under REGISTRY_ONLY with {manifests}, {listed}"
    return f"{sentence}; for {unsure:,} the log does not show enough to tell." if unsure else f"{sentence}."


class Overview:
    """What to know before anything else."""

    name = "overview"
    title = "Verdict"
    position = 10

    def build(self, audit: Audit) -> SectionModel:
        """Count what was refused, what passed and what is judged."""
        verdicts = {verdict: sum(j.verdict is verdict for j in audit.judged) for verdict in Verdict}
        classes = audit.entries_by_class
        facts = (
            Fact("refused by policy", classes[EgressClass.BLOCKED], "entries", "blocked"),
            Fact("left unregistered", classes[EgressClass.PASSTHROUGH], "entries", "passthrough"),
            Fact("left under an entry", classes[EgressClass.REGISTERED], "entries", "registered"),
            Fact("legitimate", verdicts[Verdict.LEGITIMATE], "destinations", "legitimate"),
            Fact("for a person to review", verdicts[Verdict.REVIEW], "destinations", "review"),
            Fact("suspicious", verdicts[Verdict.SUSPICIOUS], "destinations", "suspicious"),
            Fact("denied", verdicts[Verdict.DENIED], "destinations", "denied"),
            Fact("manifests proposed", len(audit.proposals.proposed), "", "legitimate"),
        )
        return SectionModel(self.name, self.title, headline(audit), facts=facts, notes=audit.settings_notes)


SECTION = Overview()
