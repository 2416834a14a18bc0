"""Destinations that a rule in the settings allows."""

from analyzer.detection.detector import Context
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import Verdict


class AllowedBySettings:
    """A person decided, with a name and a reason: that stands before every heuristic, but not before a deny."""

    name = "allowed_by_settings"
    verdict = Verdict.LEGITIMATE
    position = 40
    summary = "A rule in the settings allows the destination."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Look for an allow rule that has not expired."""
        rule = context.rule_for(destination, "allow")
        if rule is None:
            return None
        ticket = f", {rule.ticket}" if rule.ticket else ""
        until = f", until {rule.expires}" if rule.expires else ""
        return Reason(self.name, f"Allowed by settings: {rule.reason} (owner {rule.owner}{ticket}{until}).")


DETECTOR = AllowedBySettings()
