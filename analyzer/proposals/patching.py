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
from analyzer.proposals.editing import Differ, Edit, Splice
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


class Part(NamedTuple):
    """The patch that makes an edit, among others of the same file, and what it says of that edit alone."""

    patch: str
    diff: str


def patched(written: Iterable[tuple[Proposal, Edit | None]]) -> tuple[list[Proposal], list[Patch]]:
    """Proposals with the patch that makes each and what it says of that one alone, and the patches, by file."""
    pairs = list(written)
    edits = (
        Edited(p.file, p.object.reference, p.reason, p.object.origin, made) for p, made in pairs if made is not None
    )
    patches, parts = patches_of(edits)
    proposals = [
        replace(proposal, **parts[proposal.file]._asdict()) if proposal.file in parts else proposal
        for proposal, _ in pairs
    ]
    return proposals, patches


def patches_of(edits: Iterable[Edited], folder: str = "patches") -> tuple[list[Patch], dict[str, Part]]:
    """One patch for each file that was edited, and by the manifest's name what part of which patch is its own."""
    by_file: dict[str, list[Edited]] = defaultdict(list)
    for edited in edits:
        by_file[edited.edit.file].append(edited)
    patches: list[Patch] = []
    parts: dict[str, Part] = {}
    for file, found in sorted(by_file.items()):
        found.sort(key=lambda edited: edited.file)
        where, path = _place(file)
        origin = found[0].origin
        differ = Differ(path, (origin.text or b"").decode("utf-8") if origin else "")
        name = _name(file, folder, {patch.file for patch in patches})
        patches.append(Patch(name, file, where, _text(name, where, found, differ)))
        parts |= {edited.file: Part(name, differ.unified(_splices([edited], differ))) for edited in found}
    return patches, parts


def _splices(edits: Iterable[Edited], differ: Differ) -> list[Splice]:
    """In the file's text with its byte order mark, which an edit does not see."""
    shift = int(differ.text.startswith("\ufeff"))
    return [Splice(s.start + shift, s.end + shift, s.text) for edited in edits for s in edited.edit.splices]


def _text(name: str, folder: str, edits: list[Edited], differ: Differ) -> str:
    where = "" if folder == "." else f" -d {shown(folder)}"
    lines = [
        "Proposed by egress-audit; every edit was replayed against the log.",
        f"Apply with: patch -p1{where} < {name}",
        *(f"{edited.reference}: {edited.reason}" for edited in edits),
    ]
    return "".join(f"{line}\n" for line in lines) + "\n" + differ.unified(_splices(edits, differ))


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
