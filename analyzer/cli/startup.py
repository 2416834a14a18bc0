"""Keep a start short: pyarrow looks for pandas once, and what it does not find it does not import."""

import sys
from importlib.machinery import ModuleSpec


class _Refusal:
    """Answers every search for pandas as if it were not installed (importlib's finder protocol)."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def keep_pandas_out() -> None:
    """Let pyarrow conclude that there is no pandas, when it is first imported by a command.

    `pa.array(list)` asks once a process whether its argument is a pandas object and imports pandas to find out
    (apache/arrow python/pyarrow/pandas-shim.pxi): 0.2 s for a program that hands it none.
    """
    sys.meta_path.insert(0, _Refusal())
