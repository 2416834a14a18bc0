"""Names that no honest client sends: an SNI that Envoy called invalid, a Host with bytes no host has."""

from analyzer.classification.names import is_disguised_address, is_smuggled, name_of_authority
from analyzer.detection.detector import Context
from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class OddName:
    """What no client of good faith sends, or an address in a notation that few take for one."""

    name = "odd_name"
    verdict = Verdict.SUSPICIOUS
    position = 90
    summary = "The Host header or the SNI holds bytes that no host name has, or hides an address."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """SNI first, because Envoy itself vouches for that."""
        if destination.invalid_sni_entries:
            return Reason(
                self.name,
                f"{entries(destination.invalid_sni_entries)} carried a server name that Envoy marked `invalid:`; "
                "TLS libraries do not send such names.",
            )
        host = destination.key.host
        if host is not None and is_smuggled(host):
            return Reason(
                self.name, f"The name {shown(host)} holds bytes that no host name has; it may be made to fool a filter."
            )
        disguised = next(
            (r.authority for r in destination.requests if r.authority and is_disguised_address(r.authority)), None
        )
        if disguised is not None:
            return Reason(
                self.name,
                f"The Host header writes the address {name_of_authority(disguised).literal} as {shown(disguised)}; "
                "filters that look for addresses miss that notation.",
            )
        return None


DETECTOR = OddName()
