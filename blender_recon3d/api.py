"""What scripts call; the operators do the same with the scene's settings.

    from bl_ext.user_default.recon3d import api          (installed; in a checkout: from blender_recon3d import api)

    result = api.reconstruct("/photos/fountain", quality="preview")
    api.look_through("IMG_0042")
    api.export_cameras("/out/transforms.json", "NERFSTUDIO")
    api.save("/out/fountain.blend")

All raise UserError, one sentence that says what to do, before anything in the scene is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import bpy

from . import engine, preferences, review, session
from .pipeline.events import UserError
from .scene import export_cameras as exporting
from .scene.build import ImportResult
from .supervisor import CANCELLED, FAILED, EngineJob, JobView

__all__ = [
    "ImportResult", "JobView", "UserError", "export_cameras", "import_result", "look_through", "reconstruct", "save",
]  # fmt: skip


def reconstruct(
    photos: str | Path,
    workspace: str | Path | None = None,
    quality: str = "medium",
    options: Iterable[str] = (),
    scene: bpy.types.Scene | None = None,
    on_change: Callable[[JobView], None] = lambda view: None,
) -> ImportResult:
    """Reconstruct and import; blocks until it is done. What is finished in the workspace is kept.

    photos: a folder or a film. workspace: for everything that is computed, by default beside the photos. options: of
    the engine's command line, for instance ["--features", "sift"]. on_change: called with the job's state whenever
    that changes. A cancelled run is a UserError with exit_code 3.
    """
    source = Path(photos).absolute()
    folder = Path(workspace).absolute() if workspace else engine.default_workspace(source)
    words = ["run", str(source), "-o", str(folder), "--quality", quality]
    words += ["--device", preferences.device(), *options]
    job = EngineJob(engine.command(preferences.find_python(), words), engine.environment(), folder)
    view = job.wait(on_change)
    if view.state in (FAILED, CANCELLED):
        raise UserError(view.message, view.exit_code, view.remedy)
    return import_result(folder, scene)


def import_result(folder: str | Path, scene: bpy.types.Scene | None = None) -> ImportResult:
    """Import a workspace, or any folder with a COLMAP model (binary or text, sparse or dense), into the scene."""
    return session.import_result(scene or bpy.context.scene, Path(folder).absolute())


def look_through(photo: str, scene: bpy.types.Scene | None = None) -> None:
    """See the scene as a photo does: camera, resolution and pixel aspect. photo: its file's stem, or its name."""
    review.look_through_photo(scene or bpy.context.scene, photo)


def export_cameras(path: str | Path, kind: str = "COLMAP", scene: bpy.types.Scene | None = None) -> str:
    """Write the cameras as they stand. kind: "COLMAP" (path is a folder) or "NERFSTUDIO" (path is a .json file)."""
    return exporting.export_cameras(exporting.import_in(scene or bpy.context.scene), Path(path), kind)


def save(path: str | Path) -> None:
    """Save the .blend with the photos' paths relative to it, so that the folder can be moved."""
    target = Path(path).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    for image in bpy.data.images:
        if image.filepath and not image.packed_file:
            try:
                image.filepath = bpy.path.relpath(image.filepath, start=str(target.parent))
            except ValueError:
                continue  # on another drive (Windows)
    bpy.ops.wm.save_as_mainfile(filepath=str(target), relative_remap=False)
