"""Find and load the compiled kernel: plain C behind ctypes, built without a header of Python's."""

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

_P, _I, _L = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64


class Step(ctypes.Structure):
    """One step through a text line."""

    _fields_ = (
        ("literal", ctypes.c_char_p),
        ("marks", ctypes.c_char_p),
        ("literal_length", _I),
        ("marks_length", _I),
        ("column", _I),
        ("inside", _I),
    )


class Key(ctypes.Structure):
    """A key as it stands in a line, and its column."""

    _fields_ = (("name", ctypes.c_char_p), ("length", _I), ("column", _I))


_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "new": (_P, (ctypes.POINTER(_I), _I, ctypes.c_char_p)),
    "free": (None, (_P,)),
    "read_text": (_I, (_P, _P, _L, ctypes.POINTER(Step), _I)),
    "read_json": (_I, (_P, _P, _L, ctypes.POINTER(Key), _I, _I, _I, _I, _I, _I)),
    "read_pairs": (_I, (_P, _P, _L, ctypes.POINTER(Key), _I, ctypes.POINTER(Key), _I, _I, _I, _I)),
    "forget": (None, (_P,)),
    "undo": (None, (_P,)),
    "add": (_I, (_P, ctypes.c_char_p, ctypes.POINTER(_I))),
    "rows": (_L, (_P,)),
    "block_rows": (_L, (_P,)),
    "lines": (_P, (_P,)),
    "odd": (_L, (_P,)),
    "odd_lines": (_P, (_P,)),
    "odd_starts": (_P, (_P,)),
    "odd_ends": (_P, (_P,)),
    "nulls": (_L, (_P, _I)),
    "valid": (_P, (_P, _I)),
    "numbers": (_P, (_P, _I)),
    "codes": (_P, (_P, _I)),
    "letters": (_P, (_P, _I)),
    "letters_used": (_L, (_P, _I)),
    "values": (_L, (_P, _I)),
    "ends": (_P, (_P, _I)),
    "source": (ctypes.c_uint32, ()),
}


@lru_cache(maxsize=1)
def library() -> Mapping[str, Any] | None:
    """The kernel's functions by name, or null where it was not built, or from another source than the one here."""
    return built_in(Path(__file__).parent)


def built_in(here: Path) -> Mapping[str, Any] | None:
    """The functions of the kernel in a folder; none where it was built from another source than lies beside it."""
    sources = sorted(here.glob("*.[ch]"))
    here_now = crc32(b"".join(source.read_bytes() for source in sources))
    for path in sorted(here.glob("_kernel*.so")):
        try:
            functions = load(path)
        except (OSError, AttributeError):
            continue
        # A function that takes other arguments than we give would bring the process down.
        if not sources or functions["source"]() == here_now:
            return functions
    return None


def load(path: Path) -> Mapping[str, Any]:
    """The functions of a kernel by name.

    Raises `OSError` where the file is none for this machine, `AttributeError` where it lacks a function.
    """
    loaded = ctypes.CDLL(str(path))
    functions = {}
    for name, (returns, takes) in _SIGNATURES.items():
        function = loaded[f"native_{name}"]
        function.restype, function.argtypes = returns, takes
        functions[name] = function
    return functions
