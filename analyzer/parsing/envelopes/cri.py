"""CRI container logs, as the kubelet's runtimes write them: time, stream, and F for a whole line or P for a part."""

import re
from collections.abc import Mapping

_SHAPE = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) (?P<tags>[FP](?::\S+)?) "
)


class Cri:
    """A line that was cut into parts (`P`) is left as it is: half a line proves nothing."""

    name = "cri"
    reference = "kubernetes/design-proposals-archive node/kubelet-cri-logging.md"

    def recognizes(self, line: bytes) -> bool:
        """The stream's name stands after the time."""
        return b" std" in line[:48]

    def peel(self, line: bytes) -> tuple[bytes, Mapping[str, str]] | None:
        """Take time, stream and tag off."""
        match = _SHAPE.match(line)
        return None if match is None or not match["tags"].startswith(b"F") else (line[match.end() :], {})


ENVELOPE = Cri()
