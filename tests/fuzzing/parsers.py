"""Fuzz the parsers with atheris, led by their coverage: `python -m tests.fuzzing.parsers --seconds 25`.

The laws are the oracle. It starts from the corpus beside this file and from the sample logs; an input that breaks a law
is written to the folder given by `--found`, and belongs into the corpus once the law holds again.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["analyzer.parsing", "analyzer.classification"]):
    from tests.fuzzing.laws import one_law

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "sample_logs"
_LONGEST = 4096
"""Bytes of one input: a few lines, so that each is tried often."""


def seeds(folder: Path) -> None:
    """Single lines of the sample logs, and pairs of them, as inputs to start from."""
    lines = sorted({line for path in SAMPLES.rglob("*.log") for line in path.read_bytes().split(b"\n") if line})
    for number in range(0, len(lines), 7):
        (folder / f"seed-{number:04d}").write_bytes(b"\n".join(lines[number : number + 2])[:_LONGEST])


def main() -> None:
    """Fuzz for a bounded time; atheris ends the process with 0, or with another status where a law was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=25)
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seeds(Path(folder))
        # The first folder is the one that libFuzzer adds to; the committed corpus is only read.
        arguments = [
            f"-max_total_time={options.seconds}", f"-max_len={_LONGEST}", "-timeout=60", "-rss_limit_mb=4096",
            "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={options.found}/fuzz-",
        ]  # fmt: skip
        atheris.Setup([sys.argv[0], *arguments, folder, str(HERE / "corpus")], one_law)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
