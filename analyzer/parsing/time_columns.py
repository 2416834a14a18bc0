"""Start times in a form that an operator chose, a column at once where their parts stand side by side."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsing.gathering import times_of as times_one_by_one
from analyzer.parsing.operators import Operator
from analyzer.parsing.parsed import TIMESTAMP
from analyzer.parsing.start_times import CLOCK, PLAIN, parts_of_times
from analyzer.parsing.times import read_bracketed_times

_EPOCH = {"epoch", "fraction"}
_LAST_SECOND = 253402300799
"""The end of the year 9999, with which Python's calendar ends."""


def times_of(operator: Operator, written: pa.Array, read: Callable[[str], str | None] | None) -> pa.Array:
    """The moments that `%START_TIME%` wrote; null where a text says none. `read` reads a text by itself."""
    if operator.argument is not None and operator.name == "START_TIME" and operator.limit is None:
        pattern, names = parts_of_times(operator.argument)
        if CLOCK <= names <= PLAIN:
            return _of_clock(_parts(written, pattern))
        if "epoch" in names and names <= _EPOCH:
            return _of_epoch(_parts(written, pattern))
    return times_one_by_one(written, read)


def _parts(written: pa.Array, pattern: str) -> dict[str, pa.Array]:
    found = pc.extract_regex(written, f"^(?:{pattern})$")
    return dict(zip((field.name for field in found.type), found.flatten(), strict=True))


def _of_clock(parts: dict[str, pa.Array]) -> pa.Array:
    """`[YYYY-MM-DDTHH:MM:SS.fffZ]`, whose reader takes nine digits at most."""
    year, month, day, hour, minute, second = (
        parts[name] for name in ("year", "month", "day", "hour", "minute", "second")
    )
    texts = ["[", year, "-", month, "-", day, "T", hour, ":", minute, ":", second, ".", _fraction(parts, 0, 9), "Z]"]
    times, good = read_bracketed_times(pc.binary_join_element_wise(*texts, "").fill_null("").cast(pa.string()))
    return pc.if_else(pa.array(good), times, pa.scalar(None, TIMESTAMP))


def _of_epoch(parts: dict[str, pa.Array]) -> pa.Array:
    seconds, micros = parts["epoch"].cast(pa.int64()), _fraction(parts, 6, 6).cast(pa.int64())
    moments = pc.add(pc.multiply(seconds, 1_000_000), micros)
    return pc.if_else(pc.less_equal(seconds, _LAST_SECOND), moments, None).cast(TIMESTAMP)


def _fraction(parts: dict[str, pa.Array], fewest: int, most: int) -> pa.Array:
    """The digits behind the second, so many; `0` where there are none."""
    if "fraction" not in parts:
        return pa.scalar("0".ljust(fewest, "0"))
    digits = pc.utf8_slice_codeunits(parts["fraction"], 0, most)
    digits = pc.if_else(pc.equal(digits, ""), "0", digits)
    return pc.utf8_rpad(digits, fewest, "0") if fewest else digits
