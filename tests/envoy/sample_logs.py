"""Write `sample_logs/` anew: a day of seven pods, logged by a real Envoy in several formats.

`make samples` (as root, on a machine that has network namespaces) writes the same bytes each time.
"""

import gzip
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.envoy import story
from tests.envoy.access_logs import ENVOY_TEXT, ISTIO_JSON, ISTIO_TEXT, ISTIO_TEXT_1_8
from tests.envoy.namespaces import why_not_here
from tests.envoy.retelling import Clock, retell
from tests.envoy.running import Run, lines_of, play
from tests.envoy.servers import World
from tests.envoy.story import Part, Pod

ROOT = Path(__file__).parents[2] / "sample_logs"
FORMATS = {
    story.FORUM: ISTIO_TEXT,
    story.WEBAPP: ISTIO_TEXT,
    story.PAYMENTS: ISTIO_JSON,
    story.REPORTS: ISTIO_TEXT,
    story.SEARCH: ISTIO_JSON,
    story.NIGHTLY: ISTIO_TEXT_1_8,
    story.METRICS: ISTIO_TEXT,
}
Day = Mapping[tuple[Part, str], Run]
"""What was played, by part and namespace."""

_OLD_LINES = 8
_BEFORE = (
    "2026-03-02T09:00:01.123456Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod.istio-system:15012",
    "2026-03-02T09:00:02.000001Z\twarning\tenvoy config\tgRPC config stream to xds-grpc closed: 14, connection error",
)
_AFTER = ("", "not a log line at all", "\tat com.acme.Forum.main(Forum.java:17)")
_CUT_AT = 150


def play_day(world: World, folder: Path) -> Day:
    """Play the day: every part of it in every namespace."""
    return {
        (part, namespace): play(
            world,
            story.configuration(namespace, story.mode_of(part), story.registered(part)),
            story.calls(namespace, part),
            folder / part / namespace,
            at_once=1,
        )
        for part in Part
        for namespace in story.NAMESPACES
    }


def tell(day: Day) -> dict[Pod, list[tuple[str, str]]]:
    """The lines of every pod, put on the story's clock: in the pod's own format and in Envoy's."""
    lines: dict[Pod, list[tuple[str, str]]] = {pod: [] for pod in story.CAST}
    clocks = {pod: Clock(pod.address, story.BEGINS[Part.MORNING], random.Random(pod.name)) for pod in story.CAST}
    for (part, namespace), run in day.items():
        for pod in (pod for pod in story.CAST if pod.namespace == namespace):
            clocks[pod].now = story.BEGINS[part]
            for known, (own, plain) in lines_of(pod.address, run.folder, (FORMATS[pod], ENVOY_TEXT)):
                first, second = retell([own, plain], known, clocks[pod])
                lines[pod].append((first, second))
    return lines


def files(told: dict[Pod, list[tuple[str, str]]]) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder and its bytes."""
    own = {pod: [line for line, _ in lines] for pod, lines in told.items()}
    forum = own[story.FORUM]
    broken = [_BEFORE[0], forum[2][:_CUT_AT], _BEFORE[1], *forum, *_AFTER]
    yield f"text/{story.FORUM.file_name}", _bytes(broken)
    yield f"text/{story.WEBAPP.file_name}", _bytes(own[story.WEBAPP])
    yield f"json/{story.PAYMENTS.file_name}", _bytes(own[story.PAYMENTS])
    yield f"json/{story.SEARCH.file_name}", _bytes(own[story.SEARCH])
    yield f"packed/{story.REPORTS.file_name}.gz", gzip.compress(_bytes(own[story.REPORTS]), mtime=0)
    yield f"text_1_8/{story.NIGHTLY.file_name}", _bytes(own[story.NIGHTLY])
    cri = [f"{line[1:24]}456789Z stdout F {line}" for line in own[story.METRICS]]
    yield f"cri/{story.METRICS.file_name}", _bytes(cri)
    yield "envoy_default/old-proxy.log", _bytes([plain for _, plain in told[story.FORUM][:_OLD_LINES]])


def _bytes(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def write(found: Sequence[tuple[str, bytes]]) -> None:
    """Write the folder anew, its README left in place."""
    for folder in (path for path in ROOT.iterdir() if path.is_dir()):
        shutil.rmtree(folder)
    for name, content in found:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_bytes(content)


def main() -> int:
    """Play the day and write what was logged; 2 where this machine cannot."""
    reason = why_not_here()
    if reason:
        sys.stderr.write(f"sample logs are written by a real Envoy, and not here: {reason}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, World.opened() as world:
        write(list(files(tell(play_day(world, Path(folder))))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
