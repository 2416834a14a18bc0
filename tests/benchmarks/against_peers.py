"""This tool beside DuckDB and Polars on the same job, whole processes, A B A B, and the ratios pair by pair.

`python -m tests.benchmarks.against_peers [--size 1000M] [--pairs 5] [--format text|json|gz] [--keep FOLDER] [--sums]`.
With `--sums` nobody writes rows. Only
ratios of one run count: the same machine is faster and slower by half within an hour. Exactness comes before speed:
every run's rows and bytes are held against the generator's truth. Logs in the folder of `--keep` are used again.
"""

import argparse
import compileall
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.generate import size_of, write


def timed(command: list[str]) -> tuple[float, float, float, str]:
    """Wall and CPU seconds, peak MiB of the largest process, and what was printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    out = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def ours(log: Path, work: Path, *, sums: bool) -> list[str]:
    """Parse, classify, write the lake, and keep the table of destinations in sum; or only the sums."""
    if sums:
        return [sys.executable, "-m", "tests.benchmarks.sums", str(log)]
    shutil.rmtree(work / "lake", ignore_errors=True)
    return [sys.executable, "-m", "analyzer", "ingest", str(log), "--lake", str(work / "lake"), "--output", "json"]


def peer(tool: str, log: Path, work: Path, kind: str) -> list[str]:
    """The same by a peer."""
    return [
        sys.executable,
        "-m",
        "tests.benchmarks.peers",
        tool,
        "json" if kind == "json" else "text",
        str(log),
        str(work / tool),
    ]


def size_on_disk(folder: Path, pattern: str) -> float:
    """Megabytes of some files."""
    return sum(path.stat().st_size for path in folder.rglob(pattern)) / 1e6


def generated(folder: Path, size: int, kind: str) -> tuple[Path, dict[str, int]]:
    """A log of a kind, packed if asked for, and its truth; one that is there already is used again."""
    plain = folder / f"{size}.{'json' if kind == 'json' else 'text'}.log"
    truth = plain.with_suffix(".truth.json")
    if not truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        truth.write_text(json.dumps(write(plain, size, kind != "json")))
    log = plain.with_suffix(".log.gz") if kind == "gz" else plain
    if not log.exists():
        with plain.open("rb") as source, gzip.open(log, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return log, json.loads(truth.read_text())


def main() -> None:
    """Generate, run in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=size_of, default=10**9)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--format", choices=("text", "json", "gz"), default="text")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--sums", action="store_true")
    options = parser.parse_args()
    compileall.compile_dir("analyzer", quiet=1)  # peers were installed with theirs
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        log, truth = generated(options.keep or work, options.size, options.format)
        wanted = sum(count for name, count in truth.items() if name not in ("rejected", "bytes_received", "bytes_sent"))
        peers = ("duckdb-sums",) if options.sums else ("duckdb", "polars")
        tools = {"egress-audit": lambda: ours(log, work, sums=options.sums)}
        tools |= {tool: lambda tool=tool: peer(tool, log, work, options.format) for tool in peers}
        runs: dict[str, list[tuple[float, float, float]]] = {tool: [] for tool in tools}
        for turn in range(options.pairs + 1):
            for tool, command in list(tools.items()):
                try:
                    wall, cpu, peak, out = timed(command())
                except RuntimeError as error:
                    print(f"{tool}: gave up on this log ({error})", flush=True)
                    del tools[tool], runs[tool]
                    continue
                found = json.loads(out)
                rows = found.get("entries", found.get("rows"))
                if turn:
                    runs[tool].append((wall, cpu, peak))
                else:
                    print(f"{tool}: {rows:,} of {wanted:,} entries ({rows - wanted:+,})", flush=True)
        for tool, results in runs.items():
            wall, cpu, peak = (statistics.median(column) for column in zip(*results, strict=True))
            print(f"{tool:13} {wall:6.2f} s  {options.size / wall / 1e6:5.0f} MB/s  {cpu:6.2f} cpu-s  {peak:6.0f} MiB")
        for tool in sorted(set(runs) - {"egress-audit"}):
            ratios = [theirs[0] / mine[0] for mine, theirs in zip(runs["egress-audit"], runs[tool], strict=True)]
            print(
                f"speed against {tool}: {statistics.median(ratios):.2f}x (pairs {', '.join(f'{r:.2f}' for r in ratios)})"
            )
        if options.sums:
            return
        mine, theirs = (
            size_on_disk(work / "lake", "kind=entry/**/*.parquet"),
            size_on_disk(work / "duckdb", "rows.parquet"),
        )
        print(f"Parquet: {mine:.1f} MB against DuckDB's {theirs:.1f} MB ({mine / theirs:.2f}x)")


if __name__ == "__main__":
    main()
