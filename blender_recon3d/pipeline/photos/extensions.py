"""Which files count as photos, masks and films, by the ending of their name. Standard library only."""

from __future__ import annotations

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif"})
VIDEO_EXTENSIONS = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".mpg", ".mpeg"})
MASK_EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
