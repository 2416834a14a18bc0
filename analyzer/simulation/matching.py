"""Whether a request fulfils the matches of an HTTP route, as Envoy would decide, or the log cannot tell.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (TranslateRouteMatch), envoyproxy/envoy
source/common/router/config_impl.cc.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from analyzer.evidence import Request
from analyzer.mesh.routing import HTTPMatch, StringMatch
from analyzer.simulation.routes import Route


def may_match(route: Route, request: Request) -> bool | None:
    """True or false where the request says it, null where it does not."""
    answers = [answer for match in route.matches for answer in _answers(match, request)]
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


def _answers(match: HTTPMatch, request: Request) -> Iterable[bool | None]:
    path = request.path
    if match.uri is not None and (match.uri.kind, match.uri.value) != ("prefix", "/"):
        yield _holds(match.uri, None if path is None else path.partition("?")[0].partition("#")[0])
    yield _holds(match.method, request.method)
    yield _holds(match.authority, request.authority)
    yield _holds(match.scheme, "http")
    if match.others:
        yield None


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
