"""Writes masks/NAME.png for the photos of a workspace, and masks.json, which says where they come from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..documents.document_files import write_document
from ..documents.masks_json import MaskEntry, MaskOrigin, MasksDocument
from ..files.atomic_files import atomic_file
from ..files.pictures import read_picture
from ..photos.photo_quality import PhotoInfo
from ..workspace import Workspace
from .earlier_masks import EarlierMask
from .mask_pixels import enlarged, small_picture, write_mask


class MaskWriter:
    """photos: those that may get a mask, by their names in the workspace, in the order taken."""

    def __init__(
        self,
        workspace: Workspace,
        photos: dict[str, PhotoInfo],
        earlier: dict[str, EarlierMask] | None = None,
    ) -> None:
        self.photos = photos
        self._workspace = workspace
        self._earlier = earlier or {}
        self._entries: dict[str, MaskEntry] = {}

    @property
    def unmasked(self) -> list[str]:
        """The names of the photos that have no mask yet."""
        return [name for name in self.photos if name not in self._entries]

    def is_painted(self, name: str) -> bool:
        return name in self._entries and self._entries[name].origin == MaskOrigin.PAINTED

    @property
    def count(self) -> int:
        return len(self._entries)

    def picture(self, name: str, size: int) -> np.ndarray:
        """A small copy of a photo, uint8 BGR."""
        photo = self.photos[name]
        return small_picture(self._workspace.images / name, size, (photo.width, photo.height))

    def put(self, name: str, mask: np.ndarray, origin: MaskOrigin) -> None:
        """Write a photo's mask, bool [H, W], of any size with the photo's aspect ratio; the earlier one if it has the
        same origin."""
        before = self._earlier.get(name)
        if before and before.entry.origin == origin:
            self._put_back(name, before)
            return
        photo = self.photos[name]
        if mask.shape != (photo.height, photo.width):
            mask = enlarged(mask, (photo.width, photo.height))
        write_mask(self._path(name), mask)
        self._entries[name] = MaskEntry(origin=origin, kept=round(float(mask.mean()), 4))

    def put_back(self) -> None:
        """Write the earlier masks of photos that have none now."""
        for name in self.unmasked:
            if before := self._earlier.get(name):
                self._put_back(name, before)

    def _put_back(self, name: str, before: EarlierMask) -> None:
        with atomic_file(self._path(name)) as part:
            part.write_bytes(before.path.read_bytes())
        self._entries[name] = before.entry

    def hide(self, name: str, hidden: np.ndarray, origin: MaskOrigin) -> None:
        """Leave these pixels out of a photo's mask, or, if it has none, give it one. hidden: as in `put`."""
        photo = self.photos[name]
        mask = ~enlarged(hidden, (photo.width, photo.height))
        if name in self._entries:
            mask &= read_picture(self._path(name), cv2.IMREAD_GRAYSCALE) > 0
            origin = self._entries[name].origin
        self.put(name, mask, origin)

    def finish(self, asked: str, own: dict[str, str]) -> None:
        """Write masks.json, unless there is nothing to say. asked: the setting `masks`; own: of the masks that were
        read (`own_masks.identity`)."""
        if self._entries or own:
            entries = {name: self._entries[name] for name in self.photos if name in self._entries}
            write_document(self._workspace.masks_json, MasksDocument(masks=entries, asked=asked, own=own))

    def _path(self, name: str) -> Path:
        return self._workspace.masks / f"{name}.png"
