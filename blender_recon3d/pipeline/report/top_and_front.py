"""Cameras and cloud from above and from the front, in Blender's world (placement.json: z is up).

The cloud is a picture rendered with numpy; the cameras are SVG on top, so that they stay sharp and have tooltips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from ..documents.report_json import ReportDocument, ReportedState
from ..files.ply import columns, read_vertices
from ..placing.placement_file import read_placement
from ..wording import run_stage
from ..workspace import Workspace
from .markup import data_url, tag
from .match_pictures import encode_jpeg

WIDTH = 1100  # pixels of a map
MIN_HEIGHT, MAX_HEIGHT = 420, 900
MAX_POINTS = 1_500_000
BACKGROUND = (20, 23, 28)
REACH = 1.0
MARGIN = 0.06  # of the extent, on every side
MIN_FINE_POINTS = 600_000  # fewer are drawn as 2 x 2 pixels


@dataclass(frozen=True)
class Scene:
    """What is drawn, in the world frame: points [N, 3] with colors uint8 [N, 3], and the cameras."""

    points: np.ndarray
    colors: np.ndarray
    names: list[str]
    centers: np.ndarray  # [M, 3]
    corners: np.ndarray  # [M, 4, 3]: of the photos, at unit distance from the center along the view
    what: str


def maps(workspace: Workspace, facts: ReportDocument) -> list[tuple[str, Markup]]:
    """Titles and inline SVGs; empty if no cameras are registered."""
    done = {stage.name for stage in facts.stages if stage.state == ReportedState.DONE}
    if "sfm" not in done:
        return []
    scene = _read_scene(workspace, dense="dense" in done)
    return [
        (f"From above: {len(scene.names)} cameras and {scene.what}", _map(scene, (0, 1), 2)),
        ("From the front", _map(scene, (0, 2), 1, nearest_is_low=True)),
    ]


def _read_scene(workspace: Workspace, dense: bool) -> Scene:
    from ..colmap.model_files import read_model

    transform = read_placement(workspace.placement, run_stage("sfm"))
    model = read_model(workspace.model)
    images = [model.image(image_id) for image_id in sorted(model.reg_image_ids())]
    corners = []
    for image in images:
        camera = model.cameras[image.camera_id]
        focal = camera.mean_focal_length()
        x, y = camera.width / focal / 2, camera.height / focal / 2
        rays = np.array([[-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]])
        corners.append(image.projection_center() + rays @ image.cam_from_world().rotation.matrix())
    centers = np.array([image.projection_center() for image in images])
    points, colors, what = _cloud(workspace, model, dense)
    return Scene(
        _moved(points, transform),
        colors,
        [image.name for image in images],
        _moved(centers, transform),
        _moved(np.array(corners).reshape(-1, 3), transform).reshape(-1, 4, 3),
        what,
    )


def _cloud(workspace: Workspace, model: Any, dense: bool) -> tuple[np.ndarray, np.ndarray, str]:
    """Points [N, 3] in the model's frame, colors uint8 [N, 3] and a label; of the dense cloud if there is one."""
    if dense and workspace.fusion.exists():
        vertices = read_vertices(workspace.fusion)
        sample = vertices[:: max(1, -(-len(vertices) // MAX_POINTS))]
        points, colors = columns(sample, "x", "y", "z"), columns(sample, "red", "green", "blue")
        if points is not None and colors is not None and len(points):
            return points, colors.astype(np.uint8), f"{len(vertices):,} dense points"
    sparse = list(model.points3D.values())
    points = np.array([point.xyz for point in sparse]).reshape(-1, 3)
    colors = np.array([point.color for point in sparse], np.uint8).reshape(-1, 3)
    return points, colors, f"{len(sparse):,} points"


def _moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return points @ transform[:3, :3].T + transform[:3, 3]


def _map(scene: Scene, axes: tuple[int, int], depth: int, nearest_is_low: bool = False) -> Markup:
    """One view along the axis `depth`; `axes` are to the right and up."""
    frustum = _frustum_size(scene)
    tips = scene.centers[:, None] + frustum * (scene.corners - scene.centers[:, None])
    low, high = _extent(scene.points, np.concatenate([scene.centers, tips.reshape(-1, 3)]), list(axes))
    scale = WIDTH / (high[0] - low[0])
    height = int(np.clip(scale * (high[1] - low[1]), MIN_HEIGHT, MAX_HEIGHT))
    scale = min(scale, height / (high[1] - low[1]))
    middle = (low + high) / 2

    def pixels(points: np.ndarray) -> np.ndarray:
        flat = (points[..., list(axes)] - middle) * [scale, -scale]
        return flat + np.array([WIDTH / 2, height / 2])

    order = np.argsort(scene.points[:, depth] * (-1 if nearest_is_low else 1), kind="stable")
    picture = _splat(pixels(scene.points[order]), scene.colors[order], height)
    places, ends = pixels(scene.centers), pixels(tips)
    return tag(
        "svg",
        tag("image", href=data_url("jpeg", encode_jpeg(picture)), width=WIDTH, height=height),
        tag("g", *(_camera(*item) for item in zip(scene.names, places, ends, strict=True)), class_="cameras"),
        _scale_bar(scale, height),
        viewBox=f"0 0 {WIDTH} {height}",
        class_="map",
        role="img",
        aria_label=f"{len(scene.names)} cameras and {scene.what}",
    )


def _frustum_size(scene: Scene) -> float:
    """Drawn length of a camera: a small part of the scene, smaller if cameras are close together."""
    spread = float(np.linalg.norm(np.ptp(scene.centers, axis=0))) if len(scene.centers) > 1 else 0.0
    if len(scene.points):
        spread = max(
            spread, float(np.linalg.norm(np.ptp(np.percentile(scene.points, [10, 90], axis=0), axis=0)))
        )
    spread = spread or 1.0
    if len(scene.centers) < 2:
        return 0.05 * spread
    some = scene.centers[:: max(1, len(scene.centers) // 200)]
    gaps = np.linalg.norm(some[:, None] - scene.centers[None], axis=2)
    gaps[gaps == 0] = np.inf
    return float(np.clip(0.6 * np.median(gaps.min(axis=1)), 0.012 * spread, 0.05 * spread))


def _extent(points: np.ndarray, cameras: np.ndarray, axes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of the map: all cameras and the bulk of the points, with a margin.

    Points far behind the subject are left out if they would make it tiny: the map ends at REACH times the extent of the
    cameras, or the distance of a near point (the 25th percentile), from the cameras.
    """
    low, high = cameras[:, axes].min(axis=0), cameras[:, axes].max(axis=0)
    if len(points):
        middle = cameras.mean(axis=0)
        spread = float(np.sqrt(((cameras - middle) ** 2).sum(axis=1).mean()))
        away = float(np.percentile(np.linalg.norm(points - middle, axis=1), 25))
        reach = REACH * max(spread, away)
        bulk = np.percentile(points[:, axes], [3, 97], axis=0)
        low, high = (
            np.minimum(low, np.maximum(bulk[0], low - reach)),
            np.maximum(high, np.minimum(bulk[1], high + reach)),
        )
    size = max(float((high - low).max()), 1e-9)
    margin = MARGIN * size
    return low - margin, np.maximum(high, low + 1e-3 * size) + margin


def _splat(places: np.ndarray, colors: np.ndarray, height: int) -> np.ndarray:
    """An image [height, WIDTH, 3] with a dot for each position [N, 2]; later ones are on top."""
    picture = np.full((height, WIDTH, 3), BACKGROUND, np.uint8)
    whole = np.floor(np.nan_to_num(np.clip(places, -10, WIDTH + 10), nan=-10)).astype(int)
    # Shadows are lifted: nearly black points would be invisible on the background.
    colors = (40 + 0.843 * colors).astype(np.uint8)
    offsets = [(0, 0), (1, 0), (0, 1), (1, 1)] if len(places) < MIN_FINE_POINTS else [(0, 0)]
    for dx, dy in offsets:
        x, y = whole[:, 0] + dx, whole[:, 1] + dy
        inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < height)
        picture[y[inside], x[inside]] = colors[inside]
    return picture


def _camera(name: str, place: np.ndarray, ends: np.ndarray) -> Markup:
    """A pyramid from the camera's center to the photo's four corners."""
    tip = f"{place[0]:.1f} {place[1]:.1f}"
    corners = [f"{x:.1f} {y:.1f}" for x, y in ends]
    sides = "".join(f"M{tip}L{corner}" for corner in corners)
    frame = "M" + "L".join(corners) + "Z"
    return tag("path", tag("title", name), d=frame + sides)


def _scale_bar(scale: float, height: int) -> Markup:
    """A bar of 1, 2 or 5 times a power of ten, about a sixth of the map's width."""
    length = 10 ** np.floor(np.log10(WIDTH / 6 / scale))
    length *= max(step for step in (1, 2, 5) if step * length * scale <= WIDTH / 6)
    end, y = 24 + length * scale, height - 24
    unit = "unit" if length == 1 else "units"
    return tag(
        "g",
        tag("path", d=f"M24 {y - 5}V{y}H{end:.1f}V{y - 5}"),
        tag("text", f"{length:g} {unit}", x=30, y=y - 9),
        class_="scale",
    )
