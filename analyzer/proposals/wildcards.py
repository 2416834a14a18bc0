"""When several hosts become one wildcard; nothing widens by accident.

A wildcard admits names that nobody asked for, so it exists only under a setting, only inside one registrable
domain, and never at or above a suffix under which anybody may own a name (publicsuffix.org, private section
included: `*.s3.amazonaws.com` would be everybody's buckets).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from analyzer.evidence import Judged
from analyzer.vocabulary import ApplicationProtocol

_SHARED = (
    "amazonaws.com",
    "azure.com",
    "windows.net",
    "azure-api.net",
    "azurewebsites.net",
    "cloudfront.net",
    "akamaized.net",
    "akamaihd.net",
    "edgekey.net",
    "fastly.net",
    "googleapis.com",
    "googleusercontent.com",
    "run.app",
    "cloudapp.net",
    "trafficmanager.net",
    "oraclecloud.com",
    "aliyuncs.com",
    "snowflakecomputing.com",
    "mongodb.net",
    "herokuapp.com",
    "github.io",
    "githubusercontent.com",
)
"""Domains whose subdomains belong to many tenants, beyond those that the public suffix list knows."""
_WILDCARD_PROTOCOLS = (ApplicationProtocol.HTTP, ApplicationProtocol.GRPC, ApplicationProtocol.TLS)
Group = tuple[tuple[str, ...], list[Judged]]


def collapse(by_host: Mapping[str, Sequence[Judged]], after_hosts: int) -> list[Group]:
    """Hosts, each alone or several as one wildcard (its apex beside it where that was seen), sorted."""
    families: dict[str, list[str]] = defaultdict(list)
    if after_hosts:
        for host in sorted(by_host):
            parent = _family(host)
            if parent is not None and all(i.key.application_protocol in _WILDCARD_PROTOCOLS for i in by_host[host]):
                families[parent].append(host)
    groups: list[Group] = []
    covered: set[str] = set()
    for parent, hosts in sorted(families.items()):
        if len(hosts) < after_hosts:
            continue
        members = [*hosts, *([parent] if parent in by_host else [])]
        covered.update(members)
        names = (f"*.{parent}", *([parent] if parent in by_host else []))
        groups.append((names, [item for host in members for item in by_host[host]]))
    groups += [((host,), list(by_host[host])) for host in sorted(by_host) if host not in covered]
    return sorted(groups, key=lambda group: group[0])


def _family(host: str) -> str | None:
    """The domain below which a wildcard may stand for this host: its parent, never a shared or public suffix."""
    parent = host.partition(".")[2]
    registrable = _suffixes().privatesuffix(host)
    if not parent or registrable is None or not (parent == registrable or parent.endswith("." + registrable)):
        return None
    if any(parent == shared or parent.endswith("." + shared) for shared in _SHARED):
        return None
    return parent


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=True, only_icann=False)
