"""ztunnel's JSON access log (`LOG_FORMAT=json`): the same keys, flat and dotted."""

from functools import cached_property

import pyarrow.compute as pc

from analyzer.parsing.ambient import BLIND_SPOT, FIELDS, MESSAGES, OPENED, REFERENCE, read_fields
from analyzer.parsing.ambient_columns import KEYS, MESSAGE, finished
from analyzer.parsing.by_line import read_by_line
from analyzer.parsing.careful import CarefulLine, Shape
from analyzer.parsing.native import JsonKernel, library
from analyzer.parsing.objects import as_text, object_of
from analyzer.parsing.parsed import Reading

_PREFIX = frozenset(("level", "time", "scope", "message"))
_FEWEST_QUOTES = 12
_FEWEST_KEYS = 4
"""Scope, message, direction and the address dialled."""
_SCOPE = "access"
_SCOPE_COLUMN = "@scope"
_COLUMNS = {"level": "@level", "time": "start_time", "scope": _SCOPE_COLUMN, "message": MESSAGE, **KEYS}


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
        if content is None or content.get("scope") != _SCOPE:
            return None
        message = content.get("message")
        if message not in (*MESSAGES, OPENED):
            return None
        fields = {name: as_text(value) for name, value in content.items() if name not in _PREFIX}
        known = {name: text for name, text in fields.items() if text is not None}
        return read_fields(as_text(content.get("time")), message, known)

    def read(self, data: bytes) -> Reading:
        """Read a block of UTF-8 lines, by the kernel where one was built."""
        if self._kernel is None:
            return read_by_line(self, data)
        reading = self._kernel.read(data)
        if reading.entries is not None:
            columns = reading.entries.columns
            of_access = pc.equal(columns.pop(_SCOPE_COLUMN), _SCOPE)
            columns[MESSAGE] = pc.if_else(of_access, columns[MESSAGE], None)
        return finished(reading, data)

    @cached_property
    def _kernel(self) -> JsonKernel | None:
        functions, proof = library(), (KEYS["dst.addr"], KEYS["dst.addr"])
        if functions is None:
            return None
        return JsonKernel(functions, self.name, _COLUMNS, _FEWEST_KEYS, proof, others=True, gaps=False)


FORMAT = ZtunnelJson()
