"""Whether a request fulfils the matches of an HTTP route, as Envoy would decide, or the log cannot tell.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (TranslateRouteMatch), envoyproxy/envoy
source/common/router/config_impl.cc.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from analyzer.evidence import Request
from analyzer.mesh.routing import HTTPMatch, StringMatch
from analyzer.simulation.routes import Route


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
    if looks_at_path(match):
        yield "uri", holds(match.uri, None if request.path is None else matched_part(request.path))
    yield "method", holds(match.method, request.method)
    yield "authority", holds(match.authority, request.authority)
    yield "scheme", holds(match.scheme, "http")
    yield from ((other, None) for other in match.others)


def looks_at_path(match: HTTPMatch) -> bool:
    """Whether the path decides a match: every path has the prefix `/`."""
    return match.uri is not None and (match.uri.kind, match.uri.value) != ("prefix", "/")


def matched_part(path: str) -> str:
    """The part of a path that Envoy's path matchers look at: neither query nor fragment."""
    return path.partition("?")[0].partition("#")[0]


def holds(wanted: StringMatch | None, value: str | None) -> bool | None:
    """Whether a value fulfils what is wanted of it, if anything; null where it is not known, or not comparable."""
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
