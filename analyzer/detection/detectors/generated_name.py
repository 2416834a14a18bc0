"""Registered names that look as if a program had made them up."""

import re

from analyzer.detection.detector import Context
from analyzer.detection.labels import HIGH_ENTROPY, entropy, is_encoded, is_tenant, registrable
from analyzer.detection.texts import shown
from analyzer.evidence import Destination, Reason
from analyzer.vocabulary import EgressClass, Verdict

_CONSONANTS = re.compile("[b-df-hj-np-tv-xz]")
_UNSPEAKABLE = re.compile("[b-df-hj-np-tv-xz]{6}")
_MOST_CONSONANTS = 9
_DIGITS = re.compile(r"\d+")
_CHEAP = frozenset(("tk", "xyz", "top", "ws", "club", "online", "site", "win", "loan", "work", "biz"))
"""Top-level domains that are cheap and much abused (zat's list); no sign by itself."""


class GeneratedName:
    """Only the label that was registered is looked at, and two signs are asked for: one alone marks honest names.

    `cloudflareinsights` has high entropy and many consonants, `d15k2d11r6t6rl` is a tenant of a content network.
    """

    name = "generated_name"
    verdict = Verdict.REVIEW
    position = 125
    summary = "Two signs or more that the registered name was made by a program."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """What an entry lets out already was somebody's decision."""
        host = destination.key.host
        domain = None if host is None else registrable(host)
        if host is None or domain is None or is_tenant(host, context.settings.proposals.shared_domains):
            return None
        signs = _signs(domain)
        if len(signs) < 2 or destination.by_class.get(EgressClass.REGISTERED, 0) == destination.entries:
            return None
        return Reason(
            self.name, f"{shown(domain)} looks generated ({', '.join(signs)}): find out who asks for it, and why."
        )


def _signs(domain: str) -> list[str]:
    label, _, suffix = domain.partition(".")
    if label.startswith("xn--"):  # Punycode looks like noise and is a word in another script
        return []
    shape = entropy(label) > HIGH_ENTROPY and len(_CONSONANTS.findall(label)) > _MOST_CONSONANTS
    signs = {
        "letters in no order": shape or bool(_UNSPEAKABLE.search(label)),
        "only digits and letters of a code": is_encoded(label),
        "digits all through it": len(_DIGITS.findall(label)) >= 3,
        f"a much abused ending, .{suffix}": suffix in _CHEAP,
    }
    return [sign for sign, holds in signs.items() if holds]


DETECTOR = GeneratedName()
