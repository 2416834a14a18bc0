"""From the values of a format's operators to the fields of an entry: which fills what, and what is kept as extra."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.parsing.extras import as_extra
from analyzer.parsing.flags import short_flags
from analyzer.parsing.operators import FIELD_OPERATORS, SPLIT_ADDRESSES, Operator
from analyzer.parsing.parsed import MISSING
from analyzer.parsing.start_times import time_reader

_WHOLE_OR_NOTHING = frozenset(
    (
        "start_time",
        "response_flags",
        "authority",
        "requested_server_name",
        "upstream_host",
        "upstream_cluster",
        "upstream_local_address",
        "downstream_local_address",
        "downstream_remote_address",
        "route_name",
    )
)
"""Fields that mean something else when they were cut: a name without its end is another name."""
_STATUS = "DYNAMIC_METADATA(istio.mixer:status)"
"""What Mixer said of a request; nothing since Istio 1.8."""
PEER = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
CHAIN = "FILTER_CHAIN_NAME"
_FALLTHROUGH = frozenset(("PassthroughFilterChain", "virtualOutbound-catchall-tcp"))
"""Chains for what no listener knows (istio/istio pilot/pkg/networking/util/util.go, core/listener.go)."""
_REFUSED, _LET_OUT = "BlackHoleCluster", "PassthroughCluster"


Read = Callable[[str], str | None]


@dataclass(frozen=True)
class Slots:
    """The operators of a format in the order of their values; `names` are those that the format itself gives them."""

    operators: tuple[Operator, ...]
    names: tuple[str, ...] = ()

    @cached_property
    def fields(self) -> frozenset[str]:
        """The fields that the operators fill."""
        chain = {"upstream_cluster"} if CHAIN in self._places else set()
        return frozenset(self._filled) | self.split_addresses.keys() | chain

    def fill(self, texts: Sequence[str | None]) -> dict[str, str]:
        """The fields of an entry from the texts of its operators; what is missing is left out."""
        known = [None if text in MISSING else text for text in texts]
        values: dict[str, str] = {}
        left = list(self.others)
        for field, readers in self.readers:
            for number, (place, read) in enumerate(readers):
                text = known[place]
                value = text if text is None or read is None else read(text)
                if value is not None:
                    values[field] = value
                    left += [other for other, _ in readers[number + 1 :]]
                    break
                left.append(place)
        self._join_addresses(values, known)
        self._prefer_the_peer(values, known)
        extra = as_extra({self._keys[place]: known[place] for place in left}) if left else None
        if extra is not None:
            values["extra"] = extra
        if CHAIN in self._places and "upstream_cluster" not in values:
            chain = known[self._places[CHAIN]]
            judged = cluster_behind(chain, values.get("response_flags"), "upstream_host" in values)
            values |= {} if judged is None else {"judged_cluster": judged}
        return values

    @cached_property
    def field_of(self) -> dict[int, str]:
        """The field that a place fills first."""
        return {readers[0][0]: field for field, readers in self.readers}

    def is_direct(self, field: str) -> bool:
        """Whether a field is the text of one operator as it stands."""
        return next(len(readers) == 1 and readers[0][1] is None for name, readers in self.readers if name == field)

    def says_nothing(self, place: int) -> bool:
        """Whether a value is not even kept."""
        return self.operators[place].key == _STATUS

    def place_of(self, key: str) -> int | None:
        """Where an operator stands; null where it does not."""
        return self._places.get(key)

    def key_of(self, place: int) -> str:
        """The name under which a value is kept as extra."""
        return self._keys[place]

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return self.names or tuple(operator.key for operator in self.operators)

    @cached_property
    def others(self) -> tuple[int, ...]:
        """Operators that fill no field, but for those that say nothing."""
        used = {place for places in self._filled.values() for place in places}
        used |= {place for places in self.split_addresses.values() for place in places}
        return tuple(
            place for place, operator in enumerate(self.operators) if place not in used and operator.key != _STATUS
        )

    @cached_property
    def readers(self) -> tuple[tuple[str, tuple[tuple[int, Read | None], ...]], ...]:
        """The places that may fill each field, the best first, and how the text of each becomes a value."""
        return tuple(
            (field, tuple((place, _reader(field, self.operators[place])) for place in places))
            for field, places in self._filled.items()
        )

    def _join_addresses(self, values: dict[str, str], known: Sequence[str | None]) -> None:
        for field, (address, port) in self.split_addresses.items():
            if field not in values:
                joined = _joined(known[address], known[port])
                values |= {} if joined is None else {field: joined}

    @cached_property
    def split_addresses(self) -> dict[str, tuple[int, int]]:
        """The places of address and port, for the fields that operators of their own may fill."""
        return {
            field: (self._places[address], self._places[port])
            for field, (address, port) in SPLIT_ADDRESSES.items()
            if {address, port} <= self._places.keys()
        }

    @cached_property
    def _places(self) -> dict[str, int]:
        return {operator.key: place for place, operator in reversed(list(enumerate(self.operators)))}

    @cached_property
    def _filled(self) -> dict[str, tuple[int, ...]]:
        """The places that may fill each field, the best first."""
        found = {
            field: tuple(
                place for name in names for place, operator in enumerate(self.operators) if _names(operator) == name
            )
            for field, names in FIELD_OPERATORS.items()
        }
        return {field: places for field, places in found.items() if places}

    def _prefer_the_peer(self, values: dict[str, str], known: Sequence[str | None]) -> None:
        """A client's X-Forwarded-For replaces its address, and port 0 tells; the direct address is the peer's own."""
        place = self._places.get(PEER)
        peer = None if place is None else known[place]
        if peer is not None and values.get("downstream_remote_address", ":0").endswith(":0"):
            values["downstream_remote_address"] = peer


def _names(operator: Operator) -> str:
    """The operator as the table of fields names it: the pattern of a time is no part of that."""
    return operator.name if operator.name.startswith("START_TIME") or operator.name == "PATH" else operator.key


def _reader(field: str, operator: Operator) -> Read | None:
    """How the text of an operator becomes a field's; null where it does as it is."""
    read: Read | None = None
    if field == "start_time" and (operator.argument is not None or operator.name != "START_TIME"):
        read = time_reader(operator.argument, local=operator.name == "START_TIME_LOCAL")
    elif operator.name == "RESPONSE_FLAGS_LONG":
        read = short_flags
    limit = operator.limit
    if limit is None or field not in _WHOLE_OR_NOTHING:
        return read
    return lambda text: None if _cut(text, limit) else text if read is None else read(text)


def _cut(text: str, limit: int) -> bool:
    """Whether a text may have been longer: Envoy cuts bytes."""
    return len(text.encode("utf-8", "surrogatepass")) >= limit


def _joined(address: str | None, port: str | None) -> str | None:
    if address is None or port is None:
        return None
    return f"[{address}]:{port}" if ":" in address and not address.startswith("[") else f"{address}:{port}"


def cluster_behind(chain: str | None, flags: str | None, has_host: bool) -> str | None:
    """The cluster behind a chain for unknown destinations, for a format that does not name the cluster itself.

    The chain leads to one of two clusters; only the one that refuses has no endpoint.
    """
    if chain not in _FALLTHROUGH:
        return None
    if "UH" in (flags or "").split(","):
        return _REFUSED
    return _LET_OUT if has_host else None
