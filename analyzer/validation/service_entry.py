"""A ServiceEntry as its rules look at it: ports with their class, the resolution, what is auto-allocated."""

from dataclasses import dataclass

from analyzer.mesh.protocols import PortClass, port_class
from analyzer.validation.node import Node
from analyzer.validation.subject import Subject
from analyzer.vocabulary import Resolution

AUTO_ALLOCATION = "networking.istio.io/enable-autoallocate-ip"
BY_NAME = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN)
TCP_CLASS = (PortClass.TCP, PortClass.TLS)
"""What Istio's protocol.IsTCP says yes to; no protocol at all is not among them (pkg/config/protocol/instance.go)."""

_RESOLUTIONS = {word.value: word for word in Resolution}


@dataclass(frozen=True)
class PortView:
    """One item of `ports`; `protocol` as written."""

    node: Node

    @property
    def number(self) -> int | None:
        """The port that the client dials."""
        return self.node["number"].number

    @property
    def name(self) -> str:
        """The port's name, or ""."""
        return self.node["name"].text

    @property
    def protocol(self) -> str:
        """The protocol as written, or ""."""
        return self.node["protocol"].text

    @property
    def port_class(self) -> PortClass | None:
        """What kind of listener the port gets; null where Istio knows no such protocol."""
        return port_class(self.protocol)

    @property
    def called(self) -> str:
        """How a message calls it."""
        return f"port {self.number}" if self.number is not None else "the port"


def ports_of(subject: Subject) -> list[PortView]:
    """The ports that are mappings."""
    return [PortView(node) for node in subject.spec["ports"].mappings()]


def resolution_of(subject: Subject) -> Resolution | None:
    """The resolution, NONE where it is left out, null where Istio knows no such word."""
    written = subject.spec["resolution"]
    if not written.is_set:
        return Resolution.NONE
    return _RESOLUTIONS.get(written.text)


def has_addresses(subject: Subject) -> bool:
    """Whether `addresses` holds anything."""
    return bool(subject.spec["addresses"].items())


def is_auto_allocated(subject: Subject) -> bool:
    """Whether istiod would give the entry addresses of its own, at its default settings.

    Source: istio/istio pilot/pkg/networking/serviceentry/ip_autoallocation.go; PILOT_ENABLE_IP_AUTOALLOCATE is on
    by default since 1.25.
    """
    opted_out = subject.metadata["labels"][AUTO_ALLOCATION].text.lower() == "false"
    return (
        subject.version >= (1, 25)
        and resolution_of(subject) is not Resolution.NONE
        and not opted_out
        and not has_addresses(subject)
    )


def proxies_use_allocated_addresses(subject: Subject) -> bool:
    """Whether the mesh's proxies ask Istio's own DNS and so dial the addresses that were allocated.

    Source: istio/istio pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go.
    """
    metadata = subject.mesh.mesh_config["defaultConfig"]["proxyMetadata"]
    words = ["ISTIO_META_DNS_AUTO_ALLOCATE"]
    words += ["PILOT_ENABLE_IP_AUTOALLOCATE"] if subject.version >= (1, 27) else []
    return metadata["ISTIO_META_DNS_CAPTURE"].text == "true" and any(metadata[word].text == "true" for word in words)
