"""Edits gathered by file: one patch for each, so that they apply in any order."""

import hashlib
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from analyzer.detection.texts import shown
from analyzer.proposals.editing import Edit, Splice, unified
from analyzer.proposals.proposal import Patch, Proposal

_ODD = re.compile(r"[^a-z0-9._]+")
_LONGEST = 100
_DIGEST = 10


def patched(written: Iterable[tuple[Proposal, Edit | None]]) -> tuple[list[Proposal], list[Patch]]:
    """Proposals with the patch that makes each, and the patches, by file."""
    by_file: dict[str, list[tuple[Proposal, Edit]]] = defaultdict(list)
    proposals: list[Proposal] = []
    for proposal, made in written:
        if made is None:
            proposals.append(proposal)
        else:
            by_file[made.file].append((proposal, made))
    patches: list[Patch] = []
    for file, edits in sorted(by_file.items()):
        edits.sort(key=lambda pair: pair[0].file)
        patch = _patch(file, edits, {patch.file for patch in patches})
        patches.append(patch)
        proposals += [replace(proposal, patch=patch.file) for proposal, _ in edits]
    return proposals, patches


def _patch(file: str, edits: list[tuple[Proposal, Edit]], taken: set[str]) -> Patch:
    origin = edits[0][0].service_entry.origin
    text = (origin.text or b"").decode("utf-8") if origin else ""
    shift = int(text.startswith("\ufeff"))
    splices = [Splice(s.start + shift, s.end + shift, s.text) for _, made in edits for s in made.splices]
    folder, path = _place(file)
    name = _name(file, taken)
    where = "" if folder == "." else f" -d {shown(folder)}"
    lines = [
        "Proposed by egress-audit; every edit was replayed against the log.",
        f"Apply with: patch -p1{where} < {name}",
        *(f"{proposal.service_entry.reference}: {proposal.reason}" for proposal, _ in edits),
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


def _name(file: str, taken: set[str]) -> str:
    slug = _ODD.sub("-", file.lower()).strip("-.")
    plain = f"patches/{slug}.patch"
    if slug and len(slug) <= _LONGEST and plain not in taken:
        return plain
    digest = hashlib.sha256(file.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST]
    return f"patches/{slug[-_LONGEST // 2 :].strip('-.')}-{digest}.patch"
