"""The Python API for scripts; the operators do the same with the scene's settings.

    from bl_ext.user_default.recon3d import api          (installed; in a checkout: from blender_recon3d import api)

    result = api.reconstruct("/photos/fountain", quality="preview")
    api.look_through("IMG_0042")
    api.clean(min_views=3)
    api.ground(); api.origin_under(); api.scale_to([(0, 0, 0), (0.3, 0, 0)], 0.42)
    api.decimate(20_000); api.bake_normals(2048)
    api.export_asset("/out/fountain.glb", "GLB")
    api.export_cameras("/out/transforms.json", "NERFSTUDIO")
    api.save("/out/fountain.blend")

All raise UserError, whose message says what to do, before anything in the scene is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import bpy
import numpy as np

from .engine_setup import engine_process
from .jobs import engine_export, reprojection, result_import, session
from .jobs.job_request import start_engine
from .jobs.job_view import CANCELLED, FAILED, PAUSED, JobView
from .pipeline.errors import UserError
from .pipeline.pausing import pause as pause_run
from .pipeline.superfluous_files import clean as clean_workspace
from .pipeline.workspace import Workspace
from .scene import cloud_cells, placement
from .scene.cleaning import clean_modifier as cleaning
from .scene.cleaning import crop_box, delete_points, deleted_points
from .scene.exporting import export_cameras as exporting
from .scene.find_imports import current_import
from .scene.importing.import_workspace import ImportResult
from .scene.meshes import bake, hole_patches, remesh
from .scene.meshes import mesh_object as meshes
from .scene.picking import View
from .scene.reviewing import mask_images, photo_view
from .scene.reviewing.camera_markers import add_camera_markers

Point = Sequence[float]

__all__ = [
    "ImportResult",
    "JobView",
    "UserError",
    "add_crop_box",
    "apply_cleaning",
    "bake_normals",
    "bake_texture",
    "build_mesh",
    "camera_markers",
    "clean",
    "decimate",
    "delete_inside",
    "discard_mask",
    "exit_photo_view",
    "export_asset",
    "export_cameras",
    "fill_holes",
    "free_disk_space",
    "ground",
    "import_mesh",
    "import_result",
    "look_through",
    "make_lods",
    "make_quads",
    "origin_under",
    "paint_mask",
    "pause",
    "reconstruct",
    "reproject_photos",
    "restore_points",
    "save",
    "save_mask",
    "scale_to",
    "show_masks",
    "split_cloud",
    "up_axis",
    "write_crop",
]  # fmt: skip


def reconstruct(
    photos: str | Path,
    workspace: str | Path | None = None,
    quality: str = "medium",
    options: Iterable[str] = (),
    scene: bpy.types.Scene | None = None,
    on_change: Callable[[JobView], None] = lambda view: None,
) -> ImportResult:
    """Reconstruct and import; blocks until done. Finished stages in the workspace are kept.

    photos: a folder or a video. workspace: folder for the results, by default next to the photos. options: for the
    engine's command line, for instance ["--features", "sift"]. on_change: called with the job's state whenever it
    changes. A cancelled or paused run raises UserError with exit_code 3.
    """
    scene, source = _scene(scene), Path(photos).absolute()
    folder = Path(workspace).absolute() if workspace else engine_process.default_workspace(source)
    job = start_engine(folder, quality, "dense", {"photos": str(source)}, options)
    view = job.wait(on_change)
    if view.state in (FAILED, CANCELLED, PAUSED):
        raise UserError(view.message, view.exit_code, view.remedy)
    return import_result(folder, scene)


def pause(folder: str | Path) -> bool:
    """Pause the run in a workspace, whoever started it: it finishes the photos or pairs in progress, and its processes
    end. Blocks until then; False if the run had ended before. The same job started again continues."""
    return pause_run(Workspace(Path(folder).absolute()))


def import_result(folder: str | Path, scene: bpy.types.Scene | None = None) -> ImportResult:
    """Import a workspace, or any folder with a COLMAP model (binary or text, sparse or dense), into the scene."""
    return result_import.import_result(_scene(scene), Path(folder).absolute())


def free_disk_space(folder: str | Path, remove: bool = False) -> int:
    """Bytes of files in a workspace that only save time if a stage runs again, removed if `remove`; results stay."""
    return clean_workspace(Workspace(Path(folder).absolute()), remove).bytes


def look_through(photo: str, scene: bpy.types.Scene | None = None) -> None:
    """View the scene through a photo's camera, with its resolution and pixel aspect. photo: its file name or stem."""
    photo_view.look_through_photo(scene or bpy.context.scene, photo)


def exit_photo_view(scene: bpy.types.Scene | None = None) -> None:
    """Restore the camera, resolution and view from before `look_through`."""
    photo_view.leave(scene or bpy.context.scene)


def show_masks(shown: bool = True, scene: bpy.types.Scene | None = None) -> None:
    """Tint what the mask hides over the photo that is looked through."""
    _scene(scene).recon3d.show_masks = shown


def paint_mask(photo: str, scene: bpy.types.Scene | None = None) -> bpy.types.Image:
    """The photo with its mask as alpha channel, to be painted. photo: its name in the model."""
    return mask_images.open_to_paint(_scene(scene), photo)


def save_mask(image: bpy.types.Image) -> str:
    """Save an image of `paint_mask` with the results; the next reconstruction uses it."""
    if not mask_images.is_painted(image):
        raise UserError(f"{image.name} is not a mask: open one with paint_mask.")
    return mask_images.save_painted(image)


def discard_mask(photo: str, scene: bpy.types.Scene | None = None) -> str:
    """Remove a photo's painted mask."""
    return mask_images.discard_painted(_scene(scene), photo)


def camera_markers(scene: bpy.types.Scene | None = None) -> str:
    """Add a timeline marker for each photo, bound to its camera, from frame 1 on, and set the frame range to them."""
    scene = scene or bpy.context.scene
    return add_camera_markers(scene, current_import(scene))


def export_cameras(
    path: str | Path, kind: str = "COLMAP", animated: bool = False, scene: bpy.types.Scene | None = None
) -> str:
    """Write the cameras as they are now. kind: "COLMAP" or "REALITYSCAN" (path is a folder), or with a file path
    "NERFSTUDIO", "METASHAPE", "MESHROOM", "INSTANT_NGP", "BUNDLER", "NVM", "FBX", "ALEMBIC", "USD", "GLTF" or "CHAN".

    animated: for FBX, Alembic and USD, one camera that steps through the photos, one per frame.
    """
    return exporting.export_cameras(
        exporting.import_in(scene or bpy.context.scene), Path(path), kind, animated
    )


# -- from cloud to asset: uses the import that the active object belongs to, or else the latest -------


def clean(scene: bpy.types.Scene | None = None, **inputs: object) -> str:
    """Add the cleaning modifier, or set its inputs; returns a message about the remaining points.

    inputs: min_views, min_neighbors, min_cluster_size (numbers of photos and points), key_color (linear RGBA) and
    key_distance (sRGB), crop_box (an Empty). Defaults are chosen to keep the subject and remove floating points.
    """
    return cleaning.clean_cloud(_current(scene), **inputs)


def apply_cleaning(scene: bpy.types.Scene | None = None) -> bpy.types.Object:
    """Create a cloud from the remaining points; the original is hidden."""
    return cleaning.apply_cleaning(_current(scene))


def add_crop_box(
    low: Point | None = None, high: Point | None = None, scene: bpy.types.Scene | None = None
) -> bpy.types.Object:
    """Add the crop box as an Empty. low, high: its corners in the model's frame; by default around the subject."""
    return crop_box.add_crop_box(_current(scene), low, high)


def split_cloud(points: int = 1_000_000, scene: bpy.types.Scene | None = None) -> bpy.types.Collection:
    """Split the cloud into cells of at most that many points; returns their collection. The cloud is hidden."""
    return cloud_cells.split_cloud(_current(scene), points)


def delete_inside(
    corners: Sequence[Sequence[float]],
    view: Sequence[Sequence[float]],
    size: tuple[int, int],
    scene: bpy.types.Scene | None = None,
) -> str:
    """Delete the points of cloud and mesh inside a closed line, at any depth; returns a message.

    corners: of the line, in pixels from the bottom left; view: 4x4 matrix from the world to clip space; size: width
    and height in pixels.
    """
    seen = View(np.array(view, float).reshape(4, 4), *size)
    line = [(float(x), float(y)) for x, y in corners]
    return delete_points.delete_in_lasso(_current(scene), seen, line)


def restore_points(scene: bpy.types.Scene | None = None) -> str:
    """Bring back all points that were deleted from the cloud."""
    return deleted_points.restore_points(_current(scene))


def write_crop(scene: bpy.types.Scene | None = None) -> Path:
    """Write the crop box to the file that the engine's mesh stage reads with --crop."""
    return crop_box.write_crop(_current(scene))


def ground(points: Sequence[Point] | None = None, scene: bpy.types.Scene | None = None) -> str:
    """Level the plane through three world-space points, or the cloud's dominant plane, at height 0."""
    if points is None:
        return placement.ground_from_plane(_current(scene))
    return placement.ground_from_points(_current(scene), points)


def up_axis(axis: str, scene: bpy.types.Scene | None = None) -> str:
    """Rotate so that the axis "X", "-X" ... "-Z" points up."""
    return placement.up_axis(_current(scene), axis)


def origin_under(target: Point = (0.0, 0.0, 0.0), scene: bpy.types.Scene | None = None) -> str:
    """Move the subject's bottom center to a world-space point."""
    return placement.origin_under(_current(scene), target)


def scale_to(points: Sequence[Point], length: float, scene: bpy.types.Scene | None = None) -> str:
    """Scale so that two world-space points are `length` apart."""
    return placement.scale_to(_current(scene), points, length)


def build_mesh(faces: int = 0, texture: int = 0) -> str:
    """Build the active scene's textured mesh from the points that are left, and import it; blocks until done.

    faces, texture: maximum number of faces and texture size in pixels; 0: the scene's settings.
    """
    _scene(None)
    session.start_mesh(bpy.context, faces, texture)
    return session.wait(bpy.context)


def import_mesh(scene: bpy.types.Scene | None = None) -> bpy.types.Object:
    """Import the workspace's mesh, or update it. import_result does so too if there is one."""
    return meshes.import_mesh(_current(scene))[0]


def decimate(faces: int, scene: bpy.types.Scene | None = None) -> bpy.types.Object:
    """A copy of the mesh with at most that many faces; the original is hidden."""
    return remesh.decimate(_current(scene), faces)


def make_lods(
    levels: int = 5, ratio: float = 0.5, scene: bpy.types.Scene | None = None
) -> list[bpy.types.Object]:
    """The visible mesh and hidden copies of it, each with `ratio` times the faces of the one before."""
    return remesh.make_lods(_current(scene), levels, ratio)


def make_quads(faces: int, scene: bpy.types.Scene | None = None) -> bpy.types.Object:
    """A copy of the mesh with about that many quads, without UVs; the original is hidden."""
    return remesh.quads(_current(scene), faces)[0]


def fill_holes(
    sides: int = 0, points: Sequence[Point] | None = None, scene: bpy.types.Scene | None = None
) -> str:
    """Fill the mesh's holes of at most that many edges (0: any), or only those nearest to world-space points."""
    return hole_patches.fill_holes(_current(scene), sides, None if points is None else np.array(points))


def bake_normals(size: int = 2048, extrusion: float = 0.0, scene: bpy.types.Scene | None = None) -> str:
    """Bake the full mesh's normals onto the visible mesh. extrusion: of the cage; 0: automatic."""
    return bake.bake_normals(_current(scene), size, extrusion)


def bake_texture(size: int = 2048, extrusion: float = 0.0, scene: bpy.types.Scene | None = None) -> str:
    """Bake the textured mesh's colors onto the visible copy."""
    return bake.bake_texture(_current(scene), size, extrusion)


def reproject_photos(size: int = 4096, scene: bpy.types.Scene | None = None) -> str:
    """Paint the photos onto any active mesh with UVs; blocks until done and returns a message.

    size: side of the texture in pixels. The image is saved to `reprojected` in the results folder.
    """
    reprojection.start(_scene(scene), size)
    return reprojection.wait()


def export_asset(
    path: str | Path,
    preset: str = "GLB",
    fill: bool = False,
    scale: float = 1.0,
    scene: bpy.types.Scene | None = None,
    photos: str = "full",
) -> str:
    """Write the visible mesh, in meters. preset: "GLB", "FBX", "OBJ", "PLY", "USD", "ABC", "STL", or for a purpose
    "WEB", "GAME", "PRINT", "VFX"; written by the engine: "3MF", "LAS", "ORTHO", "PICTURE", "SURVEY" and "SPLATS"
    (a folder).

    fill: close holes, in the file only. scale: factor for lengths in the file. photos: in the folder, "full" or
    "depth" size.
    """
    return engine_export.export(_current(scene), Path(path), preset, fill, scale, photos)


def _scene(scene: bpy.types.Scene | None) -> bpy.types.Scene:
    """The scene, or the active one. Raises UserError if the add-on is not registered, as in plain Python with bpy."""
    if not hasattr(bpy.types.Scene, "recon3d"):
        raise UserError(
            f"Recon3D is not registered in this Blender: call {__package__}.register() first, or enable the extension."
        )
    return scene or bpy.context.scene


def _current(scene: bpy.types.Scene | None) -> bpy.types.Collection:
    return current_import(scene or bpy.context.scene)


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
