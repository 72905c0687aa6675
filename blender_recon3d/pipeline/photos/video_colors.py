"""Frames of HDR videos to sRGB: phones record HLG or PQ (ITU-R BT.2100) in BT.2020's colors, which look pale otherwise.

The video's container (MP4, MOV) says so. OpenCV decodes frames to 8 bits.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..files.regular import open_regular
from .deep_pixels import encoded

SEARCHED = 16 << 20  # bytes at either end of the file
PQ, HLG = 16, 18  # ITU-T H.273's transfer functions
PAPER = 203.0  # candelas per square meter of white (ITU-R BT.2408), 75 % of HLG's signal
KNEE = 0.8  # of white; brighter light is compressed instead of clipped
SRGB_FROM_2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def hdr_curve(path: Path) -> int:
    """PQ or HLG if the video's container says that it has this curve; otherwise 0."""
    with open_regular(path) as file:
        head = file.read(SEARCHED)
        file.seek(0, 2)
        file.seek(max(len(head), file.tell() - SEARCHED))
        tail = file.read(SEARCHED)
    for part in (head, tail):
        for kind in (b"colrnclx", b"colrnclc"):
            place = part.find(kind)
            if place >= 0 and len(part) >= place + 14:
                transfer = int.from_bytes(part[place + 10 : place + 12], "big")
                return transfer if transfer in (PQ, HLG) else 0
    return 0


def to_srgb(frame: np.ndarray, curve: int) -> np.ndarray:
    """A frame, BGR uint8 [H, W, 3], of this curve, as sRGB."""
    light = cv2.LUT(frame, light_of(curve))[..., ::-1]
    if curve == HLG:  # brighter surroundings need a steeper curve (BT.2100's OOTF at 1,000 candelas)
        brightness = light @ np.array([0.2627, 0.678, 0.0593], np.float32)
        light = light * np.maximum(brightness, 1e-6)[..., None] ** np.float32(0.2)
    light = np.maximum(light @ SRGB_FROM_2020.T.astype(np.float32), 0)
    above = np.maximum(light - KNEE, 0)
    light = np.minimum(light, KNEE) + (1 - KNEE) * (1 - np.exp(-above / (1 - KNEE)))
    colors: np.ndarray = np.rint(255 * encoded(light)).astype(np.uint8)[..., ::-1]
    return np.ascontiguousarray(colors)


def light_of(curve: int) -> np.ndarray:
    """The light of each of 256 values, relative to white, float32 [256]."""
    value = np.arange(256) / 255
    if curve == PQ:
        power = value ** (1 / 78.84375)
        light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return (light * 10_000 / PAPER).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    white = (np.exp((0.75 - c) / a) + b) / 12
    return (scene / white).astype(np.float32)
