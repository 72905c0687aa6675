"""COLMAP's camera models in the terms of the other programs: Brown's polynomial, or a fisheye's."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UserError
from ..camera_alignment import Lens

MAX_SHIFT = 0.5  # max shift in pixels of a photo's corner for formats with one focal length, or no center
_BROWN = {
    "SIMPLE_PINHOLE": "f cx cy", "PINHOLE": "fx fy cx cy", "SIMPLE_RADIAL": "f cx cy k1", "RADIAL": "f cx cy k1 k2",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2", "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
}  # fmt: skip
_FISHEYE = {
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4", "SIMPLE_RADIAL_FISHEYE": "f cx cy k1",
    "RADIAL_FISHEYE": "f cx cy k1 k2",
}  # fmt: skip


@dataclass(frozen=True)
class LensTerms:
    """Pixels and OpenCV's terms; radial: k1 to k4 of a fisheye, else k1 to k3."""

    fisheye: bool
    fx: float
    fy: float
    cx: float
    cy: float
    radial: tuple[float, float, float, float]
    p1: float = 0.0
    p2: float = 0.0


def terms_of(lens: Lens, program: str) -> LensTerms:
    """The terms of a lens. UserError if the program has no such lens."""
    names = _BROWN.get(lens.model) or _FISHEYE.get(lens.model)
    if names is None:
        raise _cannot(lens, program)
    values = dict(zip(names.split(), lens.params, strict=True))
    fisheye = lens.model in _FISHEYE
    if not fisheye and any(values.get(name) for name in ("k4", "k5", "k6")):
        raise _cannot(lens, program)
    f = values.get("f", 0.0)
    k1, k2, k3, k4 = (values.get(name, 0.0) for name in ("k1", "k2", "k3", "k4"))
    return LensTerms(
        fisheye, values.get("fx", f), values.get("fy", f), values["cx"], values["cy"], (k1, k2, k3, k4),
        values.get("p1", 0.0), values.get("p2", 0.0),
    )  # fmt: skip


def require_simple(lens: Lens, program: str, radial: int, centered: bool = False) -> LensTerms:
    """The terms of a lens with one focal length, `radial` radial terms and no tangential ones."""
    terms = terms_of(lens, program)
    middle = max(abs(terms.cx - lens.width / 2), abs(terms.cy - lens.height / 2)) < MAX_SHIFT
    square = abs(terms.fx - terms.fy) / terms.fx * max(lens.width, lens.height) / 2 < MAX_SHIFT
    if (
        terms.fisheye
        or terms.p1
        or terms.p2
        or any(terms.radial[radial:])
        or not square
        or (centered and not middle)
    ):
        raise _cannot(lens, program)
    return terms


def _cannot(lens: Lens, program: str) -> UserError:
    return UserError(
        f"{program} cannot represent the cameras' lens ({lens.model}): export the cameras of the undistorted "
        "photos, or choose another format.",
        2,
    )
