"""Exit codes from what an audit found."""

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
