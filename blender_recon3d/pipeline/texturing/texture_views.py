"""The photos as used for texturing: pinhole cameras, and pixels that are in memory one photo at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.model_files import read_model
from ..errors import FileFormatError, UserError
from ..events import Progress
from ..files.pictures import read_picture
from ..mvs.pinhole import Pinhole
from ..wording import START_OVER, Sentence

GRID = 16  # pixels


@dataclass(frozen=True, eq=False)  # compared by identity: arrays have no single truth value
class TextureView(Pinhole):
    """One registered photo without lens distortion.

    intrinsics [3, 3] in pixels of a picture of width x height (first center at .5); cam_from_world [3, 4] in the
    model's frame. `path` is the photo in the workspace, `camera` its camera. original: reads a photo of more than 8
    bits as float32 RGB, 255 for white.
    """

    name: str
    path: Path
    mask: Path | None
    width: int
    height: int
    intrinsics: np.ndarray
    cam_from_world: np.ndarray
    camera: pycolmap.Camera
    pinhole: pycolmap.Camera
    original: Callable[[], np.ndarray] | None = None

    def read(self) -> np.ndarray:
        """uint8 RGB [height, width, 3] without distortion; UserError if the photo no longer exists."""
        return self._undistorted(cv2.cvtColor(_read(self.path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))

    def read_deep(self) -> np.ndarray:
        """The same from the original, float32 RGB in 0..255, beyond for light brighter than white."""
        if self.original is None:
            return self.read().astype(np.float32)
        return np.maximum(self._undistorted(self.original()), 0)

    def read_mask(self) -> np.ndarray | None:
        """bool [height, width], True where the photo may be used; None if there is no mask."""
        if self.mask is None:
            return None
        return self._undistorted(_read(self.mask, cv2.IMREAD_GRAYSCALE)) > 127

    def _undistorted(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.shape[:2] != (self.camera.height, self.camera.width):
            raise UserError(
                Sentence(
                    f"{self.path} is {pixels.shape[1]} x {pixels.shape[0]} pixels and its camera "
                    f"{self.camera.width} x {self.camera.height}: ",
                    START_OVER,
                    ".",
                )
            )
        if self.camera == self.pinhole:
            return pixels
        across, down = self._source_pixels()
        return cv2.remap(pixels, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def _source_pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The position in the photo of each pixel of the undistorted one, in OpenCV's coordinates (first center at 0).

        Computed at every GRID-th pixel and interpolated: a lens bends a line of 16 pixels by less than 0.01.
        """
        columns, rows = (np.arange(0, size + GRID, GRID) for size in (self.width, self.height))
        x, y = np.meshgrid(columns + 0.5, rows + 0.5)
        rays = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], -1) @ np.linalg.inv(self.intrinsics).T
        source = np.asarray(self.camera.img_from_cam(rays)).reshape(*x.shape, 2).astype(np.float32) - 0.5
        across, down = np.meshgrid(
            np.arange(self.width, dtype=np.float32) / GRID, np.arange(self.height, dtype=np.float32) / GRID
        )
        source_map = cv2.remap(source, across, down, cv2.INTER_LINEAR)
        return source_map[..., 0], source_map[..., 1]


def load_views(
    model: Path, images: Path, masks: Path, max_size: int, progress: Progress
) -> list[TextureView]:
    """The model's photos, at most `max_size` pixels on the longest side; missing files are reported and left out.

    UserError if none is left.
    """
    reconstruction = read_model(model)
    options = pycolmap.UndistortCameraOptions()
    options.max_image_size = max_size
    pinholes = {
        number: pycolmap.undistort_camera(options, camera)
        for number, camera in reconstruction.cameras.items()
    }
    views = []
    for image_id in sorted(reconstruction.reg_image_ids()):
        image = reconstruction.image(image_id)
        path, mask = images / image.name, masks / f"{image.name}.png"
        if not path.is_file():
            progress.warning(f"{path} is missing: the texture is made without it.", photo=image.name)
            continue
        pinhole = pinholes[image.camera_id]
        views.append(
            TextureView(
                name=image.name,
                path=path,
                mask=mask if mask.is_file() else None,
                width=pinhole.width,
                height=pinhole.height,
                intrinsics=np.array(pinhole.calibration_matrix()),
                cam_from_world=np.array(image.cam_from_world().matrix()),
                camera=reconstruction.camera(image.camera_id),
                pinhole=pinhole,
            )
        )
    if not views:
        raise UserError(
            Sentence(f"None of the model's photos is in {images}: put them back, or ", START_OVER, ".")
        )
    return views


def _read(path: Path, flags: int) -> np.ndarray:
    """Pixels as stored in the file, ignoring EXIF orientation, as in COLMAP."""
    try:
        return read_picture(path, flags)
    except FileFormatError as error:
        raise UserError(
            Sentence(f"{path} cannot be read: put the photo back, or ", START_OVER, ".")
        ) from error
