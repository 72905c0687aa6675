"""Ground truth in published formats: cameras, and a surface if there is one.

Reads a folder of Strecha's NAME.camera files, Bundler's bundle.out with its list of photos, or a COLMAP model (text
or binary), each optionally with `surface.ply` and `truth.json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..files import json_values
from ..files.ply import columns, read_vertices
from ..files.regular import read_regular
from ..text import printable

FLIP = np.diag([1.0, -1.0, -1.0])  # Bundler's cameras look along -z with y up


@dataclass
class Truth:
    """Cameras by photo name: rotations from world to camera [3, 3] (x right, y down, z forward) and centers [3]."""

    kind: str
    rotations: dict[str, np.ndarray]
    centers: dict[str, np.ndarray]
    units: str = "units"
    surface: np.ndarray | None = None  # [N, 3]
    normals: np.ndarray | None = None  # [N, 3]
    size: float | None = None  # of the object, in the truth's units
    center: np.ndarray | None = None  # of the ball of interest
    radius: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # truth.json as it is


def read_truth(folder: Path) -> Truth:
    """The truth in `folder`. UserError if there is none or one of its files is damaged."""
    if not folder.is_dir():
        raise UserError(f"The ground truth folder {folder} does not exist: check --truth.", 2)
    truth = _read_cameras(folder)
    _read_facts(folder / "truth.json", truth)
    surface = folder / "surface.ply"
    if surface.exists():
        vertices = read_vertices(surface)
        truth.surface = columns(vertices, "x", "y", "z")
        if truth.surface is None or len(truth.surface) < 10:
            raise UserError(f"{surface} holds no surface: it needs vertices with x, y and z.", 2)
        truth.normals = columns(vertices, "nx", "ny", "nz")
        if truth.size is None:
            truth.size = float(np.linalg.norm(np.ptp(truth.surface, axis=0)))
    return truth


def _read_cameras(folder: Path) -> Truth:
    strecha = sorted(folder.glob("*.camera"))
    if strecha:
        return _strecha(strecha)
    for name in ("bundler.out", "bundle.out"):
        if (folder / name).exists():
            return _bundler(folder / name, folder / "list.txt")
    for model in (folder, folder / "sparse" / "0", folder / "sparse", folder / "0"):
        if (model / "images.bin").exists() or (model / "images.txt").exists():
            return _colmap(model)
    raise UserError(
        f"{folder} holds no cameras: it needs NAME.camera files (Strecha), bundler.out and list.txt, or "
        "COLMAP's cameras and images as .txt or .bin.",
        2,
    )


def _strecha(paths: list[Path]) -> Truth:
    """K (3 lines), a line of zeros, R camera to world (3 lines), the center in meters, width and height."""
    truth = Truth("Strecha", {}, {}, units="m")
    for path in paths:
        numbers = _numbers(path)
        if len(numbers) < 24:
            raise UserError(f"{path} is not a camera file: it has {len(numbers)} numbers, not 26.", 2)
        name = path.name.removesuffix(".camera")
        truth.rotations[name] = numbers[12:21].reshape(3, 3).T
        truth.centers[name] = numbers[21:24]
    return truth


def _bundler(path: Path, names_path: Path) -> Truth:
    """Snavely's "Bundler v0.4 User's Manual": a line of counts, then 5 lines a camera; f = 0 is not a camera."""
    names = [line.split()[0] for line in _text(names_path).splitlines() if line.strip()]
    if names and names[0].isdigit() and len(names) == int(names[0]) + 1:
        names = names[1:]  # some lists begin with their length
    numbers = _numbers(path)
    count = int(numbers[0]) if len(numbers) else 0
    if count < 1 or len(numbers) < 2 + 15 * count or len(names) < count:
        raise UserError(
            f"{path} and {names_path.name} do not match: {count} cameras, {len(numbers)} numbers and "
            f"{len(names)} names.",
            2,
        )
    truth = Truth("Bundler", {}, {})
    for name, block in zip(names, numbers[2 : 2 + 15 * count].reshape(count, 15), strict=False):
        rotation, translation = block[3:12].reshape(3, 3), block[12:15]
        if block[0] > 0:
            truth.rotations[name] = FLIP @ rotation
            truth.centers[name] = -rotation.T @ translation
    return truth


def _colmap(folder: Path) -> Truth:
    from ..colmap.model_files import read_model

    try:
        model = read_model(folder)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"{folder} holds no readable COLMAP model: {' '.join(str(error).split())}", 2
        ) from error
    truth = Truth("COLMAP", {}, {})
    for image_id in model.reg_image_ids():
        image = model.image(image_id)
        truth.rotations[image.name] = image.cam_from_world().rotation.matrix()
        truth.centers[image.name] = image.projection_center()
    return truth


def _read_facts(path: Path, truth: Truth) -> None:
    if not path.exists():
        return
    try:
        facts = json_values.parse(_text(path))
        if not isinstance(facts, dict):
            raise ValueError("it does not contain an object")
        truth.units = printable(json_values.text(facts.get("units"), truth.units))[:20]
        truth.size = float(json_values.numbers(facts["size"])) if "size" in facts else None
        if "centre" in facts and "radius_of_interest" in facts:
            truth.center = json_values.numbers(facts["centre"], 3)
            truth.radius = float(json_values.numbers(facts["radius_of_interest"]))
        truth.facts = facts
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is not a ground truth description ({error}): check it.", 2) from error
    if truth.size is not None and not truth.size > 0:
        raise UserError(f"{path} gives the size {truth.size}: it must be greater than zero.", 2)


def _text(path: Path) -> str:
    try:
        return read_regular(path, json_values.MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({reason}): check --truth.", 2) from error


def _numbers(path: Path) -> np.ndarray:
    """All numbers of a text file except those in lines that begin with #."""
    words = " ".join(line for line in _text(path).splitlines() if not line.startswith("#")).split()
    try:
        numbers = np.array(words, np.float64)
    except ValueError as error:
        raise UserError(f"{path} is damaged: it contains something that is not a number.", 2) from error
    if not np.isfinite(numbers).all():
        raise UserError(f"{path} is damaged: not all of its numbers are finite.", 2)
    return numbers
