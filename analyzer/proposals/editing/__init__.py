"""Edit manifests where they stand, and say so as a patch."""

from analyzer.proposals.editing.changes import Change, Listed, Narrowed, Switched
from analyzer.proposals.editing.edits import Edit, decoded, edit, encoded
from analyzer.proposals.editing.patch import Differ
from analyzer.proposals.editing.splices import Splice, spliced

__all__ = [
    "Change",
    "Differ",
    "Edit",
    "Listed",
    "Narrowed",
    "Splice",
    "Switched",
    "decoded",
    "edit",
    "encoded",
    "spliced",
]
