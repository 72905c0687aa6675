"""The results of `recon3d evaluate` as a table for people."""

from __future__ import annotations

from typing import Any

from ..stage import STAGES
from ..text import printable

SHARES = (0.002, 0.005)  # of the object's size: the distances of the F-scores

Row = tuple[str, ...]


def evaluation_table(result: dict[str, Any]) -> str:
    """Aligned columns; lengths in millimeters if the truth is in meters."""
    cameras = result["cameras"]
    meters = result["units"] in ("m", "metres", "meters")
    factor, unit = (1000.0, "mm") if meters else (1.0, result["units"])
    rows = [*_model_rows(result), ("", "mean", "median", "max")]
    rows.append((f"camera centers, {unit}", *_cells(cameras["centre"], factor)))
    rows.append(("camera rotations, degrees", *_cells(cameras["rotation_degrees"])))
    for what in ("cloud", "mesh"):
        if result[what] is None:
            continue
        for key, alignment in (
            ("aligned_by_cameras", "aligned by cameras"),
            ("aligned_by_icp", "aligned by ICP"),
        ):
            rows += [("",), *_shape_rows(result[what][key], f"{what}, {alignment}", factor, unit)]
    rows += [("",), *_stage_rows(result["stages"])]
    notes = []
    if cameras["outliers"]:
        notes.append(f"Not used for the alignment (outliers): {', '.join(cameras['outliers'])}.")
    if cameras["turned_as_exif_says"]:
        notes.append(
            "The truth refers to the photos before their EXIF rotation; rotations are compared accordingly."
        )
    first = max(len(row[0]) for row in rows)
    lines = ["".join([row[0].ljust(first), *(f"  {cell:>10}" for cell in row[1:])]).rstrip() for row in rows]
    return "\n".join(printable(line) for line in (*lines, *notes)) + "\n"


def _model_rows(result: dict[str, Any]) -> list[Row]:
    photos = result["photos"]
    rows: list[Row] = [
        (
            "photos registered",
            f"{photos['registered_with_truth']} of {photos['with_truth']} with a true camera",
        )
    ]
    model = result["stages"].get("sfm", {}).get("summary", {})
    dense = result["stages"].get("dense", {}).get("summary", {})
    if "points" in model:
        rows.append(("sparse points", f"{model['points']:,}"))
        rows.append(("reprojection error, px", f"{model['error']:.3f}"))
    if "points" in dense:
        rows.append(("dense points", f"{dense['points']:,}"))
    if result["mesh"] is not None:
        rows.append(("faces of the mesh", f"{result['mesh']['faces']:,}"))
    return rows


def _shape_rows(part: dict[str, Any], title: str, factor: float, unit: str) -> list[Row]:
    rows: list[Row] = [(title, f"{part['points']:,} points in the region of interest")]
    for name in ("accuracy", "completeness"):
        rows.append((f"{name}, {unit} (mean, median)", *_cells(part[name], factor)))
    rows.append(("", "precision", "recall", "F-score"))
    for share, score in zip(SHARES, part["scores"], strict=True):
        values = [f"{100 * score[key]:.1f} %" for key in ("precision", "recall", "f_score")]
        distance = _number(factor * score["distance"])
        rows.append((f"at {100 * share:g} % of the size ({distance} {unit})", *values))
    return rows


def _stage_rows(stages: dict[str, Any]) -> list[Row]:
    """Seconds and peak memory of each finished stage, and of all of them."""
    done = [(name, stages[name]) for name in STAGES if stages.get(name, {}).get("state") == "done"]
    rows: list[Row] = [("stage", "seconds", "peak MB")]
    rows += [(name, f"{entry['seconds']:.1f}", f"{entry['peak_memory_mb']:,}") for name, entry in done]
    seconds = sum(entry["seconds"] for _, entry in done)
    peak = max((entry["peak_memory_mb"] for _, entry in done), default=0)
    return [*rows, ("all", f"{seconds:.1f}", f"{peak:,}")]


def _cells(values: dict[str, float | None], factor: float = 1.0) -> list[str]:
    return ["-" if value is None else _number(factor * value) for value in values.values()]


def _number(value: float) -> str:
    return f"{value:.4g}"
