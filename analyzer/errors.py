"""What can go wrong in a way that a user can mend.

    AnalyzerError            what, where, what to try
    ├── UsageError           the words of the command do not fit together
    ├── SourceError          a source cannot be opened or read
    ├── SettingsError        a settings file says something it may not say
    ├── ManifestError        a mesh document cannot be read
    └── LakeError            the lake is not what it claims to be

A line that cannot be read is none of these: it is a row with a reason.
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Somewhere in a file; `line` and `column` count from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


class AnalyzerError(Exception):
    """What went wrong, where, and what to try next."""

    def __init__(self, problem: str, where: Place | None = None, hint: str | None = None) -> None:
        super().__init__(problem, where, hint)  # all state in args, so that it survives a worker process
        self.problem, self.where, self.hint = problem, where, hint

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem


class UsageError(AnalyzerError):
    """The words of the command do not fit together."""


class SourceError(AnalyzerError):
    """A source cannot be opened or read at all."""


class SettingsError(AnalyzerError):
    """A settings file says something it may not say."""


class ManifestError(AnalyzerError):
    """A mesh document cannot be read."""


class LakeError(AnalyzerError):
    """The lake is not what it claims to be."""


TRY_READING = "does it exist, and are you allowed to read it?"
TRY_WRITING = "is it a place for files, is there space, and are you allowed to write there?"


def because(error: OSError) -> str:
    """What the system says, without what a library wrapped round it."""
    return os.strerror(error.errno) if error.errno else str(error)
