"""What a rule is, and how it points at the place in a document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.mesh.model import Document, ServiceEntry
from analyzer.vocabulary import Severity

Version = tuple[int, int]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """What a rule found: the path of keys to the place, what is wrong, and what to write instead."""

    path: Path
    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Subject:
    """One ServiceEntry with its document; `entry` is null where its shape is too wrong to read."""

    document: Document
    spec: Mapping[str, Any]
    entry: ServiceEntry
    version: Version

    def places(self, key: str) -> Iterator[tuple[Path, Any]]:
        """The items of a list in the spec, each with its path."""
        for index, item in enumerate(self.spec.get(key) or ()):
            yield ("spec", key, index), item


Check = Callable[[Subject], Iterator[Problem]]


@dataclass(frozen=True)
class Rule:
    """One rule: our code, Istio's where it has one, how grave, since which version, and the check."""

    code: str
    severity: Severity
    check: Check
    istio_code: str | None = None
    since: Version | None = None
    until: Version | None = None

    def holds_for(self, version: Version) -> bool:
        """Whether this version of Istio has the rule."""
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)


_RULES: dict[str, Rule] = {}


def rule(
    code: str,
    severity: Severity,
    *,
    istio_code: str | None = None,
    since: Version | None = None,
    until: Version | None = None,
) -> Callable[[Check], Check]:
    """Register a check as a rule. Raises `ValueError` where a code is taken."""

    def register(check: Check) -> Check:
        if code in _RULES:
            raise ValueError(f"two rules are called {code}")
        _RULES[code] = Rule(code, severity, check, istio_code, since, until)
        return check

    return register


def known_rules() -> Sequence[Rule]:
    """Every rule, by code."""
    from analyzer.validation import dangers, endpoints, hosts, ports, visibility  # noqa: F401

    return [_RULES[code] for code in sorted(_RULES)]


def position(document: Document, path: Path) -> tuple[int, int]:
    """Line and column (from 1) of a place in a document, or of the nearest thing round it that has a position."""
    line, column = document.origin.line, 1
    content: Any = document.content
    for key in path:
        marks = getattr(content, "lc", None)
        try:
            if marks is not None and marks.data is not None and key in marks.data:
                place = marks.data[key]
                line, column = place[0] + 1, place[1] + 1
            content = content[key]
        except (KeyError, IndexError, TypeError):
            break
    return line, column
