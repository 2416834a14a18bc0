"""ztunnel's JSON access log (`LOG_FORMAT=json`): the same keys, flat and dotted."""

from analyzer.parsing.ambient import BLIND_SPOT, FIELDS, MESSAGES, OPENED, REFERENCE, read_fields
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.objects import as_text, object_of
from analyzer.parsing.parsed import Reading

_PREFIX = frozenset(("level", "time", "scope", "message"))
_FEWEST_QUOTES = 12


class ZtunnelJson:
    """One object a connection; the scope `access` tells it from ztunnel's other lines."""

    name = "ztunnel_json"
    reference = REFERENCE
    fields = FIELDS
    relays = True
    blind_spot = BLIND_SPOT

    def may_read(self, shape: Shape) -> bool:
        """Whether there may be an object with the prefix, an address and the direction."""
        return shape.braced and shape.quotes >= _FEWEST_QUOTES

    def read_line(self, line: str) -> CarefulLine | None:
        """Read one connection."""
        content = object_of(line)
        if content is None or content.get("scope") != "access":
            return None
        message = content.get("message")
        if message not in (*MESSAGES, OPENED):
            return None
        fields = {name: as_text(value) for name, value in content.items() if name not in _PREFIX}
        known = {name: text for name, text in fields.items() if text is not None}
        return read_fields(as_text(content.get("time")), message, known)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines."""
        return read_by_line(self, data)


FORMAT = ZtunnelJson()
