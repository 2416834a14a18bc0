"""Put items and pairs into what stands in a text, in the manner of what stands beside them, and take items out.

Key order, quotes, indentation and the way of writing (blocks or braces) are those of the neighbour.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from analyzer.proposals.editing.nodes import NotInPlace, Object, last_end, pair, value_of
from analyzer.proposals.editing.splices import Splice
from analyzer.proposals.manifest_yaml import block_lines, on_one_line, scalar

Scalar = str | int
Value = Scalar | Mapping[str, "Value"] | Sequence["Value"]
Item = Scalar | Mapping[str, Any]
Path = tuple[str | int, ...]
"""Keys, and positions (from 0) in lists."""


def appended(target: Object, path: Path, values: Sequence[Item]) -> Splice:
    """Items at the end of the list at a path; the list is made where its parent has none."""
    *parents, key = path
    found = pair(_mapping(target, parents), str(key))
    if found is None:
        return put(target, parents, {str(key): list(values)})
    node = _list(found[1], path)
    if not node.value:
        return Splice(node.start_mark.index, node.end_mark.index, on_one_line(values, quoted=target.is_json))
    return _after_items(target, node, values) if node.flow_style else _below_items(target, node, values)


def without(target: Object, path: Path, positions: Sequence[int]) -> Iterator[Splice]:
    """The items at some positions of the list at a path taken out, with what is written behind them on their lines."""
    node = _list(node_at(target, path), path)
    items = node.value
    if not set(positions) < set(range(len(items))):
        raise NotInPlace(f"{_dotted(path)} would be left without items")
    for first, last in _runs(positions):
        if not node.flow_style:
            start = target.lines.start_of(target.start + items[first].start_mark.index)
            end = target.lines.after(target.start + max(last_end(target.text, items[last]) - 1, 0))
            yield Splice(start - target.start, end - target.start, "")
        elif first == 0:
            yield Splice(items[0].start_mark.index, items[last + 1].start_mark.index, "")
        else:
            yield Splice(items[first - 1].end_mark.index, items[last].end_mark.index, "")


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of positions that follow each other."""
    ordered = sorted(positions)
    edges = [ordered[0], *(place for a, b in pairwise(ordered) if b != a + 1 for place in (a, b)), ordered[-1]]
    yield from zip(edges[::2], edges[1::2], strict=True)


def put(target: Object, path: Sequence[str | int], pairs: Mapping[str, Value]) -> Splice:
    """Pairs at the end of the mapping at a path, which must not have these keys; the mapping is made if need be."""
    if path and isinstance(path[-1], str) and value_of(_mapping(target, path[:-1]), path[-1]) is None:
        return put(target, path[:-1], {path[-1]: pairs})
    node = _mapping(target, path)
    if node.flow_style:
        return _after_pairs(target, node, pairs)
    column = node.value[0][0].start_mark.column
    deeper = next((v.start_mark.column - column for _, v in node.value if _is_block_list(v)), 2)
    written = [" " * column + line for line in block_lines(pairs, deeper)]
    return _below(target, last_end(target.text, node), written)


def replaced(node: Node, value: Scalar, *, is_json: bool) -> Splice:
    """Another value where a scalar stands, quoted as that was."""
    if not isinstance(node, ScalarNode) or node.style in ("|", ">") or node.start_mark.index == node.end_mark.index:
        raise NotInPlace("a value to be changed is not a plain one")
    return Splice(node.start_mark.index, node.end_mark.index, _written(value, node, is_json))


def node_at(target: Object, path: Sequence[str | int]) -> Node:
    """The node at a path. Raises `NotInPlace` where there is none."""
    node = found_at(target, path)
    if node is None:
        raise NotInPlace(f"{_dotted(path)} is not there")
    return node


def found_at(target: Object, path: Sequence[str | int]) -> Node | None:
    """The node at a path, null where there is none."""
    node: Node | None = target.node
    for key in path:
        if isinstance(key, str):
            node = value_of(node, key)
        else:
            node = node.value[key] if isinstance(node, SequenceNode) and key < len(node.value) else None
    return node


def _mapping(target: Object, path: Sequence[str | int]) -> MappingNode:
    node = node_at(target, path)
    if not isinstance(node, MappingNode) or not node.value:
        raise NotInPlace(f"{_dotted(path)} is no mapping there")
    return node


def _list(node: Node, path: Sequence[str | int]) -> SequenceNode:
    if not isinstance(node, SequenceNode):
        raise NotInPlace(f"{_dotted(path)} is no list there")
    return node


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))


def _is_block_list(node: Node) -> bool:
    return isinstance(node, SequenceNode) and not node.flow_style


def _below_items(target: Object, node: SequenceNode, values: Sequence[Item]) -> Splice:
    """Items of a block, each on lines of its own, below the last one."""
    text, last = target.text, node.value[-1]
    line_start = text.rfind("\n", 0, last.start_mark.index) + 1
    margin, hyphen, gap = text[line_start : last.start_mark.index].partition("-")
    if margin.strip() or not hyphen or gap.strip():
        margin, gap = " " * node.start_mark.column, " "
    written: list[str] = []
    for value in values:
        first, *others = _like(target, last, value, "")
        written += [f"{margin}-{gap}{first}", *(f"{margin} {' ' * len(gap)}{line}" for line in others)]
    return _below(target, last_end(text, node), written)


def _below(target: Object, end: int, written: Sequence[str]) -> Splice:
    """Whole lines after the line in which some content ends."""
    lines = target.lines
    at = lines.after(target.start + max(end - 1, 0))
    block = lines.ending.join(written)
    if at > 0 and lines.text[at - 1] not in "\r\n\x85\u2028\u2029":
        return Splice(at - target.start, at - target.start, lines.ending + block)
    return Splice(at - target.start, at - target.start, block + lines.ending)


def _after_items(target: Object, node: SequenceNode, values: Sequence[Item]) -> Splice:
    """Items of a list in brackets, after the last one and before what may stand between it and the bracket."""
    text, last = target.text, node.value[-1]
    if len(node.value) > 1:
        between = text[node.value[-2].end_mark.index : last.start_mark.index]
    else:
        lead = text[node.start_mark.index + 1 : node.value[0].start_mark.index]
        between = "," + (lead if "\n" in lead else _comma(target, last)[1:])
    between = between if between.replace(",", "", 1).isspace() or between == "," else ", "
    margin = between.rsplit("\n", 1)[-1].lstrip(",") if "\n" in between else ""
    written = ["".join(_like(target, last, value, margin)) for value in values]
    return Splice(last.end_mark.index, last.end_mark.index, "".join(between + item for item in written))


def _after_pairs(target: Object, node: MappingNode, pairs: Mapping[str, Value]) -> Splice:
    text = target.text
    end = node.value[-1][1].end_mark.index
    separator, colon = _comma(target, node), _colon(text, *node.value[0])
    quoted = target.is_json or bool(node.value[0][0].style)
    written = [
        f"{separator}{scalar(key, quoted=quoted)}{colon}{on_one_line(value, quoted=quoted)}"
        for key, value in pairs.items()
    ]
    return Splice(end, end, "".join(written))


def _like(target: Object, sibling: Node, value: Item, margin: str) -> list[str]:
    """An item written as its sibling is, as lines without their indentation; what is in braces is one line."""
    if not isinstance(value, Mapping):
        return [_written(value, sibling, target.is_json)]
    if not isinstance(sibling, MappingNode) or not sibling.value:
        return [on_one_line(value, quoted=target.is_json)]
    if any(not isinstance(inner, Scalar) for inner in value.values()):
        return [on_one_line(value, quoted=target.is_json)] if sibling.flow_style else block_lines(value)
    written = _pairs_like(target, sibling, value)
    if not sibling.flow_style:
        return written
    text = target.text
    lead = text[sibling.start_mark.index + 1 : sibling.value[0][0].start_mark.index]
    tail = text[sibling.value[-1][1].end_mark.index : sibling.end_mark.index - 1]
    comma = _comma(target, sibling)
    return [f"{{{lead if lead.isspace() else ''}{comma.join(written)}{tail if tail.isspace() else ''}}}"]


def _pairs_like(target: Object, sibling: MappingNode, value: Mapping[str, Value]) -> list[str]:
    """The pairs of a mapping in the order of its sibling's keys, then those that the sibling lacks."""
    text = target.text
    theirs = {k.value: (k, v) for k, v in sibling.value if isinstance(k, ScalarNode)}
    first_key, first_value = sibling.value[0]
    colon = _colon(text, first_key, first_value)
    written = []
    for key in [*(key for key in theirs if key in value), *(key for key in value if key not in theirs)]:
        if key in theirs:
            k, v = theirs[key]
            name = text[k.start_mark.index : k.end_mark.index]
            written.append(f"{name}{_colon(text, k, v)}{_written(value[key], v, target.is_json)}")
        else:
            quoted = bool(first_key.style)
            written.append(f"{scalar(key, quoted=quoted)}{colon}{_written(value[key], None, target.is_json)}")
    return written


def _colon(text: str, key: Node, value: Node) -> str:
    between = text[key.end_mark.index : value.start_mark.index]
    return between if between.strip() == ":" and "\n" not in between else ": "


def _comma(target: Object, node: Node) -> str:
    """What stands between two pairs of a mapping in braces."""
    if isinstance(node, MappingNode) and len(node.value) > 1:
        between = target.text[node.value[0][1].end_mark.index : node.value[1][0].start_mark.index]
        if between.strip() == ",":
            return between
    return ", "


def _written(value: Value, neighbour: Node | None, is_json: bool) -> str:
    """A scalar with the quotes of its neighbour, or those that it needs."""
    style = neighbour.style if isinstance(neighbour, ScalarNode) else None
    if isinstance(value, int):
        return str(value)
    if style == "'":
        return "'" + str(value).replace("'", "''") + "'"
    return scalar(value, quoted=is_json or style == '"')
