"""What entries do beyond what they are for, measured on the log: whom they capture, what they open, what they skip.

The shapes that do it are Istio's (istio/istio pilot/pkg/networking/core/listener.go, core/tls.go); what it amounts to
is the log's. What is only a shape is said as well, since the log may not yet hold who suffers from it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.detection.texts import entries, shown
from analyzer.mesh.model import Port, ServiceEntry
from analyzer.mesh.names import network_of
from analyzer.mesh.protocols import PortClass, port_class
from analyzer.readiness.usage import Usage, Usages
from analyzer.readiness.words import counted
from analyzer.vocabulary import Resolution, SideEffectCode

_FEW = 3


@dataclass(frozen=True)
class SideEffect:
    """One thing that one port of one entry does although nobody asked for it.

    `entries` and `destinations` are what the log shows of it; both are 0 where only the shape says so. `place` is the
    entry's `file:line`.
    """

    code: SideEffectCode
    reference: str
    place: str | None
    port: int | None
    because: str
    entries: int = 0
    destinations: int = 0


def side_effects_of(service_entries: Iterable[ServiceEntry], usages: Usages) -> tuple[SideEffect, ...]:
    """Every side effect of some entries, those with most entries first."""
    found = [effect for entry in service_entries for effect in _of_entry(entry, usages.of(entry))]
    return tuple(sorted(found, key=lambda effect: (-effect.entries, effect.reference, effect.port or 0, effect.code)))


def _of_entry(entry: ServiceEntry, usage: Usage) -> Iterator[SideEffect]:
    declared = {port.number: port for port in entry.ports}
    for number, names in sorted(usage.astray.items(), key=lambda item: item[0] or 0):
        yield _captures(entry, declared.get(number or 0), number, names)
    for port in entry.ports:
        kind = port_class(port.protocol)
        addresses = usage.unguarded.get(port.number, Counter())
        if kind in (PortClass.TCP, PortClass.AUTO) and not entry.addresses:
            yield _opens(entry, port, addresses)
        elif kind is PortClass.TLS and any(_is_plain(address) for address in entry.addresses):
            yield _skips_the_name(entry, port, addresses)


def _captures(entry: ServiceEntry, port: Port | None, number: int | None, names: Counter[str]) -> SideEffect:
    total = sum(names.values())
    protocol = (port.protocol or "a port without protocol") if port else "it"
    because = (
        f"{protocol} on {number} takes {counted(len(names), 'other destination')}, {entries(total)}: {_listed(names)}."
    )
    return _effect(SideEffectCode.CAPTURES_OTHERS, entry, number, because, total, len(names))


def _opens(entry: ServiceEntry, port: Port, addresses: Counter[str]) -> SideEffect:
    """A port that looks at bytes and has no addresses takes whatever is sent to that port."""
    protocol = port.protocol or "no protocol"
    where = "to any address" if entry.resolution is Resolution.NONE else f"and sends it to {shown(entry.hosts[0])}"
    because = (
        f"{entry.resolution.value} without addresses opens {port.number} ({protocol}) {where}; {_seen(addresses)}."
    )
    return _effect(SideEffectCode.OPENS_PORT, entry, port.number, because, sum(addresses.values()), len(addresses))


def _skips_the_name(entry: ServiceEntry, port: Port, addresses: Counter[str]) -> SideEffect:
    plain = next(address for address in entry.addresses if _is_plain(address))
    because = (
        f"with the address {shown(plain)} port {port.number} checks no server name: any name goes out there; "
        f"{_seen(addresses)}."
    )
    return _effect(
        SideEffectCode.SKIPS_NAME_CHECK, entry, port.number, because, sum(addresses.values()), len(addresses)
    )


def _effect(
    code: SideEffectCode, entry: ServiceEntry, port: int | None, because: str, count: int, destinations: int
) -> SideEffect:
    place = None if entry.origin is None else f"{entry.origin.file}:{entry.origin.line}"
    return SideEffect(code, entry.reference, place, port, because, count, destinations)


def _seen(addresses: Counter[str]) -> str:
    if not addresses:
        return "nothing in this log went that way"
    return f"{entries(sum(addresses.values()))} to {counted(len(addresses), 'address', 'addresses')} in this log"


def _listed(names: Counter[str]) -> str:
    largest = sorted(names, key=lambda name: (-names[name], name))
    more = f" and {len(largest) - _FEW:,} more" if len(largest) > _FEW else ""
    return ", ".join(shown(name) for name in largest[:_FEW]) + more


def _is_plain(address: str) -> bool:
    network = network_of(address)
    return network is not None and network.num_addresses == 1
