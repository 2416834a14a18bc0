"""Docker's json-file log driver: one object a line with the text under `log`."""

import json
from collections.abc import Mapping


class DockerJson:
    """The text ends in its own newline, except where Docker cut a long line; such a part is left as it is."""

    name = "docker_json"
    reference = "moby/moby daemon/logger/jsonfilelog/jsonlog/jsonlog.go"

    def recognizes(self, line: bytes) -> bool:
        """Docker writes the keys in one order."""
        return line.startswith(b'{"log":"')

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """Take the text out of the object."""
        try:
            text = json.loads(line)["log"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(text, str) or not text.endswith("\n") or "\n" in text[:-1]:
            return None
        return text[:-1].encode("utf-8", "surrogatepass"), {}


ENVELOPE = DockerJson()
