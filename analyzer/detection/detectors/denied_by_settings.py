"""Destinations that a rule in the settings denies."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class DeniedBySettings:
    """An explicit deny stands before everything else, an explicit allow included."""

    name = "denied_by_settings"
    verdict = Verdict.DENIED
    position = 10
    summary = "A rule in the settings denies the destination."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Look for a deny rule that has not expired."""
        rule = context.rule_for(destination, "deny")
        if rule is None:
            return None
        ticket = f", {rule.ticket}" if rule.ticket else ""
        return Reason(self.name, f"Denied by settings: {rule.reason} (owner {rule.owner}{ticket}).")


DETECTOR = DeniedBySettings()
