"""What the labels of a name look like: whose they are, and whether a program made them up."""

import math
import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache

from analyzer.mesh.tenants import SHARED_DOMAINS, public_suffixes

_HEX = re.compile(r"[0-9a-f]+")
_BASE32 = re.compile(r"[a-z2-7]+")
_SHORTEST_ENCODED = 14
"""Letters of a label that is all hexadecimal or base32: shorter ones are words and short hashes (pipelock PR 642)."""
_LONG = 30
"""Letters beyond which a mixed label is no word of anybody's (edr-new PR 142)."""
HIGH_ENTROPY = 3.5
"""Bits a letter (Maltrail, edr-new): alone it also marks long honest names, so it never stands alone."""


@lru_cache(maxsize=1 << 16)
def registrable(host: str) -> str | None:
    """The name that somebody registered, `example.co.uk` of `a.b.example.co.uk`; null for a suffix or one label."""
    name: str | None = public_suffixes(private=False).privatesuffix(host)
    return name


def is_tenant(host: str, shared: Collection[str] = ()) -> bool:
    """Whether labels of a name are given out by a service to its customers, who are many and called anything."""
    name = registrable(host)
    return name in SHARED_DOMAINS or name in shared or public_suffixes().privatesuffix(host) != name


def entropy(label: str) -> float:
    """Shannon entropy in bits a letter."""
    return -sum(n / len(label) * math.log2(n / len(label)) for n in Counter(label).values())


@lru_cache(maxsize=1 << 16)
def is_encoded(label: str) -> bool:
    """Whether a label holds data in letters that names may have.

    Entropy alone misses hexadecimal, which has 4 bits a letter at most, so the alphabet and two digits tell that.
    """
    if len(label) > _LONG and entropy(label) > HIGH_ENTROPY:
        return True
    plain = _HEX.fullmatch(label) or _BASE32.fullmatch(label)
    return len(label) >= _SHORTEST_ENCODED and plain is not None and sum(letter.isdigit() for letter in label) >= 2


def encoded_below(host: str) -> str | None:
    """The registrable domain of a name that carries data in a label below it, or null."""
    name = registrable(host)
    if name is None or len(host) == len(name):
        return None
    return name if any(is_encoded(label) for label in host[: -len(name) - 1].split(".")) else None
