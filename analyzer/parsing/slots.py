"""From the values of a format's operators to the fields of an entry: which fills what, and what is kept as extra."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.parsing.extras import as_extra
from analyzer.parsing.flags import short_flags
from analyzer.parsing.operators import FIELD_OPERATORS, SPLIT_ADDRESSES, Operator
from analyzer.parsing.parsed import JUDGED_AS, MISSING
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
_PEER = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
_CHAIN = "FILTER_CHAIN_NAME"
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
        split = {
            field
            for field, (address, port) in SPLIT_ADDRESSES.items()
            if field not in self._filled and {address, port} <= self._places.keys()
        }
        chain = {"upstream_cluster"} if _CHAIN in self._places else set()
        return frozenset(self._filled) | split | chain

    def fill(self, texts: Sequence[str | None]) -> dict[str, str]:
        """The fields of an entry from the texts of its operators; what is missing is left out."""
        known = [None if text in MISSING else text for text in texts]
        values: dict[str, str] = {}
        left = list(self.others)
        for field, readers in self._readers:
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
        if _CHAIN in self._places:
            values |= _judged(values, known[self._places[_CHAIN]])
        return values

    @property
    def plain(self) -> bool:
        """Whether every field but the time is the text of one operator as it stands: its column is the operator's."""
        return (
            all(len(r) == 1 and (r[0][1] is None or field == "start_time") for field, r in self._readers)
            and not self._places.keys() & {_CHAIN, _PEER}
            and not any(address in self._places for address, _ in SPLIT_ADDRESSES.values())
        )

    @cached_property
    def field_of(self) -> dict[int, str]:
        """The field that a place fills first."""
        return {readers[0][0]: field for field, readers in self._readers}

    def reader_of(self, field: str) -> Read | None:
        """How the text of a field's first operator becomes its value; null where it is the value."""
        return next(readers[0][1] for name, readers in self._readers if name == field)

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
        for address, port in SPLIT_ADDRESSES.values():
            if {address, port} <= self._places.keys():
                used |= {self._places[address], self._places[port]}
        return tuple(
            place for place, operator in enumerate(self.operators) if place not in used and operator.key != _STATUS
        )

    @cached_property
    def _readers(self) -> tuple[tuple[str, tuple[tuple[int, Read | None], ...]], ...]:
        return tuple(
            (field, tuple((place, _reader(field, self.operators[place])) for place in places))
            for field, places in self._filled.items()
        )

    def _join_addresses(self, values: dict[str, str], known: Sequence[str | None]) -> None:
        for field, (address, port) in SPLIT_ADDRESSES.items():
            if address in self._places and port in self._places and field not in values:
                joined = _joined(known[self._places[address]], known[self._places[port]])
                values |= {} if joined is None else {field: joined}

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
        place = self._places.get(_PEER)
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


def _judged(values: dict[str, str], chain: str | None) -> dict[str, str]:
    """The cluster behind a chain for unknown destinations, where the format does not name the cluster itself.

    The chain leads to one of two clusters; only the one that refuses has no endpoint.
    """
    known = {name: values[raw] for name, raw in JUDGED_AS.items() if raw in values}
    if "judged_cluster" in known or chain not in _FALLTHROUGH:
        return known
    refused = "UH" in values.get("response_flags", "").split(",")
    if not refused and "upstream_host" not in values:
        return known
    return known | {"judged_cluster": _REFUSED if refused else _LET_OUT}
