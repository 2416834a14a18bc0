"""What a kernel reads of a custom format as columns of an entry: times in their own form, and what is kept as extra."""

from typing import Any

import pyarrow.compute as pc

from analyzer.parsing.extras import extra_column
from analyzer.parsing.gathering import times_of
from analyzer.parsing.layout import IGNORED
from analyzer.parsing.parsed import EXTRA
from analyzer.parsing.slots import Slots

_OWN = "@"
"""How columns begin that are no entry's."""
_KEPT, _WRITTEN = "@kept ", "@written"
_TIME = "start_time"


def column_of(slots: Slots, place: int) -> str:
    """The column that the operator at a place goes to."""
    field = slots.field_of.get(place)
    if field is None:
        return f"{_KEPT}{slots.key_of(place)}" if place in slots.others else IGNORED
    return _WRITTEN if field == _TIME and slots.reader_of(field) is not None else field


def finished(slots: Slots, columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as an entry's; a time that says no moment is kept as it was written."""
    done = {name: column for name, column in columns.items() if not name.startswith(_OWN)}
    kept = {name.removeprefix(_KEPT): column for name, column in columns.items() if name.startswith(_KEPT)}
    if _WRITTEN in columns:
        times = times_of(columns[_WRITTEN], slots.reader_of(_TIME))
        done[_TIME] = times
        if times.null_count > columns[_WRITTEN].null_count:
            key = next(slots.key_of(place) for place, field in slots.field_of.items() if field == _TIME)
            kept[key] = pc.if_else(times.is_null(), columns[_WRITTEN], None)
    return done | ({EXTRA: extra_column(kept)} if kept else {})
