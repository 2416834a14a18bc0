"""Build the kernel where a C compiler is at hand; without one the Arrow road reads the same lines, only slower."""

from pathlib import Path
from zlib import crc32

from setuptools import Extension, setup

SOURCE = "analyzer/parsing/native/kernel.c"

setup(
    ext_modules=[
        Extension(
            "analyzer.parsing.native._kernel",
            sources=[SOURCE],
            # What was built from another source than the one beside it is not used.
            define_macros=[("NATIVE_SOURCE", f"{crc32(Path(SOURCE).read_bytes())}u")],
            extra_compile_args=["-O3", "-std=c11"],
            optional=True,
        )
    ]
)
