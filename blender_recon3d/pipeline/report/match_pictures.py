"""The verified matches of the best and of the worst pair, drawn on the photos."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..colmap.database import image_ids, open_database
from ..documents.report_json import ReportedPair
from ..photos.image_files import open_photo, upright_rgb
from ..workspace import Workspace

HEIGHT, WIDTH = 560, 620  # maximum size of each photo in the picture, pixels
GAP = 8
MAX_LINES = 160
QUALITY = 82


@dataclass(frozen=True)
class MatchPicture:
    """A JPEG and its description."""

    title: str
    photos: tuple[str, str]
    inliers: int
    matches: int
    drawn: int
    jpeg: bytes


def match_pictures(workspace: Workspace, pairs: list[ReportedPair]) -> list[MatchPicture]:
    """Pictures of the pairs with the most and the fewest verified matches."""
    verified = sorted((pair for pair in pairs if pair.inliers), key=lambda pair: pair.inliers or 0)
    if not verified:
        return []
    chosen = [("The best pair", verified[-1])]
    if len(verified) > 1:
        chosen.append(("The worst verified pair", verified[0]))
    with open_database(workspace.mapped_database) as database:
        ids = image_ids(database)
        pictures = []
        for title, pair in chosen:
            first, second = pair.photos
            a, b = sorted((first, second), key=ids.__getitem__)
            inliers = np.asarray(database.read_two_view_geometry(ids[a], ids[b]).inlier_matches, np.int64)
            points = [np.asarray(database.read_keypoints(ids[name]))[:, :2] for name in (a, b)]
            jpeg, drawn = _picture(workspace, (a, b), points[0][inliers[:, 0]], points[1][inliers[:, 1]])
            pictures.append(
                MatchPicture(title, (a, b), len(inliers), pair.matches or len(inliers), drawn, jpeg)
            )
    return pictures


def _picture(
    workspace: Workspace, names: tuple[str, str], first: np.ndarray, second: np.ndarray
) -> tuple[bytes, int]:
    """Both photos side by side with lines between first [N, 2] and second [N, 2], in the photos' pixels."""
    photos, scales = zip(*(_scaled(workspace, name) for name in names), strict=True)
    height = max(photo.shape[0] for photo in photos)
    left = photos[0].shape[1] + GAP
    canvas = np.full((height, left + photos[1].shape[1], 3), 24, np.uint8)
    tops = [(height - photo.shape[0]) // 2 for photo in photos]
    for photo, top, start in zip(photos, tops, (0, left), strict=True):
        # Darker and less saturated, so that the lines stand out.
        gray = photo.mean(axis=2, keepdims=True)
        canvas[top : top + photo.shape[0], start : start + photo.shape[1]] = 0.8 * (0.5 * photo + 0.5 * gray)
    chosen = _spread(first, MAX_LINES)
    starts = first[chosen] * scales[0] + [0, tops[0]]
    ends = second[chosen] * scales[1] + [left, tops[1]]
    for start, end, color in zip(starts, ends, _colors(starts, height), strict=True):
        a, b = (tuple(round(16 * float(value)) for value in point) for point in (start, end))
        cv2.line(canvas, a, b, color, 1, cv2.LINE_AA, shift=4)
        for point in (a, b):
            cv2.circle(canvas, point, 40, color, -1, cv2.LINE_AA, shift=4)
    return encode_jpeg(canvas), len(chosen)


def _scaled(workspace: Workspace, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A photo [h, w, 3] scaled to fit the picture, and the scale factors [2]."""
    with open_photo(workspace.images / name) as image:
        width, height = image.size
        image.draft("RGB", (2 * WIDTH, 2 * HEIGHT))
        small = upright_rgb(image)
        small.thumbnail((WIDTH, HEIGHT))
    return np.asarray(small), np.array([small.width / width, small.height / height])


def _spread(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most `count` points, evenly distributed over the photo's height."""
    order = np.argsort(points[:, 1], kind="stable")
    return order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)]


def _colors(points: np.ndarray, height: int) -> list[tuple[int, int, int]]:
    """A hue [RGB] for each point from its height in the picture, so that wrong matches stand out."""
    hue = np.clip(points[:, 1] / height, 0, 1) * 150
    hsv = np.stack([hue, np.full_like(hue, 200), np.full_like(hue, 255)], axis=1).astype(np.uint8)
    colors = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    return [(int(r), int(g), int(b)) for r, g, b in colors]


def encode_jpeg(image: np.ndarray) -> bytes:
    """An RGB image, uint8 [H, W, 3], as a JPEG file."""
    done, content = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise ValueError("OpenCV could not encode a picture")
    return bytes(content)
