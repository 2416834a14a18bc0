"""What a kernel reads of a custom format as columns of an entry: `analyzer.parsing.slots`, for all rows at once."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.alike import alike
from analyzer.parsing.extras import extra_column
from analyzer.parsing.gathering import column_of as column_of_texts
from analyzer.parsing.layout import IGNORED
from analyzer.parsing.parsed import EXTRA, OWN_TYPES, RAW_TYPES
from analyzer.parsing.slots import CHAIN, PEER, Slots, cluster_behind
from analyzer.parsing.time_columns import times_of

_OWN = "@"
"""How columns begin that are no entry's: the texts of the operators, by their places."""
_TIME = "start_time"
_CLIENT = "downstream_remote_address"
_TYPES = {**RAW_TYPES, **OWN_TYPES}


def column_of(slots: Slots, place: int) -> str:
    """The column that the operator at a place goes to: a field's where it alone fills that as it stands."""
    field = slots.field_of.get(place)
    if field is not None and slots.is_direct(field):
        return field
    return IGNORED if slots.says_nothing(place) else f"{_OWN}{place}"


def finished(slots: Slots, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as an entry's; what came to no field is kept as it was written."""
    done = {name: column for name, column in columns.items() if not name.startswith(_OWN)}
    texts = {int(name[1:]): column for name, column in columns.items() if name[0] == _OWN and name[1:].isdigit()}
    kept = {slots.key_of(place): texts[place] for place in slots.others if place in texts}
    for field, readers in slots.readers:
        if field in done:
            continue
        value: Any = None
        for place, read in readers:
            text = texts[place]
            found = times_of(slots.operators[place], text, read) if field == _TIME else _read(text, read)
            left = found.is_null() if value is None else pc.or_(found.is_null(), value.is_valid())
            kept[slots.key_of(place)] = pc.if_else(left, text, None)
            value = found if value is None else pc.coalesce(value, found)
        done[field] = _as_field(field, value)
    for field, (address, port) in slots.split_addresses.items():
        joined = _joined(texts[address], texts[port])
        done[field] = joined if field not in done else pc.coalesce(_strings(done[field]), joined)
    peer = slots.place_of(PEER)
    if peer is not None and peer in texts:
        done[_CLIENT] = _preferring_the_peer(done[_CLIENT], texts[peer])
    chain = slots.place_of(CHAIN)
    if chain is not None:
        done["judged_cluster"] = _judged(done, texts[chain])
    return {name: _as_field(name, column) for name, column in done.items()} | (
        {EXTRA: extra_column(kept)} if any(column.null_count < len(column) for column in kept.values()) else {}
    )


def _read(text: pa.Array, read: Callable[[str], str | None] | None) -> pa.Array:
    """Texts as their reader has them, each distinct one read once."""
    if read is None:
        return text
    coded = text.dictionary_encode()
    return pa.array([read(value) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _as_field(field: str, column: Any) -> Any:
    """A column in the type of its field."""
    wanted = _TYPES[field]
    if column.type == wanted:
        return column
    if pa.types.is_dictionary(wanted):
        return column.dictionary_encode()
    if pa.types.is_string(wanted):
        return _strings(column)
    coded = column.dictionary_encode()
    return column_of_texts(field, coded.dictionary.to_pylist()).take(coded.indices)


def _strings(column: Any) -> Any:
    return column.cast(pa.string())


def _joined(address: pa.Array, port: pa.Array) -> pa.Array:
    bare = pc.and_(pc.match_substring(address, ":"), pc.invert(pc.starts_with(address, "[")))
    host = pc.if_else(bare, pc.binary_join_element_wise("[", address, "]", ""), address)
    return pc.binary_join_element_wise(host, port, ":")


def _preferring_the_peer(client: Any, peer: pa.Array) -> pa.Array:
    client = _strings(client)
    replaced = pc.and_(peer.is_valid(), pc.ends_with(client, ":0").fill_null(True))
    return pc.if_else(replaced, peer, client)


def _judged(done: Mapping[str, Any], chain: pa.Array) -> pa.Array:
    nothing = pa.nulls(len(chain), pa.string())
    named, flags = (_strings(done.get(name, nothing)) for name in ("upstream_cluster", "response_flags"))
    telling = [chain, flags, done.get("upstream_host", nothing).is_valid()]
    firsts, kinds = alike(telling)
    rows = zip(*(column.take(pa.array(firsts)).to_pylist() for column in telling), strict=True)
    judged = pa.array([cluster_behind(*row) for row in rows], pa.string()).take(pa.array(kinds))
    return pc.if_else(named.is_valid(), None, judged)
