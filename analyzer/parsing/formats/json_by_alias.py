"""JSON access logs whose keys an operator chose: fields found by the names that people give them, or inside objects.

A key is taken for a field only where its value looks like one, and an object counts only where it holds fields that
no server but Envoy logs. What was taken for what is said in the notes of the tally.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.envelopes import is_wrapped
from analyzer.parsing.extras import as_extra
from analyzer.parsing.flags import short_flags
from analyzer.parsing.json_envelopes import may_hold_records
from analyzer.parsing.json_keys import ENVOYS_OWN, FIELDS, flattened, keys_of, start_of, values_of
from analyzer.parsing.json_lines import has_istios_keys, of_1_1
from analyzer.parsing.json_values import is_of_ztunnel
from analyzer.parsing.objects import object_of
from analyzer.parsing.parsed import EXTRA, Reading

_FEWEST_FIELDS = 5
_FEWEST_OF_ENVOY = 2
_SHORTEST_LINE = 48
"""Letters; no access-log line is shorter."""
_TRAFFIC = "accesslog-stackdriver"
"""Google Cloud's traffic logs, which are a format of their own."""


class JsonByAlias:
    """Objects with renamed or nested keys."""

    name = "json_by_alias"
    reference = "istio/api mesh/v1alpha1/config.proto accessLogFormat, extensionProviders envoyFileAccessLog labels"
    fields = FIELDS
    relays = False
    blind_spot = (
        "JSON keys that are not Istio's were taken by their names and the look of their values: see the notes. "
        "`--format` with the format's own template, or `--mesh-config`, leaves nothing to guess."
    )

    def may_read(self, shape: Shape) -> bool:
        """Whether a line of this shape may be an object with enough keys."""
        return shape.braced and shape.quotes >= 2 * _FEWEST_FIELDS

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one object; null where its keys are Istio's own, too few of an access log, or those of an envelope."""
        content = object_of(line)
        if content is None:
            return None
        flat = flattened(content)
        names = tuple(flat)
        keys = keys_of(names)
        if (
            _TRAFFIC in str(content.get("logName"))
            or is_of_ztunnel(content)
            or not keys.renamed
            or not (_enough(keys.named) or has_istios_keys(content))
        ):
            return None
        if _may_be_outer(content, flat, names) and is_wrapped(line.encode("utf-8", "surrogatepass")):
            return None
        values, rest, took = values_of(flat, keys)
        if not values.keys() & {"response_code", "response_flags", "downstream_local_address", "upstream_cluster"}:
            return None
        began = start_of(values.pop("start_time", ""))
        values |= {} if began is None else {"start_time": began}
        if "response_flags" in values:
            values["response_flags"] = short_flags(values["response_flags"])
        extra = as_extra(rest)
        values |= {} if extra is None else {EXTRA: extra}
        return CarefulLine(of_1_1(values), tampered=False, took=tuple(took))

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        return read_by_line(self, data)


def _may_be_outer(content: Mapping[str, Any], flat: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether some value could be a line or an entry of its own, and some key an envelope's."""
    if not may_hold_records(names) and list not in map(type, flat.values()):
        return False
    return any(
        isinstance(value, (dict, list)) or (isinstance(value, str) and len(value) > _SHORTEST_LINE)
        for value in content.values()
    )


def _enough(named: frozenset[str]) -> bool:
    return len(named) >= _FEWEST_FIELDS and len(named & ENVOYS_OWN) >= _FEWEST_OF_ENVOY


FORMAT = JsonByAlias()
