"""Originals with more than 8 bits per channel, for textures with more than 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..documents.photos_json import PhotoEntry
from ..errors import UserError
from ..events import Progress
from ..photos.deep_pixels import ValueRange
from ..photos.original_pixels import read_original
from ..photos.panorama_views import cut
from .texture_views import TextureView


def with_originals(
    views: list[TextureView], entries: list[PhotoEntry], progress: Progress
) -> tuple[list[TextureView], float]:
    """The views, with the originals of those that have more than 8 bits; and the light of white in their files, 1 if
    their values are not light. Says which originals are no longer there."""
    known = {entry.name: entry for entry in entries if entry.black is not None and entry.white is not None}
    as_taken, gone, whites = [], [], []
    for view in views:
        entry = known.get(view.name)
        if entry is not None and not Path(entry.source).is_file():
            gone.append(entry.source)
        elif entry is not None:
            view = replace(view, original=_reader(entry))
            if entry.light:
                whites.append(float(entry.white or 1))
        as_taken.append(view)
    if gone:
        progress.warning(
            f"{len(gone)} originals are no longer there ({gone[0]}): the texture takes their colors from copies with 8 "
            "bits."
        )
    elif not known:
        progress.info(
            "No photo has more than 8 bits per channel; the texture is computed more finely all the same."
        )
    return as_taken, float(np.median(whites)) if whites else 1.0


def _reader(entry: PhotoEntry) -> Callable[[], np.ndarray]:
    return partial(
        _read, Path(entry.source), ValueRange(entry.black or 0.0, entry.white or 1.0, entry.light), entry.side
    )


def _read(source: Path, span: ValueRange, side: str) -> np.ndarray:
    """float32 RGB [height, width, 3], 255 for white."""
    try:
        pixels = read_original(source, span) * np.float32(255)
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(
            f"{source} cannot be read ({error}): put the original back, or choose an 8-bit texture."
        ) from error
    return cut(pixels, side) if side else pixels
