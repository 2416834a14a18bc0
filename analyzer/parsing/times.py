"""Read the start times of many lines at once."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.parsed import TIMESTAMP

_SHAPE = b"[0000-00-00T00:00:00.000Z]"
_WIDTH = len(_SHAPE)
_DIGITS = np.array([i for i, byte in enumerate(_SHAPE) if byte == ord("0")])
_MARKS = np.array([i for i, byte in enumerate(_SHAPE) if byte != ord("0")])
_MARK_BYTES = np.frombuffer(_SHAPE, np.uint8)[_MARKS]
_DATE = 10
_ORDINAL_OF_1970 = date(1970, 1, 1).toordinal()
_MICROSECONDS = np.array([36_000, 3_600, 600, 60, 10, 1], np.int64) * 1_000_000
_MILLISECONDS = np.array([100, 10, 1], np.int64) * 1_000


def read_bracketed_times(texts: pa.StringArray) -> tuple[pa.TimestampArray, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Read `[2024-01-09T15:35:47.283Z]` into UTC microseconds; the second value says which were of that shape.

    Envoy's default `%START_TIME%` has a fixed width, so the digits of a whole block stand in columns and are
    read by arithmetic. Where any row has another width (custom fractions), Arrow's own reader takes the block.
    """
    count = len(texts)
    if count == 0:
        return pa.array([], TIMESTAMP), np.zeros(0, bool)
    offsets = np.frombuffer(texts.buffers()[1], np.int32, count + 1, texts.offset * 4)
    if texts.null_count or not np.all(np.diff(offsets) == _WIDTH):
        return _read_any_width(texts)
    letters = np.frombuffer(texts.buffers()[2], np.uint8, count * _WIDTH, int(offsets[0])).reshape(count, _WIDTH)
    good = (letters[:, _MARKS] == _MARK_BYTES).all(axis=1)
    digits = letters[:, _DIGITS].astype(np.int64) - ord("0")
    good &= ((digits >= 0) & (digits <= 9)).all(axis=1)
    clock = digits[:, 8:14]
    good &= (clock[:, 0] * 10 + clock[:, 1] < 24) & (clock[:, 2] < 6) & (clock[:, 4] < 6)
    days, real_days = _days(letters[:, 1 : 1 + _DATE])
    good &= real_days
    micros = days * 86_400_000_000 + clock @ _MICROSECONDS + digits[:, 14:17] @ _MILLISECONDS
    return pa.array(micros, pa.int64()).cast(TIMESTAMP), good


def _days(
    dates: np.ndarray[Any, np.dtype[np.uint8]],
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Days since 1970 of `YYYY-MM-DD`; a block holds few distinct dates, so each is read once."""
    keys = np.ascontiguousarray(dates).view(f"S{_DATE}").ravel()
    # Lines stand nearly in time order, so equal dates are mostly neighbours.
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    lengths = np.diff(np.append(starts, len(keys)))
    read: dict[bytes, int | None] = {}
    for key in keys[starts].tolist():
        if key not in read:
            try:
                read[key] = date.fromisoformat(key.decode("ascii")).toordinal() - _ORDINAL_OF_1970
            except (ValueError, UnicodeDecodeError):
                read[key] = None
    values = [read[key] for key in keys[starts].tolist()]
    days = np.repeat(np.array([value or 0 for value in values], np.int64), lengths)
    return days, np.repeat(np.array([value is not None for value in values]), lengths)


def _read_any_width(texts: pa.StringArray) -> tuple[pa.TimestampArray, np.ndarray[Any, np.dtype[np.bool_]]]:
    inner = pc.extract_regex(texts, r"^\[(?P<t>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z\]$").field("t")
    inner = pc.replace_substring_regex(inner, r"(\.\d{6})\d+$", r"\1")
    inner = pc.if_else(pc.starts_with(inner, "0000"), None, inner)  # the calendar of Python and of SQL begins at 1
    try:
        times = inner.cast(pa.timestamp("us")).cast(TIMESTAMP)
    except pa.ArrowInvalid:
        times = pa.array([_read_one(text) for text in inner.to_pylist()], TIMESTAMP)
    return times, np.asarray(pc.is_valid(times))


def _read_one(text: str | None) -> Any:
    try:
        return None if text is None else np.datetime64(text, "us").item()
    except ValueError:
        return None
