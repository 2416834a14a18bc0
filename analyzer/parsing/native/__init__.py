"""The way to the compiled kernel: blocks in, columns and odd lines out; none where no compiler was at hand.

It holds no lock while it reads.
"""

from analyzer.parsing.native.kernels import (
    MOST_COLUMNS,
    OF_CLUSTER,
    Cut,
    JsonKernel,
    PairsKernel,
    TextKernel,
    cuts_of,
)
from analyzer.parsing.native.loading import built_in, library, load

__all__ = [
    "MOST_COLUMNS",
    "OF_CLUSTER",
    "Cut",
    "JsonKernel",
    "PairsKernel",
    "TextKernel",
    "built_in",
    "cuts_of",
    "library",
    "load",
]
