"""The kernel's three kinds of reader: text layouts, flat JSON objects, `key=value` behind a head."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analyzer.parsing.layout import IGNORED, Layout
from analyzer.parsing.native.loading import Key, Step
from analyzer.parsing.native.reader import NUMBER, Field, Reader, fields_of
from analyzer.parsing.parsed import EXTRA

MOST_COLUMNS, OF_CLUSTER = 64, -1
"""As in the kernel."""


class Cut(NamedTuple):
    """One step through a line: the field that is read, the literal that ends it, and the letters it cannot hold.

    The value ends at the first letter of the literal, or behind as many of those as are `inside` of it; for
    `OF_CLUSTER` its beginning tells how many. The first step of a format has a literal only, and a field that has no
    column is `IGNORED`.
    """

    field: str
    literal: str
    marks: str = ""
    inside: int = 0


def cuts_of(layout: Layout, parts: Sequence[tuple[str, str]]) -> list[Cut]:
    """The steps of a layout; `parts` are its pairs of field and the literal behind it."""
    alone = {segment.fields[0] for segment in layout.segments if segment.quoted and len(segment.fields) == 1}
    cuts = [Cut(field, literal, "" if field in alone or field == IGNORED else " ") for field, literal in parts]
    # A tab behind the last word is not the proxy's.
    return [*cuts[:-1], cuts[-1]._replace(marks=" \t")] if cuts[-1].marks else cuts


class TextKernel(Reader):
    """Reads blocks of one text format."""

    def __init__(self, functions: Mapping[str, Any], name: str, cuts: Sequence[Cut]) -> None:
        """A line holds as many double quotes as the literals of the cuts do."""
        super().__init__(functions, name, fields_of([cut.field for cut in cuts if cut.field != IGNORED]))
        self.steps = (Step * len(cuts))(
            *(
                Step(literal, marks, len(literal), len(marks), self.place.get(cut.field, -1), cut.inside)
                for cut in cuts
                for literal, marks in [(cut.literal.encode(), cut.marks.encode())]
            )
        )

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly of the layout come back as odd."""
        done: int = self.native["read_text"](self.context, data, length, self.steps, len(self.steps))
        return done


class JsonKernel(Reader):
    """Reads blocks of flat JSON objects."""

    def __init__(
        self,
        functions: Mapping[str, Any],
        name: str,
        keys: Mapping[str, str],
        fewest: int,
        proof: tuple[str, str],
        *,
        others: bool,
        gaps: bool = True,
    ) -> None:
        """`keys` are the keys of an object and the field of each; `proof` are fields of which one must be there.

        With `others`, what has another key comes as one object in the column `extra`, raw; else it makes a line odd.
        Without `gaps`, so does an empty string or `-` under one of the keys; with them, both are missing values.
        """
        super().__init__(functions, name, fields_of([*keys.values(), *((EXTRA,) if others else ())]))
        self.keys = _keys({f'"{key}":': self.place[field] for key, field in keys.items()})
        self.limits = (fewest, self.place[proof[0]], self.place[proof[1]], self.place[EXTRA] if others else -1, gaps)

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly objects with these keys come back as odd."""
        done: int = self.native["read_json"](self.context, data, length, self.keys, len(self.keys), *self.limits)
        return done


class PairsKernel(Reader):
    """Reads blocks of lines that are a time, a head, and `key=value` after `key=value`."""

    def __init__(
        self, functions: Mapping[str, Any], name: str, heads: Sequence[str], keys: Mapping[str, str], head: str
    ) -> None:
        """`heads` are what may stand between the time and the pairs, a tab for any blanks; which of them it was goes
        to the column `head` as its number. `keys` are the keys and the field of each, no key without a value; the
        others come as one object in the column `extra`, raw.
        """
        super().__init__(functions, name, [*fields_of([*keys.values(), "start_time", EXTRA]), Field(head, NUMBER)])
        self.heads = _keys(dict.fromkeys(heads, -1))
        self.keys = _keys({f"{key}=": self.place[field] for key, field in keys.items()})
        self.limits = (self.place["start_time"], self.place[head], self.place[EXTRA])

    def run(self, data: Any, length: int) -> int:
        """Let the kernel read; lines that are not plainly such come back as odd."""
        arguments = (self.heads, len(self.heads), self.keys, len(self.keys), *self.limits)
        done: int = self.native["read_pairs"](self.context, data, length, *arguments)
        return done


def _keys(columns: Mapping[str, int]) -> Any:
    """Keys as they stand in a line, and the column of each, in the kernel's words."""
    texts = [(text.encode(), column) for text, column in columns.items()]
    return (Key * len(texts))(*(Key(text, len(text), column) for text, column in texts))
