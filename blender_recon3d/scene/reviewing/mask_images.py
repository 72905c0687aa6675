"""Masks as Blender images: drawn over a photo, and painted by hand as the photo's transparency.

To paint, the photo is opened in the Image Editor with the mask as its alpha channel, so that what is hidden shows the
checkerboard. Erase Alpha hides, Add Alpha brings back. Saving writes painted_masks/NAME.png, which the next run takes.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.files.gray_png import write_gray_png
from ...pipeline.text import Said
from ...pipeline.workspace import Workspace
from ..cameras import KEY
from ..find_imports import current_import, workspace_of
from .photo_view import seen_photo

OVER, PAINTED = "mask over", "painted mask"  # kinds of images, in their custom property
HIDDEN = (0.35, 0.02, 0.35, 0.7)  # RGBA over what a mask hides
SIZE_OVER, SIZE_PAINTED = 1024, 2048  # longest sides


def show_mask(scene: bpy.types.Scene) -> None:
    """Draw the mask over the photo that the scene looks through, or remove it, as `show_masks` says."""
    for data in bpy.data.cameras:
        _remove_over(data)
    camera = scene.camera
    if not scene.recon3d.show_masks or not seen_photo(scene) or camera is None:
        return
    mask = mask_file_of(camera)
    if mask is not None:
        over = camera.data.background_images.new()
        over.image = _over_image(mask, str(camera[KEY]["photo"]))
        over.display_depth, over.frame_method, over.alpha = "FRONT", "STRETCH", 1.0


def mask_file_of(camera: bpy.types.Object) -> Path | None:
    """The mask with the pixels of a camera's background photo: beside the folder of photos. None if there is none."""
    backgrounds = [each.image for each in camera.data.background_images if each.image is not None]
    if not backgrounds:
        return None
    folder = Path(bpy.path.abspath(backgrounds[0].filepath)).parent
    path = folder.parent / "masks" / f"{camera[KEY]['photo']}.png"
    return path if path.is_file() else None


def has_masks(scene: bpy.types.Scene) -> bool:
    """Whether the photo that the scene looks through has a mask to be shown."""
    return bool(seen_photo(scene)) and scene.camera is not None and mask_file_of(scene.camera) is not None


def _remove_over(data: bpy.types.Camera) -> None:
    for background in list(data.background_images):
        image = background.image
        if image is not None and image.get(KEY, {}).get("kind") == OVER:
            data.background_images.remove(background)
            bpy.data.images.remove(image)


def _over_image(mask: Path, photo: str) -> bpy.types.Image:
    visible = _read_mask(mask, SIZE_OVER)
    pixels = np.zeros((*visible.shape, 4), np.float32)
    pixels[~visible] = HIDDEN
    return _image(f"Mask of {photo}", pixels, {"kind": OVER, "photo": photo})


def open_to_paint(scene: bpy.types.Scene, photo: str) -> bpy.types.Image:
    """The photo with its mask as transparency, to be painted. photo: its name in the model. UserError if its file is
    missing or cannot be read."""
    workspace = Workspace(workspace_of(current_import(scene)))
    path = workspace.images / photo
    if not photo or not path.is_file():
        raise UserError(f"The photo {photo or 'chosen'} is not in {workspace.images}: choose another one.", 2)
    pixels = _read_pixels(path, SIZE_PAINTED)
    mask = next((each for each in _masks_of(workspace, photo) if each.is_file()), None)
    if mask is not None:
        visible = _read_mask(mask, SIZE_PAINTED)
        if visible.shape != pixels.shape[:2]:
            visible = _resized(visible, pixels.shape[:2])
        pixels[..., 3] = visible
    marks = {"kind": PAINTED, "photo": photo, "workspace": str(workspace.root)}
    return _image(f"Mask {photo}", pixels, marks, alpha="CHANNEL_PACKED")


def _masks_of(workspace: Workspace, photo: str) -> tuple[Path, Path]:
    return workspace.painted_masks / f"{photo}.png", workspace.masks / f"{photo}.png"


def is_painted(image: bpy.types.Image | None) -> bool:
    """Whether an image is a mask to be painted."""
    return image is not None and image.get(KEY, {}).get("kind") == PAINTED


def save_painted(image: bpy.types.Image) -> str:
    """Write a painted mask into its workspace; returns a message. UserError if the workspace is gone."""
    marks = image[KEY]
    workspace, photo = Workspace(str(marks["workspace"])), str(marks["photo"])
    if not workspace.photos.is_file():
        raise UserError(
            f"{workspace.root} is no longer there: import the result again, and paint the mask again.", 2
        )
    visible = _pixels_of(image)[::-1, :, 3] > 0.5
    write_gray_png(
        _masks_of(workspace, photo)[0], [row.tobytes() for row in np.where(visible, 255, 0).astype(np.uint8)]
    )
    return Said("The mask of {photo} is saved: the next reconstruction uses it.", photo=photo)


def discard_painted(scene: bpy.types.Scene, photo: str) -> str:
    """Remove a photo's painted mask; returns a message. UserError if it has none."""
    workspace = Workspace(workspace_of(current_import(scene)))
    path = _masks_of(workspace, photo)[0]
    if not photo or not path.is_file():
        raise UserError(f"{photo or 'This photo'} has no painted mask.", 2)
    path.unlink()
    return Said("The painted mask of {photo} is removed: the next reconstruction makes its own.", photo=photo)


def _image(name: str, pixels: np.ndarray, marks: dict[str, str], alpha: str = "STRAIGHT") -> bpy.types.Image:
    """An image from RGBA [H, W, 4], bottom row first; replaces an earlier one of the same name and kind."""
    for old in [each for each in bpy.data.images if dict(each.get(KEY, {})) == marks]:
        bpy.data.images.remove(old)
    image = bpy.data.images.new(name, pixels.shape[1], pixels.shape[0], alpha=True)
    image.alpha_mode = alpha
    image.pixels.foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())
    image.update()
    image.pack()  # or Blender would forget the pixels
    image[KEY] = marks
    return image


def _read_mask(path: Path, size: int) -> np.ndarray:
    """What a mask file keeps, bool [H, W], bottom row first; no larger than `size`."""
    return np.asarray(_read_pixels(path, size)[..., 0] > 0.5)


def _read_pixels(path: Path, size: int) -> np.ndarray:
    """A picture as stored in the file, float32 RGBA [H, W, 4], bottom row first; UserError if it cannot be read."""
    image = bpy.data.images.load(str(path))
    try:
        image.colorspace_settings.name = "sRGB"
        width, height = image.size
        if not width or not height:
            raise UserError(f"The picture {path} cannot be read: run the reconstruction again.", 2)
        scale = size / max(width, height)
        if scale < 1:
            image.scale(max(1, round(width * scale)), max(1, round(height * scale)))
        return _pixels_of(image)
    finally:
        bpy.data.images.remove(image)


def _pixels_of(image: bpy.types.Image) -> np.ndarray:
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)


def _resized(visible: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    rows, columns = (np.arange(now) * was // now for was, now in zip(visible.shape, shape, strict=True))
    return np.asarray(visible[rows][:, columns])
