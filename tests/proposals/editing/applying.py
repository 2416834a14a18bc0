"""A strict reader of unified diffs."""

import re


def patched(text: str, patch: str) -> str:
    """What a strict reader of unified diffs makes of a text."""
    old, new, at = re.findall(r"[^\n]*\n|[^\n]+$", text), [], 0
    lines = re.findall(r"[^\n]*\n", patch[patch.index("\n+++ ") + 1 :])[1:]
    for number, line in enumerate(lines):
        ends = number + 1 < len(lines) and lines[number + 1].startswith("\\")
        body = line[1:-1] if ends else line[1:]
        if line.startswith("@@"):
            start, count = re.match(r"@@ -(\d+)(?:,(\d+))?", line).groups()  # type: ignore[union-attr]
            until = int(start) - (count != "0")
            new += old[at:until]
            at = until
        elif line.startswith("+"):
            new.append(body)
        elif line[0] in " -":
            assert old[at] == body
            new += [body] if line[0] == " " else []
            at += 1
    return "".join([*new, *old[at:]])
