"""When several hosts become one wildcard; nothing widens by accident.

A wildcard admits names that nobody asked for, so it exists only under a setting, only inside one registrable
domain, and never at or above a suffix under which anybody may own a name (publicsuffix.org, private section
included: `*.s3.amazonaws.com` would be everybody's buckets).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from publicsuffixlist import PSLFILE

from analyzer.mesh.tenants import SHARED_DOMAINS, public_suffixes

HostPorts = Mapping[int, str]
"""Port number to protocol."""


@dataclass(frozen=True)
class Family:
    """Hosts that one wildcard would stand for: `*.suffix` on these ports."""

    suffix: str
    ports: tuple[tuple[int, str], ...]
    hosts: tuple[str, ...]


def families(wanted: Mapping[str, HostPorts], after_hosts: int, shared: Collection[str] = ()) -> list[Family]:
    """The wildcards that enough hosts ask for, the deepest suffix first; no host is in two of them.

    A host joins only if the family uses every one of its ports with the same protocol, so that a wildcard opens
    no port that a single host asked for. The apex never joins: a wildcard does not match it. `shared` are domains of
    many tenants beyond those that are known.
    """
    if not after_hosts:
        return []
    below: dict[str, set[str]] = defaultdict(set)
    for host in wanted:
        for suffix in _suffixes_of(host, shared):
            below[suffix].add(host)
    found: list[Family] = []
    taken: set[str] = set()
    for suffix in sorted(below, key=lambda suffix: (-suffix.count("."), suffix)):
        family = _family(suffix, {host: wanted[host] for host in below[suffix] - taken}, after_hosts)
        if family is not None:
            found.append(family)
            taken.update(family.hosts)
    return sorted(found, key=lambda family: family.suffix)


def _family(suffix: str, hosts: Mapping[str, HostPorts], after_hosts: int) -> Family | None:
    counts = Counter(port for ports in hosts.values() for port in ports.items())
    common = {port for port, count in counts.items() if count >= after_hosts}
    members = sorted(host for host, ports in hosts.items() if common.issuperset(ports.items()))
    used = sorted({port for host in members for port in hosts[host].items()})
    clash = len({number for number, _ in used}) < len(used)
    if len(members) < after_hosts or clash:
        return None
    return Family(suffix, tuple(used), tuple(members))


def _suffixes_of(host: str, shared: Collection[str]) -> list[str]:
    """The suffixes below which a wildcard might stand for a host: its parent and up, down from its owner's domain."""
    registrable = public_suffixes().privatesuffix(host)
    if registrable is None or _is_shared(registrable, shared):
        return []
    suffixes = []
    parent = host.partition(".")[2]
    while parent == registrable or parent.endswith(f".{registrable}"):
        if parent not in _above_public_suffixes():
            suffixes.append(parent)
        parent = parent.partition(".")[2]
    return suffixes


def _is_shared(domain: str, shared: Collection[str]) -> bool:
    labels = domain.split(".")
    return any(
        above in SHARED_DOMAINS or above in shared for above in (".".join(labels[n:]) for n in range(len(labels)))
    )


@lru_cache(maxsize=1)
def _above_public_suffixes() -> frozenset[str]:
    """Every domain below which the list knows a suffix of other people's names."""
    above: set[str] = set()
    for line in Path(PSLFILE).read_text(encoding="utf-8").splitlines():
        rule = line.strip().removeprefix("!").removeprefix("*.")
        if rule and not rule.startswith("//"):
            labels = rule.split(".")
            above.update(".".join(labels[start:]) for start in range(1, len(labels)))
    return frozenset(above)
