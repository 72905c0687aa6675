"""The `dense` stage: undistorted photos, depth and normal maps, and the fused cloud, in dense/."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.model_files import read_model
from ..earlier_work import same_photos
from ..errors import FileFormatError, UserError
from ..events import Progress
from ..files.atomic_files import atomic_file, atomic_folder, remove
from ..photos.image_files import open_photo, read_gray
from ..photos.photo_entries import in_threads
from ..results import damaged, describe_all
from ..stage_settings import DenseSettings
from ..wording import Sentence, leave_out
from ..workspace import Workspace
from .depth_maps import is_whole_map
from .fusion import fuse


def dense_cloud(workspace: Workspace, settings: DenseSettings, progress: Progress) -> dict[str, Any]:
    prepare(workspace, settings, progress)
    how = method(settings)
    names, alone = (_colmap if how == "colmap" else _torch)(workspace, settings, progress)
    for name in alone:
        progress.warning(
            f"{name} is skipped for depth: it shares too few points with other photos.", photo=name
        )
    if not names:
        raise UserError(
            "No photo has a neighbor to compare with: take photos closer together, with two thirds overlap.",
            remedy="photos",
        )
    min_views = min(settings.min_views, len(names))
    vertices = fuse(workspace.dense, names, min_views, settings.point_spacing, settings.memory, progress)
    views = float(vertices["views"].mean())
    message = f"{len(vertices)} points from {len(names)} photos, {views:.1f} views per point ({how})"
    return {"message": message, "points": len(vertices), "photos": len(names), "method": how}


def prepare(workspace: Workspace, settings: DenseSettings, progress: Progress) -> None:
    """The undistorted photos, and the depth maps that are still right; nothing that is there already."""
    if workspace.dense.exists() and (why := _torn(workspace, progress)):
        progress.warning(f"{why}: the photos are undistorted again.")
        remove(workspace.dense)
    if not workspace.dense.exists():
        with atomic_folder(workspace.dense) as part:
            undistort(workspace, settings, part, progress)
            check_undistorted(part, progress)
        record = workspace.read_state().stage("dense")
        workspace.write_stage("dense", record, files=describe_all(workspace, _undistorted(workspace)))
    _remove_torn_maps(workspace.dense, progress)
    names = same_photos(workspace, "dense")
    if names and method(settings) == "torch":
        from .depth_views import load_scene
        from .kept_maps import keep_maps

        before, scene = Workspace(workspace.earlier).dense, load_scene(workspace.dense, settings.views)
        keep_maps(before, workspace.dense, scene, settings.views, names, progress)


def _undistorted(workspace: Workspace) -> list[Path]:
    return [path for name in ("images", "sparse", "masks") if (path := workspace.dense / name).exists()]


def _torn(workspace: Workspace, progress: Progress) -> str:
    """The damage to the undistorted photos of an earlier run; empty if there is none."""
    if workspace.read_files("dense"):
        damage = damaged(
            workspace, "dense", [workspace.dense / name for name in ("images", "sparse", "masks")]
        )
        return str(damage[0]) if damage else ""
    try:
        check_undistorted(workspace.dense, progress)
    except UserError as error:
        return str(error).partition(";")[0]
    return ""


def check_undistorted(dense: Path, progress: Progress) -> None:
    """UserError if the model or a photo of it is damaged: COLMAP does not report what it could not write."""
    model = read_model(dense / "sparse")

    def check(path: Path, size: tuple[int, int]) -> None:
        try:
            with open_photo(path) as image:
                image.load()
                same_size = image.size == size
        except (OSError, ValueError, SyntaxError) as error:
            raise FileFormatError(path, "it is cut short or damaged") from error
        if not same_size:
            raise FileFormatError(path, "its size differs from its camera's")

    calls: list[Callable[[], Any]] = []
    for image_id in model.reg_image_ids():
        image = model.image(image_id)
        camera = model.camera(image.camera_id)
        calls.append(partial(check, dense / "images" / image.name, (camera.width, camera.height)))
    in_threads(calls, progress, "checking")


def _remove_torn_maps(dense: Path, progress: Progress) -> None:
    """Remove incomplete depth and normal maps of both steps, so that they are computed again."""
    for kind in ("depth_maps", "normal_maps"):
        for path in sorted((dense / "stereo" / kind).glob("*.bin")):
            if not is_whole_map(path):
                progress.warning(f"{path} is incomplete: rebuilding it.")
                remove(path)


def method(settings: DenseSettings) -> str:
    """`colmap` (CUDA PatchMatch) or `torch`; UserError if COLMAP is requested but cannot do it."""
    if settings.method == "colmap" and not pycolmap.has_cuda:
        raise UserError(
            Sentence(
                "This COLMAP was built without CUDA and has no PatchMatch: ",
                leave_out("dense_method"),
                " to use ours.",
            ),
            2,
        )
    usable = pycolmap.has_cuda and settings.device in ("auto", "cuda")
    return "colmap" if settings.method == "colmap" or (settings.method == "auto" and usable) else "torch"


def undistort(workspace: Workspace, settings: DenseSettings, output: Path, progress: Progress) -> None:
    """Pinhole photos of at most `max_size`, their model, and their masks if there are any."""
    options = pycolmap.UndistortCameraOptions()
    options.max_image_size = settings.max_size
    total = len(read_model(workspace.model).reg_image_ids())

    def poll() -> None:
        done = sum(1 for _ in (output / "images").glob("*"))
        progress.report(done, total, "undistorting")

    run_cancellable(
        lambda token: pycolmap.undistort_images(
            output,
            workspace.model,
            workspace.images,
            undistort_options=options,
            jpeg_quality=97,
            cancellation_token=token,
        ),
        progress,
        poll,
    )
    if workspace.masks.is_dir():
        undistort_masks(read_model(workspace.model), workspace.masks, options, output / "masks", progress)


def undistort_masks(model: Any, masks: Path, options: Any, output: Path, progress: Progress) -> None:
    """The masks of the model's photos, as NAME.png with the photo's full name, in the folder `output`.

    masks: their folder. options: of pycolmap, the same as for the photos.
    """
    for image_id in model.reg_image_ids():
        image = model.image(image_id)
        mask = masks / f"{image.name}.png"
        if not mask.exists():
            continue
        bitmap = pycolmap.Bitmap.from_array(read_gray(mask))
        undistorted, _ = pycolmap.undistort_image(options, bitmap, model.camera(image.camera_id))
        values = np.where(np.asarray(undistorted.to_array()).squeeze() > 127, 255, 0).astype(np.uint8)
        with atomic_file(output / f"{image.name}.png") as part:
            part.write_bytes(cv2.imencode(".png", values)[1].tobytes())
        progress.check()


def _torch(workspace: Workspace, settings: DenseSettings, progress: Progress) -> tuple[list[str], list[str]]:
    from ..models.devices import select_device
    from .depth_views import load_scene
    from .estimate import estimate_all

    scene = load_scene(workspace.dense, settings.views)
    device = select_device(settings.device)
    masks, memory = workspace.dense / "masks", settings.memory * 2**30
    alone = estimate_all(workspace.dense, scene, device, masks, memory, progress)
    return [view.name for view in scene.views if view.name not in alone], alone


def _colmap(workspace: Workspace, settings: DenseSettings, progress: Progress) -> tuple[list[str], list[str]]:
    """COLMAP's PatchMatch; it skips existing maps."""
    options = pycolmap.PatchMatchOptions()
    options.max_image_size = settings.max_size
    maps = workspace.dense / "stereo" / "depth_maps"
    names = [path.name for path in sorted((workspace.dense / "images").iterdir())]

    def poll() -> None:
        done = sum(1 for _ in maps.glob("*.bin"))  # photometric, then geometric ones
        progress.report(done, 2 * len(names), "estimating depth")

    run_cancellable(
        lambda token: pycolmap.patch_match_stereo(
            workspace.dense, "COLMAP", "", options, cancellation_token=token
        ),
        progress,
        poll,
    )
    estimated = [name for name in names if (maps / f"{name}.geometric.bin").exists()]
    return estimated, [name for name in names if name not in estimated]
