"""Find the parts of a package: each module in it that defines the agreed constant is one part.

Adding a part is adding a file; there is no list to edit.
"""

import importlib
import pkgutil
from typing import Any


def discover(package: str, constant: str) -> dict[str, Any]:
    """Return `{part.name: part}` over the modules of `package`, in module-name order.

    Raises `TypeError` where a module lacks the constant and `ValueError` where two parts share a name,
    because both are mistakes of whoever added the file.
    """
    parts: dict[str, Any] = {}
    for module_info in sorted(pkgutil.iter_modules(importlib.import_module(package).__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{package}.{module_info.name}")
        part = getattr(module, constant, None)
        if part is None:
            raise TypeError(f"{module.__name__} defines no {constant}")
        if part.name in parts:
            raise ValueError(f"two parts of {package} are named {part.name!r}")
        parts[part.name] = part
    return parts
