"""Print the confusion tables: what happened, and what the analyzer says, by mode and format."""

import sys
import tempfile
from pathlib import Path

from tests.envoy.cases import cases
from tests.envoy.confusion import compare, table
from tests.envoy.namespaces import why_not_here
from tests.envoy.running import play
from tests.envoy.scenery import scenery
from tests.envoy.servers import World
from tests.envoy.truth import MODES


def main(seed: int) -> int:
    """Play every case in both modes and print the tables; 1 where anything disagrees, 2 where this machine cannot."""
    reason = why_not_here()
    if reason:
        sys.stderr.write(f"a real Envoy is needed, and not here: {reason}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, World.opened() as world:
        wrong = 0
        for mode in MODES:
            run = play(world, scenery(mode), cases(seed), Path(folder, mode))
            compared = list(compare(run, Path(folder, f"lakes-{mode}")))
            wrong += sum(bool(one.disagreements) for one in compared)
            sys.stdout.write(f"{mode}: {len(compared)} lines read\n{table(compared)}\n\n")
        sys.stdout.write(f"{wrong} disagreements\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
