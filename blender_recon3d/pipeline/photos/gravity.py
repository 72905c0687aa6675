"""Which way was up when a photo was taken, if its file has that: drones write their gimbal's angles, iPhones their
accelerometer's reading.

Directions are unit vectors in the frame of the upright photo's camera: x right, y down, z forward.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from PIL import ExifTags, Image

Up = tuple[float, float, float]

# DJI, Autel and others: drone-dji:GimbalPitchDegree="-90.0"; Parrot: CameraPitchDegree. As attributes or elements.
_ANGLE = rb"(?:Gimbal|Camera)%sDegree\s*(?:=\s*[\"']|>)\s*([+-]?\d+(?:\.\d*)?)"
_PITCH, _ROLL = (re.compile(_ANGLE % name) for name in (b"Pitch", b"Roll"))
_APPLE = b"Apple iOS\0"
_ACCELERATION = 8  # ExifTool, Apple tags
_FREE_FALL = 0.5, 1.5  # g; a phone held still measures a value between these
# The photo's axes (right, down) in those of the same photo with orientation 6, from a phone held upright.
_FROM_UPRIGHT = {6: ((1, 0), (0, 1)), 1: ((0, 1), (-1, 0)), 8: ((-1, 0), (0, -1)), 3: ((0, -1), (1, 0))}


def up_said(image: Image.Image, detail: dict[int, Any], orientation: int) -> Up | None:
    """Up according to the file; None if it does not say. detail: EXIF's own directory; orientation: EXIF's, 1 to 8."""
    xmp = image.info.get("xmp")
    if isinstance(xmp, bytes) and (up := _of_gimbal(xmp)):
        return up
    note = detail.get(ExifTags.Base.MakerNote)
    return _of_phone(note, orientation) if isinstance(note, bytes) and note.startswith(_APPLE) else None


def _of_gimbal(xmp: bytes) -> Up | None:
    """Pitch is 0 at the horizon and -90 straight down; roll is clockwise."""
    pitch, roll = _PITCH.search(xmp), _ROLL.search(xmp)
    if not pitch or abs(float(pitch[1])) > 180:
        return None
    p, r = np.radians(float(pitch[1])), np.radians(float(roll[1]) if roll else 0.0)
    return float(-np.sin(r) * np.cos(p)), float(-np.cos(r) * np.cos(p)), float(np.sin(p))


def _of_phone(note: bytes, orientation: int) -> Up | None:
    """The accelerometer's axes are the phone's: right, toward its top, and out of its screen; at rest it measures
    gravity. The camera looks out of the phone's back."""
    if orientation not in _FROM_UPRIGHT or (felt := _acceleration(note)) is None:
        return None
    length = float(np.linalg.norm(felt))
    if not _FREE_FALL[0] < length < _FREE_FALL[1]:
        return None
    right, down, forward = np.array([-felt[0], felt[1], felt[2]]) / length
    across, along = np.array(_FROM_UPRIGHT[orientation]) @ [right, down]
    return float(across), float(along), float(forward)


def _acceleration(note: bytes) -> np.ndarray | None:
    """g [3] of Apple's maker note: a header of 12 bytes, the byte order, and a TIFF directory with offsets from the
    note's start."""
    order = {b"MM": ">", b"II": "<"}.get(note[12:14], "")
    try:
        if not order:
            return None
        for entry in range(struct.unpack_from(order + "H", note, 14)[0]):
            tag, kind, count, offset = struct.unpack_from(order + "HHII", note, 16 + 12 * entry)
            if (tag, kind, count) == (_ACCELERATION, 10, 3):
                numbers = np.array(struct.unpack_from(order + "6i", note, offset), float)
                return numbers[::2] / numbers[1::2] if numbers[1::2].all() else None
    except struct.error:  # truncated
        pass
    return None
