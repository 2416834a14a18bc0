"""Edits gathered by file: one patch for each, so that they apply in any order."""

import hashlib
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from analyzer.detection.texts import shown
from analyzer.mesh.model import Origin
from analyzer.proposals.editing import Edit, Splice, unified
from analyzer.proposals.proposal import Patch, Proposal

_ODD = re.compile(r"[^a-z0-9._]+")
_LONGEST = 100
_DIGEST = 10


class Edited(NamedTuple):
    """An edit, whose it is, and why it is made; `file` is that of the manifest that says the same."""

    file: str
    reference: str
    reason: str
    origin: Origin | None
    edit: Edit


def patched(written: Iterable[tuple[Proposal, Edit | None]]) -> tuple[list[Proposal], list[Patch]]:
    """Proposals with the patch that makes each, and the patches, by file."""
    pairs = list(written)
    edits = (
        Edited(p.file, p.object.reference, p.reason, p.object.origin, made) for p, made in pairs if made is not None
    )
    patches, names = patches_of(edits)
    return [replace(proposal, patch=names.get(proposal.file)) for proposal, _ in pairs], patches


def patches_of(edits: Iterable[Edited], folder: str = "patches") -> tuple[list[Patch], dict[str, str]]:
    """One patch for each file that was edited, and the patch's name by the manifest's."""
    by_file: dict[str, list[Edited]] = defaultdict(list)
    for edited in edits:
        by_file[edited.edit.file].append(edited)
    patches: list[Patch] = []
    names: dict[str, str] = {}
    for file, found in sorted(by_file.items()):
        found.sort(key=lambda edited: edited.file)
        patch = _patch(file, found, folder, {patch.file for patch in patches})
        patches.append(patch)
        names.update((edited.file, patch.file) for edited in found)
    return patches, names


def _patch(file: str, edits: list[Edited], to: str, taken: set[str]) -> Patch:
    origin = edits[0].origin
    text = (origin.text or b"").decode("utf-8") if origin else ""
    shift = int(text.startswith("\ufeff"))
    splices = [Splice(s.start + shift, s.end + shift, s.text) for edited in edits for s in edited.edit.splices]
    folder, path = _place(file)
    name = _name(file, to, taken)
    where = "" if folder == "." else f" -d {shown(folder)}"
    lines = [
        "Proposed by egress-audit; every edit was replayed against the log.",
        f"Apply with: patch -p1{where} < {name}",
        *(f"{edited.reference}: {edited.reason}" for edited in edits),
    ]
    return Patch(name, file, folder, "".join(f"{line}\n" for line in lines) + "\n" + unified(path, text, splices))


def _place(file: str) -> tuple[str, str]:
    """The folder in which a patch applies, and the file's name there: neither git nor patch takes `..` or a `/`."""
    path = posixpath.normpath(file)
    if path.startswith("/"):
        return posixpath.dirname(path), posixpath.basename(path)
    ups = re.match(r"(\.\./)*", path)
    folder = ups[0].rstrip("/") if ups else ""
    return folder or ".", path[len(ups[0]) :] if ups else path


def _name(file: str, folder: str, taken: set[str]) -> str:
    slug = _ODD.sub("-", file.lower()).strip("-.")
    plain = f"{folder}/{slug}.patch"
    if slug and len(slug) <= _LONGEST and plain not in taken:
        return plain
    digest = hashlib.sha256(file.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST]
    return f"{folder}/{slug[-_LONGEST // 2 :].strip('-.')}-{digest}.patch"
