"""Fuzz the compiled kernel under the address and undefined-behaviour sanitizers, led by the edges it goes over.

`python -m tests.fuzzing.kernel --seconds 15` builds the kernel anew with gcc and starts itself again with the library
of the sanitizer loaded first. Each input lies in memory of just its length, so that one byte read too far is seen.
"""

import argparse
import ctypes
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KERNEL = ROOT / "analyzer" / "parsing" / "native" / "kernel.c"
_BUILT = "EGRESS_AUDIT_FUZZED_KERNEL"
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_EDGES = 1 << 14
_FORMATS = ("istio_text", "istio_text_1_3", "envoy_text", "istio_json", "ztunnel_text", "ztunnel_json")
_CUSTOM = (
    "%START_TIME(%Y-%m-%d %H:%M:%S)% %RESPONSE_CODE% %REQ(:METHOD)%",
    "%RESPONSE_CODE%|%UPSTREAM_HOST%|%UPSTREAM_CLUSTER%|%REQ(USER-AGENT)%|%ROUTE_NAME%",
)
"""A time with a blank of its own, and a cluster with bars."""
_LINES = (b"2026-03-02 10:00:00 200 GET", b"200|203.0.113.10:80|outbound|80||a.example|curl|default")
_LONGEST = 4096
_SHARDS = (
    b'"',
    b" ",
    b"-",
    b"\n",
    b"\\",
    b'\\"',
    b"\\u00e9",
    b"\\ud800",
    b"{",
    b"}",
    b",",
    b":",
    b"null",
    b"0",
    b"9" * 20,
    b"",
)


def build(folder: Path) -> Path:
    """The kernel as a library that watches itself."""
    flags = ["-O1", "-g", "-std=c11", "-fPIC", *_SANITIZERS]
    objects = {KERNEL: "-fsanitize-coverage=trace-pc", HERE / "edges.c": "-fno-sanitize=all"}
    for source, flag in objects.items():
        subprocess.run(["gcc", *flags, flag, "-c", source, "-o", folder / f"{source.stem}.o"], check=True)
    library = folder / "kernel.so"
    parts = [folder / f"{source.stem}.o" for source in objects]
    subprocess.run(["gcc", "-shared", *_SANITIZERS, *parts, "-o", library], check=True)
    return library


def start_again(library: Path, arguments: list[str]) -> int:
    """This module in a process that has the sanitizer's library before all others."""
    loaded = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    settings = {
        "LD_PRELOAD": loaded.strip(),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",  # Python itself frees little at its end
        "PYTHONMALLOC": "malloc",
        _BUILT: str(library),
    }
    command = [sys.executable, "-m", "tests.fuzzing.kernel", *arguments]
    return subprocess.run(command, env=os.environ | settings, cwd=ROOT, check=False).returncode


def fuzz(library: Path, seconds: float, seed: int) -> int:
    """Change inputs that led somewhere new, until the time is up; how many were tried."""
    from analyzer.parsing import custom_text, json_lines, known_formats, text
    from analyzer.parsing.formats import ztunnel_json, ztunnel_text
    from analyzer.parsing.native import load

    functions = load(library)
    for module in (text, custom_text, json_lines, ztunnel_text, ztunnel_json):
        module.library = lambda: functions  # type: ignore[attr-defined]
    edges: Any = ctypes.CDLL(str(library)).edges_take
    formats: list[Any] = [known_formats()[name] for name in _FORMATS]
    readers = [log_format._kernel for log_format in (*formats, *map(custom_text.CustomText, _CUSTOM))]
    dice, known, tried = random.Random(seed), (ctypes.c_uint8 * _EDGES)(), 0
    inputs = list(start_inputs())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = inputs[tried] if tried < len(inputs) else changed(dice, inputs)
        for reader in readers:
            exactly(reader, data)
        tried += 1
        if edges(known) and tried > len(inputs):
            inputs.append(data)
    return tried


def start_inputs() -> Iterable[bytes]:
    """The corpus, lines of the custom formats, and lines of the sample logs."""
    yield b"\n".join(_LINES)
    for path in sorted((HERE / "corpus").iterdir()):
        yield path.read_bytes()[:_LONGEST]
    for path in sorted((ROOT / "sample_logs").rglob("*.log")):
        lines = path.read_bytes().split(b"\n")
        yield b"\n".join(lines[:3])[:_LONGEST]


def changed(dice: random.Random, inputs: list[bytes]) -> bytes:
    """An input with a few stretches cut out, doubled, flipped or taken from another."""
    data = bytearray(dice.choice(inputs))
    for _ in range(dice.randint(1, 6)):
        place = dice.randint(0, len(data))
        length = dice.choice((0, 1, 1, 2, 8, 64))
        other = dice.choice(inputs)
        start = dice.randint(0, len(other))
        twice = bytes(data[place : place + length]) * 2
        written = dice.choice((dice.choice(_SHARDS), dice.randbytes(length), other[start : start + length], twice))
        data[place : place + length] = written
    return bytes(data[:_LONGEST])


def exactly(reader: Any, data: bytes) -> None:
    """Read an input out of memory that ends where it ends, and everything made of it and of those that are gathered."""
    memory = ctypes.CDLL(None)
    memory.malloc.restype, memory.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    memory.free.argtypes = [ctypes.c_void_p]
    place = memory.malloc(len(data))
    try:
        ctypes.memmove(place, data, len(data))
        reader.run(place, len(data))
    finally:
        memory.free(place)
    reader.columns()
    if len(data) % 3 == 0:
        reader.undo()
    elif len(data) % 3 == 1:
        reader._forget()


def main() -> int:
    """Build, start again, fuzz; another status than 0 where a sanitizer spoke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    built = os.environ.get(_BUILT)
    if built is not None:
        sys.stdout.write(f"{fuzz(Path(built), options.seconds, options.seed):,} inputs, no complaint\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return start_again(build(Path(folder)), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
