"""Build the kernel where a C compiler is at hand; without one the Arrow road reads the same lines, only slower."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "analyzer.parsing.native._kernel",
            sources=["analyzer/parsing/native/kernel.c"],
            extra_compile_args=["-O3", "-std=c11"],
            optional=True,
        )
    ]
)
