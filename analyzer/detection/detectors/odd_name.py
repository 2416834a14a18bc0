"""Names that no honest client sends: an SNI that Envoy called invalid, a Host with bytes no host has."""

import re

from analyzer.detection.detector import Context
from analyzer.detection.texts import entries, shown
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict

_SMUGGLED = re.compile(r"[@,/\\\s<>\"'()\[\]{}|;%\x00-\x20\x7f-\U0010ffff]")


class OddName:
    """Userinfo, commas (two Host headers are joined), blanks and the like; underscores are merely unusual."""

    name = "odd_name"
    verdict = Verdict.SUSPICIOUS
    position = 90
    summary = "The Host header or the SNI holds bytes that no host name has."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """SNI first, because Envoy itself vouches for that."""
        if destination.invalid_sni_entries:
            return Reason(
                self.name,
                f"{entries(destination.invalid_sni_entries)} carried a server name that Envoy marked `invalid:`; "
                "TLS libraries do not send such names.",
            )
        host = destination.key.host
        if host is not None and _SMUGGLED.search(host):
            return Reason(
                self.name, f"The name {shown(host)} holds bytes that no host name has; it may be made to fool a filter."
            )
        return None


DETECTOR = OddName()
