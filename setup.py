"""Build the kernel where a C compiler is at hand; without one the Arrow road reads the same lines, only slower."""

from pathlib import Path
from zlib import crc32

from setuptools import Extension, setup

NATIVE = Path("analyzer/parsing/native")
SOURCES = sorted(NATIVE.glob("*.[ch]"))

setup(
    ext_modules=[
        Extension(
            "analyzer.parsing.native._kernel",
            sources=[str(NATIVE / "kernel.c")],
            depends=[str(source) for source in SOURCES],
            # What was built from another source than lies beside it is not used.
            define_macros=[("NATIVE_SOURCE", f"{crc32(b''.join(source.read_bytes() for source in SOURCES))}u")],
            extra_compile_args=["-O3", "-std=c11"],
            optional=True,
        )
    ]
)
