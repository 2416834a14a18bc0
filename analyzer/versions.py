"""Istio versions as numbers that compare."""

import re

from analyzer.errors import UsageError
from analyzer.vocabulary import NEWEST_ISTIO, OLDEST_ISTIO

Version = tuple[int, int]
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:[.-].*)?")


def version_of(text: str) -> Version:
    """`1.24`, `1.24.3` or `v1.24` as (1, 24).

    Raises `UsageError` for anything else and for versions that this build does not know.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no Istio version", hint=f"for example {NEWEST_ISTIO}")
    version = (int(match[1]), int(match[2]))
    oldest, newest = (tuple(int(part) for part in known.split(".")) for known in (OLDEST_ISTIO, NEWEST_ISTIO))
    if not oldest <= version <= newest:
        raise UsageError(f"Istio {text} is not supported", hint=f"supported: {OLDEST_ISTIO} to {NEWEST_ISTIO}")
    return version
