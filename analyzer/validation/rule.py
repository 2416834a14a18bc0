"""What a rule is: one small function that looks at one object, and what is known about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from analyzer.validation.node import Problem
from analyzer.validation.subject import Subject
from analyzer.versions import Version
from analyzer.vocabulary import Severity

Check = Callable[[Subject], Iterator[Problem]]

SCHEMA_ERROR = "IST0106"
"""How `istioctl analyze` reports what the webhook refuses (istio/istio pkg/config/analysis/msg/messages.yaml)."""
SCHEMA_WARNING = "IST0133"
"""How it reports what the webhook warns of."""
CRD_RULES = (1, 24)
"""The first version whose CRDs carry limits and CEL rules (istio/api kubernetes/customresourcedefinitions.gen.yaml)."""
WEBHOOK = "istio/istio pkg/config/validation/validation.go"
CRD = "istio/api kubernetes/customresourcedefinitions.gen.yaml"


@dataclass(frozen=True)
class Rule:
    """One rule: our code, Istio's where it has one, how grave, for which kinds and versions, and whose rule it is.

    `since` is the first version that has the rule, `until` the first that no longer has it; null is always.
    """

    code: str
    severity: Severity
    check: Check
    source: str
    kinds: tuple[str, ...] = ()
    istio_code: str | None = None
    since: Version | None = None
    until: Version | None = None

    @property
    def summary(self) -> str:
        """What the rule asks for, in a sentence."""
        return " ".join((self.check.__doc__ or "").split())

    @property
    def versions(self) -> str:
        """The versions that it holds for, in words; "" where for all."""
        words = [f"since {_text(self.since)}"] if self.since else []
        words += [f"before {_text(self.until)}"] if self.until else []
        return ", ".join(words)

    def holds_for(self, kind: str, version: Version) -> bool:
        """Whether this version of Istio has the rule for objects of this kind."""
        return (
            (not self.kinds or kind in self.kinds)
            and (self.since is None or version >= self.since)
            and (self.until is None or version < self.until)
        )


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


_RULES: dict[str, Rule] = {}


def rule(
    code: str,
    severity: Severity,
    *,
    source: str,
    kinds: tuple[str, ...] = (),
    istio_code: str | None = None,
    since: Version | None = None,
    until: Version | None = None,
) -> Callable[[Check], Check]:
    """Register a check as a rule; no kinds means every kind.

    Raises `ValueError` where a code is taken or the check does not say in a docstring what it asks for.
    """

    def register(check: Check) -> Check:
        if code in _RULES:
            raise ValueError(f"two rules are called {code}")
        if not check.__doc__:
            raise ValueError(f"the rule {code} does not say what it asks for")
        _RULES[code] = Rule(code, severity, check, source, kinds, istio_code, since, until)
        return check

    return register


@lru_cache(maxsize=1)
def known_rules() -> Sequence[Rule]:
    """Every rule, by code; each module of `analyzer.validation.rules` brings some."""
    package = import_module("analyzer.validation.rules")
    for module in sorted(iter_modules(package.__path__), key=lambda found: found.name):
        import_module(f"{package.__name__}.{module.name}")
    return [_RULES[code] for code in sorted(_RULES)]
