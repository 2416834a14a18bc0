"""Every threshold and rule that a user may set, with its unit and why it stands where it stands.

Unknown keys are refused, because a typo in a threshold is a silent hole.
"""

import ipaddress
from datetime import date
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Domain = Annotated[str, Field(min_length=1, max_length=255)]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1 << 16)
def plain_address(text: str) -> IPAddress | None:
    """An address as a value, an IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) as IPv4; null where it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1 << 16)
def inside(address: str, cidrs: tuple[str, ...]) -> bool:
    """Whether an address lies in one of some networks."""
    ip = plain_address(address)
    return ip is not None and any(ip in _network(cidr) for cidr in cidrs)


@lru_cache(maxsize=1 << 10)
def _network(cidr: str) -> IPNetwork:
    return ipaddress.ip_network(cidr, strict=False)


def _plain_name(text: str, wildcard: str) -> str:
    """A name as the log's hosts are written. What no host can equal would be a rule that never holds, unnoticed."""
    name = text.lower().rstrip(".")
    if not name or "*" in name:
        raise ValueError(f"{text!r} is no host name: {wildcard}")
    if plain_address(name) is not None:
        raise ValueError(f"{text!r} is an address: those belong in `cidrs`")
    if any(letter in name for letter in ":/@") or any(letter.isspace() for letter in name):
        raise ValueError(
            f"{text!r} is no host name: leave the scheme, the port and the path out; `ports` are for ports"
        )
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Strict):
    """One person's decision about some destinations: who decided, why, and until when.

    A rule names destinations by any of `hosts` (exact), `suffixes` (`.example.com` or `*.example.com`: every name below
    it, not the apex), `cidrs` and `ports`; what is left out matches anything. An expired rule stops counting.
    """

    action: Literal["allow", "deny"] = Field(
        description="`deny` comes before `allow`, and `allow` before every detector but those of metadata and special addresses"
    )
    hosts: tuple[Domain, ...] = Field(default=(), description="exact names")
    suffixes: tuple[Domain, ...] = Field(
        default=(), description="`.example.com` or `*.example.com`: every name below it, not the apex"
    )
    cidrs: tuple[str, ...] = Field(
        default=(), description="networks; a name is denied for an address it was dialled at, but never allowed for one"
    )
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(default=(), description="any, where none is named")
    namespaces: tuple[str, ...] = Field(default=(), description="of the caller; any, where none is named")
    workloads: tuple[str, ...] = Field(default=(), description="of the caller; any, where none is named")
    owner: str = Field(min_length=1, description="who decided, and answers for it")
    reason: str = Field(min_length=1, description="why; the report quotes it")
    ticket: str | None = Field(default=None, description="where the decision is written down")
    expires: date | None = Field(
        default=None, description="last day on which the rule counts (UTC); `--as-of`, or the log's last day, is today"
    )

    @field_validator("hosts")
    @classmethod
    def _lower_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_plain_name(host, "`*.` belongs in `suffixes`") for host in hosts)

    @field_validator("suffixes")
    @classmethod
    def _dotted_suffixes(cls, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            "." + _plain_name(suffix.removeprefix("*").lstrip(".") or suffix, "`*.` stands in front of one")
            for suffix in suffixes
        )

    @field_validator("cidrs")
    @classmethod
    def _real_networks(cls, cidrs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(cidr, strict=False)) for cidr in cidrs)

    @model_validator(mode="after")
    def _names_something(self) -> "Rule":
        if not (self.hosts or self.suffixes or self.cidrs or self.ports):
            raise ValueError("a rule must name hosts, suffixes, cidrs or ports")
        return self

    def expired(self, as_of: date) -> bool:
        """Whether the rule no longer counts on that day; the day of expiry itself still counts."""
        return self.expires is not None and as_of > self.expires

    def covers(
        self,
        *,
        namespace: str | None,
        workload: str | None,
        host: str | None,
        address: str | None,
        port: int | None,
    ) -> bool:
        """Whether the rule speaks of this destination of this workload."""
        if self.namespaces and namespace not in self.namespaces:
            return False
        if self.workloads and workload not in self.workloads:
            return False
        if self.ports and port not in self.ports:
            return False
        if not (self.hosts or self.suffixes or self.cidrs):
            return True
        if host is not None and (host in self.hosts or any(host.endswith(suffix) for suffix in self.suffixes)):
            return True
        return address is not None and inside(address, self.cidrs)


class Thresholds(_Strict):
    """Where "enough" and "too much" lie; see each field for the unit and the reason."""

    min_entries: int = Field(
        default=2, ge=1, description="entries; fewer than this from one workload may be a slip, so a person decides"
    )
    max_failing_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of entries that policy let through and that failed; above it an entry would register a destination that does not work",
    )
    scan_ports: int = Field(
        default=15, ge=2, description="distinct ports of one address tried by one workload; more looks like a port scan"
    )
    scan_hosts: int = Field(
        default=30,
        ge=2,
        description="distinct addresses tried by one workload on one port without a name; more looks like a sweep",
    )
    scan_minutes: int = Field(
        default=10,
        ge=1,
        description="minutes within which a sweep tries its addresses; a client that follows DNS answers is slower",
    )
    scan_tries: float = Field(
        default=3.0,
        ge=1,
        description="mean tries per address of a sweep; a client that is refused comes back to the same few addresses",
    )
    scan_failing_share: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="share of a scan's entries that were not answered; a crawler or a mesh of shards mostly succeeds",
    )
    beacon_calls: int = Field(
        default=23,
        ge=4,
        description="calls of one pod, retries taken together, before their rhythm is judged; RITA's minimum, an hourly job's day",
    )
    beacon_score: float = Field(
        default=0.85,
        gt=0,
        le=1,
        description="how regular calls are, from 0 (chance) to 1 (a clock); a beacon with 30 % jitter has 0.9, random calls 0.5",
    )
    encoded_names: int = Field(
        default=10,
        ge=2,
        description="names with encoded labels that one workload asks of one domain; content networks and object stores are not counted",
    )
    upload_megabytes: float = Field(
        default=100,
        gt=0,
        description="megabytes a day to a nameless address that one workload alone calls; Slips' limit for one flow",
    )
    upload_ratio: float = Field(
        default=5, ge=1, description="bytes sent out for each that came back, above which traffic is an upload"
    )


class Networks(_Strict):
    """Addresses that are not somebody else's: traffic to them is the cluster's own business."""

    internal: tuple[str, ...] = Field(
        default=(
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
        description="CIDRs; private (RFC 1918), shared (RFC 6598), link-local and unique-local addresses: pods, nodes, private infrastructure",
    )
    external: tuple[str, ...] = Field(
        default=(),
        description="CIDRs inside `internal` that are nevertheless outside the mesh (a database subnet, say) and may be proposed",
    )
    auto_allocated: tuple[str, ...] = Field(
        default=("240.240.0.0/16", "2001:2::/48"),
        description="CIDRs that Istio's DNS proxy hands out for ServiceEntry hosts (istio/istio pilot/pkg/networking/serviceentry/ip_autoallocation.go)",
    )
    metadata_addresses: tuple[str, ...] = Field(
        default=("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
        description="addresses of cloud metadata services, which hand out credentials",
    )
    metadata_hosts: tuple[str, ...] = Field(
        default=("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.azure.internal"),
        description="names of cloud metadata services",
    )
    cluster_domains: tuple[str, ...] = Field(
        default=("cluster.local",),
        description="DNS suffixes of Kubernetes services; names below them are in the cluster",
    )

    @field_validator("internal", "external", "auto_allocated")
    @classmethod
    def _real_networks(cls, cidrs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(cidr, strict=False)) for cidr in cidrs)

    @field_validator("metadata_addresses")
    @classmethod
    def _real_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(address)) for address in addresses)


class ProposalSettings(_Strict):
    """How manifests are made."""

    export_to: tuple[str, ...] = Field(
        default=(".",),
        description="`exportTo` of every ServiceEntry; `.` keeps an entry in the namespace that was seen to need it",
    )
    default_namespace: str | None = Field(
        default=None,
        description="namespace of entries whose source namespace the log does not show; unset: they are not proposed",
    )
    wildcard_after_hosts: int = Field(
        default=0,
        ge=0,
        description="hosts under one registrable domain before they become one wildcard entry; 0 never widens, because a wildcard admits names nobody asked for",
    )
    companions: tuple[str, ...] = Field(
        default=(),
        description="companion manifests to make beside the entries; `egress-audit catalog` lists them, none is made unasked",
    )
    shared_domains: tuple[Domain, ...] = Field(
        default=(),
        description="domains whose subdomains belong to many tenants, never widened over; beyond the public suffix list and the services that are known",
    )
    tcp_addresses: bool = Field(
        default=True,
        description="whether a nameless TCP destination may be proposed by its address, marked for a person to check",
    )


class CompanionSettings(_Strict):
    """What companion manifests must know of the cluster, and the log does not show."""

    gateway_namespace: str = Field(
        default="istio-system", min_length=1, max_length=63, description="namespace of the egress gateway"
    )
    gateway_service: str = Field(
        default="istio-egressgateway", min_length=1, max_length=63, description="Service of the egress gateway"
    )
    gateway_label: str = Field(
        default="istio=egressgateway",
        pattern=r"^[A-Za-z0-9][-A-Za-z0-9_./]*=[-A-Za-z0-9_.]+$",
        description="label, as key=value, by which the egress gateway's pods are selected",
    )
    dns_namespace: str = Field(
        default="kube-system", min_length=1, max_length=63, description="namespace of the cluster's DNS server"
    )
    probe_host: str = Field(
        default="www.example.org",
        min_length=1,
        max_length=253,
        description="host that nobody registers, which the probes must find refused",
    )


class ReadinessSettings(_Strict):
    """How much a log must hold before anything is concluded from what is not in it."""

    min_days: int = Field(
        default=14,
        ge=1,
        description="days of 24 watched hours; two weeks hold every weekday twice, so that a weekly job that failed once is seen once",
    )
    min_hours_of_week: int = Field(
        default=160,
        ge=1,
        le=168,
        description="hours of the week's 168 that were watched at least once; leaves room for a collector's restart, not for a night",
    )
    min_month_ends: int = Field(
        default=1,
        ge=0,
        description="month-ends watched (a last day and the first day after it); invoices and reports run then and at no other time",
    )
    month_end_hours: int = Field(
        default=12, ge=1, le=24, description="hours of a day that must be watched before the day counts for a month-end"
    )
    max_unsure_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="share of a namespace's outbound entries whose fate rests on what the log does not hold; above it no date can decide, only better logs",
    )
    min_unused_days: int = Field(
        default=31,
        ge=1,
        description="days of 24 watched hours before an entry, a port or a name that nobody used is called unused; a monthly job runs once in 31 days",
    )


class Settings(_Strict):
    """Everything that a run may be told, as one frozen value."""

    thresholds: Thresholds = Thresholds()
    networks: Networks = Networks()
    proposals: ProposalSettings = ProposalSettings()
    companions: CompanionSettings = CompanionSettings()
    readiness: ReadinessSettings = ReadinessSettings()
    rules: tuple[Rule, ...] = ()
