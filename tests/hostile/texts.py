"""Text that a client, or whoever hands a log over, may put into it to be obeyed where it is shown."""

import json
import re
from pathlib import Path
from typing import Any

from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, as_json, text

TERMINAL = (
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x07",
    "\x08\x08",
    "\r overwritten",
    "\x7f",
    "\x1b]8;;http://evil.example\x07",
)
DIRECTIONS = (
    "\u202egpj.exe",
    "\u2066x\u2069",
    "\u200bzero",
    "\u2028line",
    "\u0085next",
    "\u061c",
    "\u00adsoft",
    "\ufeff",
    "\U000e0041",
)
FORMULAS = (
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "\uff1d1+1",
    '=HYPERLINK("http://evil.example")',
    "=cmd|' /C calc'!A0",
)
YAML = (
    "yes",
    "null",
    "~",
    "1e3",
    "!!python/object/apply:os.system [id]",
    "a: b",
    "- x",
    "# no",
    "&a *a",
    "{{x}}",
    "%TAG",
    "key:\n  evil: 1",
)
HTML = (
    "<script>window.hacked=1</script>",
    "</script><img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "javascript:window.hacked=1",
    "<a href='http://evil.example/'>x</a>",
    "{{7*7}}{%raw%}",
    "<!--",
    "]]>",
    "&lt;b&gt;",
)  # fmt: skip
COMMANDS = (
    "::error file=a,line=1::x",
    " ::stop-commands::x",
    "##[error]x",
    "x ##[add-mask]e",
    "::warning::[x](http://evil.example)",
)
MARKDOWN = ("[x](http://evil.example)", "![x](http://evil.example/p.png)", "a|b|c", "`x` **y**", "# x", "{0}")
PATHS = ("../../../evil", "/etc/evil", "a\0b", "con", ".", "..", "~/evil", "$(id)", "`id`", "; id")
ALL = (*TERMINAL, *DIRECTIONS, *FORMULAS, *YAML, *HTML, *COMMANDS, *MARKDOWN, *PATHS)

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""What may reach nobody's screen; line ends and tabs are looked at apart."""
OBEYED = re.compile(r"^\s*::[A-Za-z-]*[G-Zg-z-]|##\[", re.MULTILINE)
"""What the runner of a GitHub workflow takes for a command, where a step prints it."""


def as_header(value: str) -> str:
    """What of a text Envoy lets into a header: no control bytes but a tab."""
    return re.sub("[\x00-\x08\x0a-\x1f\x7f]", "", value).strip()


def as_host(value: str) -> str:
    """What of a text Envoy lets into Host: no quotes, no blanks either."""
    return re.sub('[\\s"]', "", as_header(value)) or "x.example"


def lines() -> list[str]:
    """Lines in text and JSON with each text in every place that a client reaches, and some that it should not."""
    found: list[str] = []
    for number, value in enumerate(ALL):
        header, host = as_header(value), as_host(value)
        time = f"2026-03-02T10:{number % 60:02d}:00.000Z"
        found += [text(BLOCKED_HTTP, start_time=time, authority=f"{number}.example.com", user_agent=header)] * 2
        found += [text(BLOCKED_HTTP, start_time=time, authority=host, path=header, request_id=header)] * 2
        found += [
            text(HTTP, start_time=time, authority=host, upstream_cluster="PassthroughCluster", x_forwarded_for=header)
        ] * 2
        found += [text(BLOCKED_TCP, start_time=time, requested_server_name=host)] * 2
        found += [as_json(BLOCKED_HTTP, start_time=time, authority=value, user_agent=value, route_name="block_all")] * 2
        found += [as_json(BLOCKED_TCP, start_time=time, requested_server_name=value)] * 2
        found += [
            as_json(HTTP, start_time=time, upstream_cluster=f"outbound|80||{value}", route_name=value, authority=None)
        ]
        found += [json.dumps(json.loads(as_json(HTTP, start_time=time)) | {value: value})]
        found += [value, f"{header} {header}"]
    return [line for entry in found for line in entry.split("\n")]


def hostile_log(folder: Path) -> Path:
    """A log of all of them, under a name that is odd itself."""
    path = folder / "\u202e<img src=x onerror=window.hacked=1>=1+1;$(id).log"
    path.write_text("\n".join(lines()) + "\n", encoding="utf-8", errors="surrogateescape", newline="\n")
    return path


def texts_in(content: Any) -> list[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [found for pair in content.items() for item in pair for found in texts_in(item)]
    return [found for item in content for found in texts_in(item)] if isinstance(content, list) else []
