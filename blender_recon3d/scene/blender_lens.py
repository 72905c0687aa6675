"""The Blender camera lens equivalent to a pinhole's intrinsics. Standard library only.

Derived from Blender's camera code (BKE_camera_params_compute_viewplane): with a = fx / fy and vf the side of the frame
that the sensor is fitted to, in units of horizontal pixels,
    lens = fx * sensor / vf,  shift_x = (W/2 - cx) / vf,  shift_y = a * (cy - H/2) / vf.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pinhole:
    """Intrinsics in pixels; the first pixel's center is at (0.5, 0.5)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True)
class Lens:
    """The Blender camera and render settings that are equivalent to a Pinhole. lens: millimeters."""

    lens: float
    shift_x: float
    shift_y: float
    pixel_aspect_x: float
    pixel_aspect_y: float


def lens_of(
    pinhole: Pinhole, sensor_fit: str = "AUTO", sensor_width: float = 36.0, sensor_height: float = 24.0
) -> Lens:
    """Blender's lens for the intrinsics. sensor_fit: AUTO, HORIZONTAL or VERTICAL; sensor sizes in millimeters."""
    aspect = pinhole.fx / pinhole.fy
    aspect_x, aspect_y = (1.0, aspect) if aspect >= 1 else (1 / aspect, 1.0)
    wide = aspect_x * pinhole.width >= aspect_y * pinhole.height
    horizontal = wide if sensor_fit == "AUTO" else sensor_fit == "HORIZONTAL"
    frame = pinhole.width if horizontal else aspect * pinhole.height
    sensor = sensor_height if sensor_fit == "VERTICAL" else sensor_width
    return Lens(
        lens=pinhole.fx * sensor / frame,
        shift_x=(pinhole.width / 2 - pinhole.cx) / frame,
        shift_y=aspect * (pinhole.cy - pinhole.height / 2) / frame,
        pixel_aspect_x=aspect_x,
        pixel_aspect_y=aspect_y,
    )
