"""The many ways in which people, kubectl, Helm and scripts write the same ServiceEntries and Sidecars."""

import json
from typing import Any

from hypothesis import strategies as st

_SPECS = st.fixed_dictionaries(
    {
        "hosts": st.just(["api.partner.example"]),
        "ports": st.lists(
            st.sampled_from(
                [
                    {"number": 443, "name": "tls", "protocol": "TLS"},
                    {"number": 9443, "name": "tls-9443", "protocol": "TLS", "targetPort": 443},
                    {"name": "http-81", "protocol": "HTTP", "number": 81},
                ]
            ),
            max_size=3,
            unique_by=lambda port: port["number"],
        ),
        "exportTo": st.sampled_from([["ops"], ["ops", "edge"], []]),
    },
    optional={"resolution": st.sampled_from(["DNS", "NONE"]), "location": st.just("MESH_EXTERNAL")},
)


_EGRESS = st.sampled_from(
    [
        [{"hosts": ["istio-system/*"]}],
        [{"hosts": ["./*", "istio-system/*"]}],
        [{"port": {"number": 9443, "name": "tls", "protocol": "TLS"}, "hosts": ["ops/*"]}, {"hosts": ["~/*"]}],
        [{"hosts": ["ops/*"], "port": {"number": 9443, "name": "tls", "protocol": "TLS"}}],
    ]
)
"""Egress lists of which the last listener takes the rest, or where none does."""


def _shuffled(draw: st.DrawFn, mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: mapping[key] for key in draw(st.permutations(sorted(mapping)))}


def _scalar(draw: st.DrawFn, value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    return draw(st.sampled_from([json.dumps(value), f"'{value}'", value if value[0].isalpha() else json.dumps(value)]))


def _flow(draw: st.DrawFn, value: Any) -> str:
    blank = draw(st.sampled_from(["", " "]))
    if isinstance(value, dict):
        return "{" + blank + ", ".join(f"{k}: {_flow(draw, v)}" for k, v in value.items()) + blank + "}"
    if isinstance(value, list):
        trailing = draw(st.sampled_from(["", ","])) if value else ""
        return "[" + blank + f",{draw(st.sampled_from(['', ' ']))}".join(_flow(draw, v) for v in value) + trailing + "]"
    return _scalar(draw, value)


def _comment(draw: st.DrawFn, indent: int) -> list[str]:
    return draw(st.sampled_from([[], [], [f'{" " * indent}# a note: {{odd}} - "x'], [""], ["# at the margin"]]))


def _tail(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", "  # why: 'this'"]))


def _block(draw: st.DrawFn, mapping: dict[str, Any], indent: int, step: int, offset: int) -> list[str]:
    lines: list[str] = []
    for key, value in mapping.items():
        margin = " " * indent
        lines += _comment(draw, indent)
        if isinstance(value, dict) and value:
            lines += [f"{margin}{key}:{_tail(draw)}", *_block(draw, value, indent + step, step, offset)]
        elif isinstance(value, list) and value and draw(st.booleans()):
            lines.append(f"{margin}{key}:{_tail(draw)}")
            for item in value:
                lines += _comment(draw, indent + offset)
                lines += _item(draw, item, indent + offset, step)
        else:
            lines.append(f"{margin}{key}: {_flow(draw, value)}{_tail(draw)}")
    return lines


def _item(draw: st.DrawFn, item: Any, indent: int, step: int) -> list[str]:
    gap = " " * draw(st.sampled_from([1, 1, 3]))
    margin = " " * indent
    if not isinstance(item, dict):
        return [f"{margin}-{gap}{_scalar(draw, item)}{_tail(draw)}"]
    if draw(st.booleans()):
        return [f"{margin}-{gap}{_flow(draw, item)}{_tail(draw)}"]
    colon = draw(st.sampled_from([": ", ":   "]))
    lines: list[str] = []
    for key, value in item.items():
        if isinstance(value, list) and draw(st.booleans()):
            offset = draw(st.sampled_from([0, 2]))
            lines += [f"{key}:", *(line for one in value for line in _item(draw, one, offset, step))]
        else:
            lines.append(f"{key}{colon}{_flow(draw, value)}{_tail(draw)}")
    first, *others = lines
    return [f"{margin}-{gap}{first}", *(f"{margin} {' ' * len(gap)}{line}" for line in others)]


def _object(draw: st.DrawFn, name: str) -> dict[str, Any]:
    host = "www.partner.example" if name == "second" else "api.partner.example"
    spec = _shuffled(draw, {**draw(_SPECS), "hosts": [host]})
    metadata = _shuffled(draw, {"name": name, "namespace": "shared", "labels": {"team": "data"}})
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": spec}


def _sidecar(draw: st.DrawFn) -> dict[str, Any]:
    spec = _shuffled(draw, {"egress": draw(_EGRESS), "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})
    metadata = _shuffled(draw, {"name": "default", "namespace": "shop"})
    return {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": metadata, "spec": spec}


@st.composite
def files(draw: st.DrawFn, with_sidecar: bool | None = None) -> bytes:
    """A file with ServiceEntries, `shared/first`, `shared/second` and maybe `shared/third`.

    `with_sidecar` says whether there is a Sidecar, `shop/default`, too; drawn where it is null.
    """
    objects = [_object(draw, name) for name in ("first", "second", "third")[: draw(st.sampled_from([2, 3]))]]
    if draw(st.booleans()) if with_sidecar is None else with_sidecar:
        objects.insert(draw(st.integers(0, len(objects))), _sidecar(draw))
    as_list = {"apiVersion": "v1", "kind": "List", "items": objects}
    form = draw(st.sampled_from(["documents", "documents", "list", "json"]))
    if form == "json":
        text = json.dumps(as_list, indent=draw(st.sampled_from([None, 2, 4])), separators=draw(_SEPARATORS))
    elif form == "list":
        hyphen = draw(st.sampled_from([0, 2]))
        lines = ["apiVersion: v1", "kind: List", "items:"]
        for one in objects:
            first, *others = _block_plain(draw, one)
            lines += [" " * hyphen + f"- {first}", *(" " * hyphen + f"  {line}" for line in others)]
        text = "\n".join(lines)
    else:
        separator = draw(st.sampled_from(["\n---\n", "\n\n---\n# next\n", "\n--- # next\n", "\n...\n---\n"]))
        head = draw(st.sampled_from(["", "---\n", "# owned by data\n\n", "# one\n---\n"]))
        text = head + separator.join("\n".join(_block_plain(draw, one)) for one in objects)
    text += draw(st.sampled_from(["", "\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + text.encode()


_SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")])


def _block_plain(draw: st.DrawFn, one: dict[str, Any]) -> list[str]:
    lines = _block(draw, one, 0, draw(st.sampled_from([2, 4])), draw(st.sampled_from([0, 2])))
    while (lines and not lines[0].strip()) or lines[0].lstrip().startswith("#"):
        lines.pop(0)
    return lines
