"""Common parts of the table's sections: features found once, items measured once, tables in Markdown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import cv2
import numpy as np

from blender_recon3d.pipeline.models.frontend import Features

from .methods import Extractor, Method
from .records import Records, Values

Found = dict[str, dict[str, Values]]  # values by the method's label and the item
KEPT = 160  # photos whose features are kept in memory, some MB each


class Section(Protocol):
    """One section. name: for `--only`; settings: everything its results depend on, besides the method."""

    name: str
    settings: Values

    def items(self) -> list[str]:
        """The items to measure, ordered so that neighbors share photos."""

    def measure(self, method: Method, item: str) -> Values:
        """Numbers, JSON-ready."""

    def text(self, found: Found) -> str:
        """The section in Markdown."""


def run_section(
    section: Section, methods: Sequence[Method], records: Records, told: Callable[[str], None]
) -> Found:
    """Measure what `records` lacks; returns all results."""
    found: Found = {method.label: {} for method in methods}
    items = section.items()
    for number, item in enumerate(items, 1):
        for method in methods:
            values = records.get(section.name, method.identity, item, section.settings)
            if values is None:
                values = section.measure(method, item)
                records.put(section.name, method.identity, item, section.settings, values)
            found[method.label][item] = values
        told(f"{section.name} {number}/{len(items)}: {item}")
    return found


class FeatureCache:
    """The features of photos, found once for all methods that share an extractor."""

    def __init__(self, max_keypoints: int) -> None:
        self._max_keypoints = max_keypoints
        self._kept: OrderedDict[tuple[str, str], Features] = OrderedDict()

    def get(self, extractor: Extractor, name: str, read: Callable[[], np.ndarray]) -> Features:
        """name: of the photo; read: returns it, gray uint8 [H, W], if its features are not cached."""
        key = (extractor.identity, name)
        if key not in self._kept:
            self._kept[key] = extractor.extract(read(), self._max_keypoints)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def reduced(photo: np.ndarray, longest: int) -> tuple[np.ndarray, tuple[float, float]]:
    """A photo with a longest side of at most `longest` pixels, and reduced / original size in x and y."""
    height, width = photo.shape[:2]
    shrink = min(1.0, longest / max(height, width))
    size = (round(width * shrink), round(height * shrink))
    if size != (width, height):
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return photo, (size[0] / width, size[1] / height)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, followed by an empty line."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n"


def mean(values: Iterable[float | None]) -> float:
    """Mean of the values that are not None; NaN if there are none."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else float("nan")


def share(value: float) -> str:
    """A share with three decimals; empty if undefined."""
    return "" if np.isnan(value) else f"{value:.3f}"
