"""Settings from a TOML file; what is wrong with it is said with its line and key."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analyzer.errors import TRY_READING, Place, SettingsError
from analyzer.settings import Settings

_HINT = "`egress-audit catalog` lists the settings and their defaults"
_HEADER = re.compile(r"\s*\[(?P<array>\[?)\s*(?P<name>[\w.-]+)\s*\]")
_KEY = re.compile(r"\s*(?P<name>[\w.-]+)\s*=")


def read_settings(path: str | Path | None) -> Settings:
    """Read settings from a TOML file, or the defaults where no file is given.

    Raises `SettingsError` with the file, the line, the key and what is wrong.
    """
    if path is None:
        return Settings()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        content: dict[str, Any] = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"cannot read the settings: {error.strerror}", Place(str(path)), TRY_READING) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"not UTF-8: {error.reason}", Place(str(path)), "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        problem, line, column = _place_in(str(error))
        where = Place(str(path), line, column)
        raise SettingsError(f"not TOML: {problem}", where, "mend the syntax there; strings stand in quotes") from error
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = (
            "no such setting" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        )
        raise SettingsError(f"{key}: {problem}", Place(str(path), _line_of(text, first["loc"])), _HINT) from error


def _place_in(message: str) -> tuple[str, int | None, int | None]:
    """The parser says the place at the end of its message, and has no other way to say it before Python 3.14."""
    found = re.fullmatch(r"(?P<problem>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", message, re.DOTALL)
    return (found["problem"], int(found["line"]), int(found["column"])) if found else (message, None, None)


def _line_of(text: str, location: Sequence[str | int]) -> int | None:
    """The line of a key, or of the table it belongs to; the parser forgets where keys stood."""
    table: tuple[str | int, ...] = ()
    seen: Counter[str] = Counter()
    line, length = None, 0
    for number, content in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(content):
            name = header["name"]
            table = (name, seen[name]) if header["array"] else tuple(name.split("."))
            seen[name] += 1
            here = table
        elif key := _KEY.match(content):
            here = (*table, *key["name"].split("."))
        else:
            continue
        if len(here) > length and tuple(location[: len(here)]) == here:
            line, length = number, len(here)
    return line
