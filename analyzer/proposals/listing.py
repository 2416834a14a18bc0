"""Hosts that the egress list of a Sidecar leaves out, and the list with them in it.

A host goes into the listener that would build its port: one for that port locks it, so no other may (istio/istio
pilot/pkg/networking/core/listener.go); else the one without a port, which takes the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from analyzer.evidence import DestinationKey
from analyzer.mesh.model import Sidecar
from analyzer.mesh.scoping import EgressListener
from analyzer.simulation.sidecars import imports_of
from analyzer.simulation.versions import Version

_PROXY = "HTTP_PROXY"
"""A listener that stands for a proxy, whatever the port of what goes through it."""


@dataclass(frozen=True)
class Listing:
    """One line that an egress list lacks, and the destinations that it hides from their callers.

    `line` is as it is to be written, `listener` the position (from 0) of the egress listener, null for a new one.
    """

    sidecar: Sidecar
    listener: int | None
    line: str
    keys: tuple[DestinationKey, ...] = ()

    @property
    def place(self) -> tuple[str, int, str]:
        """What tells it apart, as a sort key."""
        return self.sidecar.reference, -1 if self.listener is None else self.listener, self.line


def missing_line(
    sidecar: Sidecar, home: str, host: str, client: str, number: int | None, version: Version
) -> Listing | None:
    """What a Sidecar that holds in the client's namespace lacks for a host of a namespace; null where nothing.

    The line names the host and its namespace, as `.` where that is the client's own, which is as narrow as a list
    can be: for a Sidecar of the root namespace `.` is each client's own.
    """
    if not sidecar.egress:
        return None
    place = _listener(sidecar.egress, number)
    if place is not None and imports_of(sidecar.egress[place], client, version).covers(home, host):
        return None
    return Listing(sidecar, place, f"{'.' if home == client else home}/{host}")


def _listener(listeners: Sequence[EgressListener], number: int | None) -> int | None:
    own: int | None = None
    for place, listener in enumerate(listeners):
        if listener.port is None:
            own = place
        elif listener.port.number == number and listener.port.protocol != _PROXY:
            return place
    return own


def by_sidecar(listings: Iterable[Listing]) -> dict[str, list[Listing]]:
    """Listings by the `<namespace>/<name>` of their Sidecar, each line once and in order; keys come together."""
    keys: dict[tuple[str, int, str], set[DestinationKey]] = defaultdict(set)
    lines: dict[tuple[str, int, str], Listing] = {}
    for listing in listings:
        lines[listing.place] = listing
        keys[listing.place].update(listing.keys)
    found: dict[str, list[Listing]] = defaultdict(list)
    for place, listing in sorted(lines.items(), key=lambda pair: pair[0]):
        found[place[0]].append(replace(listing, keys=tuple(sorted(keys[place], key=lambda key: key.order))))
    return found


def added_lines(listings: Iterable[Listing]) -> dict[int | None, tuple[str, ...]]:
    """The lines by listener, a new one last."""
    lines: dict[int | None, list[str]] = defaultdict(list)
    for listing in sorted(listings, key=lambda listing: (listing.listener is None, listing.place)):
        if listing.line not in lines[listing.listener]:
            lines[listing.listener].append(listing.line)
    return {place: tuple(found) for place, found in lines.items()}


def listed(sidecar: Sidecar, lines: dict[int | None, tuple[str, ...]]) -> Sidecar:
    """A Sidecar with more lines in its egress lists."""
    listeners = [
        replace(listener, hosts=(*listener.hosts, *lines.get(place, ())))
        for place, listener in enumerate(sidecar.egress or ())
    ]
    new = [EgressListener(lines[None])] if None in lines else []
    return replace(sidecar, egress=(*listeners, *new))


def listed_sidecars(listings: Iterable[Listing]) -> tuple[Sidecar, ...]:
    """Every Sidecar that some lines are added to, with them."""
    return tuple(listed(found[0].sidecar, added_lines(found)) for _, found in sorted(by_sidecar(listings).items()))


def lines_between(before: Sidecar, after: Sidecar) -> dict[int | None, tuple[str, ...]]:
    """The lines that `listed` added to a Sidecar, by listener."""
    old, new = before.egress or (), after.egress or ()
    lines: dict[int | None, tuple[str, ...]] = {
        place: listener.hosts[len(old[place].hosts) :] for place, listener in enumerate(new[: len(old)])
    }
    if len(new) > len(old):
        lines[None] = new[len(old)].hosts
    return {place: added for place, added in lines.items() if added}
