"""Who talks to whom: namespaces and the destinations they call."""

from collections import Counter

from analyzer.pipeline import Audit
from analyzer.report.model import Bands, SectionModel, Table
from analyzer.vocabulary import Verdict

_MOST = 20
_WORST = (Verdict.DENIED, Verdict.SUSPICIOUS, Verdict.REVIEW, Verdict.LEGITIMATE, Verdict.INTERNAL)
_OTHERS = "all others"


class Flows:
    """The widest bands; everything else is called so, and the table of destinations has it all."""

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
        namespaces, destinations = _totals(counts, 0), _totals(counts, 1)
        callers, called = _largest(namespaces), _largest(destinations)
        bands: Counter[tuple[str, str, str]] = Counter()
        for (namespace, destination), entries in counts.items():
            source = namespace if namespace in callers else _OTHERS
            if destination in called:
                bands[source, destination, verdicts[namespace, destination].value] += entries
            else:
                bands[source, _OTHERS, "various"] += entries
        rows = sorted(((*band, entries) for band, entries in bands.items()), key=lambda row: (-row[3], row))
        table = Table(("namespace", "destination", "verdict", "entries"), tuple(rows), ("entries",), "Entries per pair")
        lead = f"{len(destinations):,} destinations outside the cluster, called from {len(namespaces):,} namespaces."
        return SectionModel(self.name, self.title, lead, blocks=(Bands(table, _OTHERS),))


def _totals(counts: Counter[tuple[str, str]], side: int) -> Counter[str]:
    totals: Counter[str] = Counter()
    for pair, entries in counts.items():
        totals[pair[side]] += entries
    return totals


def _largest(totals: Counter[str]) -> set[str]:
    return set(sorted(totals, key=lambda name: (-totals[name], name))[:_MOST])


SECTION = Flows()
