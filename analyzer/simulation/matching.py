"""Whether a request fulfils the matches of an HTTP route, as Envoy would decide, or the log cannot tell.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (TranslateRouteMatch), envoyproxy/envoy
source/common/router/config_impl.cc.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from analyzer.evidence import Request
from analyzer.mesh.model import Mesh
from analyzer.mesh.routing import HTTPMatch, StringMatch
from analyzer.simulation.routes import Route, hosts_of, overlap


def may_match(route: Route, request: Request) -> bool | None:
    """True or false where the request says it, null where it does not."""
    answers = [answer for match in route.matches for _, answer in _answers(match, request)]
    if False in answers:
        return False
    return None if None in answers else True


def possible_routes(routes: Sequence[Route], request: Request) -> list[Route | None]:
    """The routes that may take a request, the surest last; null stands for none of them."""
    found: list[Route | None] = []
    for route in routes:
        answer = may_match(route, request)
        if answer is not False:
            found.append(route)
        if answer is True:
            return found
    return [*found, None]


def left_open(routes: Sequence[Route | None], request: Request) -> tuple[str, ...]:
    """What some routes look at and the log does not show, in the routes' own words (`uri`, `headers.x-team`)."""
    matches = (match for route in routes if route is not None for match in route.matches)
    unknown = (field for match in matches for field, answer in _answers(match, request) if answer is None)
    return tuple(dict.fromkeys(unknown))


def _answers(match: HTTPMatch, request: Request) -> Iterator[tuple[str, bool | None]]:
    if match.uri is not None and (match.uri.kind, match.uri.value) != ("prefix", "/"):
        yield "uri", _holds(match.uri, _bare(request.path))
    yield "method", _holds(match.method, request.method)
    yield "authority", _holds(match.authority, request.authority)
    yield "scheme", _holds(match.scheme, "http")
    yield from ((other, None) for other in match.others)


def _bare(path: str | None) -> str | None:
    """A path without its query, which Envoy leaves out of account."""
    return None if path is None else path.partition("?")[0].partition("#")[0]


class RouteKinds:
    """What the VirtualServices of a mesh tell requests apart by, of what a log holds: their paths and methods."""

    def __init__(self, mesh: Mesh) -> None:
        every = [(item, match) for item in mesh.virtual_services for route in item.http for match in route.matches]
        self._paths = {match.uri for _, match in every if match.uri is not None}
        self._methods = {match.method for _, match in every if match.method is not None}
        self._is_delegated = any(match.uri or match.method for item, match in every if not item.hosts)
        deciding = [item for item, match in every if match.uri is not None or match.method is not None]
        routed = mesh.virtual_services if self._is_delegated else deciding
        self._hosts = {host for item in routed for host in hosts_of(item)}
        self._examples: dict[RouteKind, tuple[str, str]] = {}

    def concern(self, host: str) -> bool:
        """Whether requests for a host, or for what it is a short name of, may be told apart."""
        return any(overlap(name, host) or name.startswith(f"{host}.") for name in self._hosts)

    def kind_of(self, path: str | None, method: str | None) -> "RouteKind":
        """Which of the matches hold; requests of one kind are told apart by nothing."""
        bare = _bare(path)
        kind = (*(_holds(wanted, bare) for wanted in self._paths), *(_holds(to, method) for to in self._methods))
        example = (bare or "", method or "")
        self._examples[kind] = min(self._examples.get(kind, example), example)
        return kind

    def example_of(self, kind: "RouteKind") -> tuple[str | None, str | None]:
        """The least path and method of a kind that were asked for here."""
        path, method = self._examples[kind]
        return path or None, method or None


RouteKind = tuple[bool | None, ...]


def _holds(wanted: StringMatch | None, value: str | None) -> bool | None:
    if wanted is None:
        return True
    if value is None:
        return None
    if wanted.kind == "regex":
        compiled = _compiled(wanted.value, wanted.ignore_case)
        return None if compiled is None else compiled.fullmatch(value) is not None
    text, pattern = (value.lower(), wanted.value.lower()) if wanted.ignore_case else (value, wanted.value)
    return text == pattern if wanted.kind == "exact" else text.startswith(pattern)


@lru_cache(maxsize=1 << 10)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error:
        return None
