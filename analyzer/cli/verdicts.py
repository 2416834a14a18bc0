"""Exit codes from what an audit found, and why nothing came of it."""

from collections import Counter

from analyzer.cli.options import FailOn
from analyzer.pipeline import Audit
from analyzer.vocabulary import Verdict

DONE, FOUND, NOTHING_TO_PROPOSE = 0, 1, 3
_GRAVE = {
    FailOn.never: (),
    FailOn.denied: (Verdict.DENIED,),
    FailOn.suspicious: (Verdict.DENIED, Verdict.SUSPICIOUS),
    FailOn.review: (Verdict.DENIED, Verdict.SUSPICIOUS, Verdict.REVIEW),
}


def exit_code(audit: Audit, fail_on: FailOn) -> int:
    """1 where something as grave as asked was found, 3 where there is nothing to propose, else 0."""
    if any(judged.verdict in _GRAVE[fail_on] for judged in audit.judged):
        return FOUND
    return DONE if audit.proposals.proposed else NOTHING_TO_PROPOSE


def why_nothing_is_proposed(audit: Audit) -> str | None:
    """The reason that keeps most legitimate entries without a manifest, where there is no manifest at all."""
    kept = [item for item in audit.proposals.not_proposed if item.verdict is Verdict.LEGITIMATE]
    if audit.proposals.proposed or not kept:
        return None
    entries: Counter[str] = Counter()
    for item in kept:
        entries[item.code] += item.entries
    code = min(entries, key=lambda code: (-entries[code], code))
    reason = next(item.reason for item in kept if item.code == code)
    return f"nothing to propose; most legitimate entries ({entries[code]:,}) are left out as {code}: {reason}"
