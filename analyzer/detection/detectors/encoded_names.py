"""Many names below one domain that hold data instead of words: a way out that needs no answer."""

from analyzer.detection.detector import Context
from analyzer.detection.labels import encoded_below
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class EncodedNames:
    """What is written into a Host header or a server name reaches whoever owns the domain, and the log stays small.

    One hash in a name is ordinary; a workload that asks one owner for ever new ones is not. Names that services give
    to their tenants are left out: content networks and object stores are full of hashes.
    """

    name = "encoded_names"
    verdict = Verdict.SUSPICIOUS
    position = 96
    summary = "One of many names below one domain whose labels hold encoded data (tunnelling)."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Compare the names that one workload asked of one domain with the threshold."""
        key = destination.key
        domain = None if key.host is None else encoded_below(key.host)
        count = context.encoded_names.get(((key.source_namespace, key.source_workload), domain or ""), 0)
        if count < context.settings.thresholds.encoded_names:
            return None
        return Reason(
            self.name, f"{count} different names below {domain} whose labels hold encoded data were asked for."
        )


DETECTOR = EncodedNames()
