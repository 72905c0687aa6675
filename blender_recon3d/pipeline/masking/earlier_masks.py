"""Masks that were found in all photos together stay as they are when photos are added or removed.

A still background or a watermark is found a little differently with every further photo. A photo whose mask changes
counts as another one, for which all is computed again; so photos that are unchanged keep their masks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..documents.document_files import read_document
from ..documents.masks_json import MaskEntry, MaskOrigin, MasksDocument
from ..earlier_work import photos_before
from ..errors import UserError
from ..files.regular import content_hash
from ..workspace import Workspace

FOUND_TOGETHER = (MaskOrigin.STILL, MaskOrigin.SCREEN, MaskOrigin.LAID_OVER)


@dataclass(frozen=True)
class EarlierMask:
    path: Path
    entry: MaskEntry


def earlier_masks(workspace: Workspace, asked: str, names: Iterable[str]) -> dict[str, EarlierMask]:
    """The earlier masks of photos that are unchanged, by their names now. asked: the setting `masks`."""
    before = Workspace(workspace.earlier)
    try:
        document = read_document(MasksDocument, before.masks_json, "")
    except UserError:
        return {}
    if document.asked != asked:
        return {}
    by_content = {}
    for name, content in photos_before(workspace).items():
        entry, path = document.masks.get(name), before.masks / f"{name}.png"
        if entry and entry.origin in FOUND_TOGETHER and path.is_file():
            by_content[content.partition(" ")[0]] = EarlierMask(path, entry)
    found = (
        {name: by_content.get(content_hash(workspace.images / name)) for name in names} if by_content else {}
    )
    return {name: mask for name, mask in found.items() if mask}
