"""Who talks to whom: namespaces and the destinations they call."""

from collections import Counter

from analyzer.pipeline import Audit
from analyzer.report.figures import flows
from analyzer.report.model import Figure, SectionModel, Table
from analyzer.vocabulary import Verdict

_MOST = 20
_WORST = (Verdict.DENIED, Verdict.SUSPICIOUS, Verdict.REVIEW, Verdict.LEGITIMATE, Verdict.INTERNAL)
_LONGEST = 48


class Flows:
    """The widest bands; everything else is one band called so, and the table of destinations has it all."""

    name = "flows"
    title = "Who talks to whom"
    position = 30

    def build(self, audit: Audit) -> SectionModel:
        """Sum entries per namespace and destination, in-cluster traffic left out."""
        counts: Counter[tuple[str, str]] = Counter()
        verdicts: dict[tuple[str, str], Verdict] = {}
        for judged in audit.judged:
            if judged.verdict is Verdict.INTERNAL:
                continue
            pair = (judged.key.source_namespace or "unknown namespace", judged.destination.name)
            counts[pair] += judged.destination.entries
            verdicts[pair] = min(verdicts.get(pair, judged.verdict), judged.verdict, key=_WORST.index)
        if not counts:
            return SectionModel(self.name, self.title, "No traffic leaves the cluster in these logs.")
        widest = Counter(_totals(counts))
        shown = {name for name, _ in sorted(widest.items(), key=lambda item: (-item[1], item[0]))[:_MOST]}
        links: Counter[tuple[str, str, Verdict]] = Counter()
        for (namespace, destination), entries in counts.items():
            name = destination if destination in shown else "all others"
            verdict = verdicts[namespace, destination] if destination in shown else Verdict.INTERNAL
            links[namespace, name, verdict] += entries
        ordered = sorted(links.items(), key=lambda item: (-item[1], item[0]))
        namespaces = sorted({namespace for namespace, _, _ in links})
        destinations = list(dict.fromkeys(destination for (_, destination, _), _ in ordered))
        figure = flows(
            namespaces,
            [_short(name) for name in destinations],
            [
                (namespaces.index(namespace), destinations.index(destination), entries, verdict.value)
                for (namespace, destination, verdict), entries in ordered
            ],
        )
        rows = tuple((namespace, name, verdict.value, entries) for (namespace, name, verdict), entries in ordered)
        table = Table(("namespace", "destination", "verdict", "entries"), rows, ("entries",), "Entries per pair")
        lead = f"{len(widest):,} destinations outside the cluster, called from {len(namespaces):,} namespaces."
        return SectionModel(self.name, self.title, lead, blocks=(Figure("figure-flows", figure, table),))


def _totals(counts: Counter[tuple[str, str]]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for (_, destination), entries in counts.items():
        totals[destination] += entries
    return dict(totals)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


SECTION = Flows()
