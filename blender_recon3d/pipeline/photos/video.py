"""Still frames from a video: sharp ones, spaced by how far the view has moved."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from ..events import Progress
from ..files.regular import check_regular, is_utf8
from ..files.whole_files import whole_folder
from .photo_quality import sharpness

FLOW_SIZE = 240  # longest side at which motion is followed
STILL = 0.002  # of the longest side a frame; less is a camera at rest


def extract_frames(video: Path, folder: Path, count: int, progress: Progress) -> int:
    """Write about `count` frames (fewer when the video has not so many) as JPEG into `folder`; their number.

    Two passes: the first follows the motion and the sharpness of every frame, the second writes for each of
    `count` equal stretches of the way that the view has gone its sharpest frame. UserError for no video.
    """
    try:
        check_regular(video)
    except OSError as error:
        raise UserError(f"{video} cannot be read ({error.strerror}): choose another film.", 2) from error
    motion, sharp = _survey(video, progress)
    chosen = choose_frames(motion, sharp, count)
    wanted = set(chosen.tolist())
    with whole_folder(folder) as part:
        for index, frame in enumerate(_frames(video)):
            if index in wanted:
                good = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 97])[1]
                (part / f"{video.stem}_{index:06d}.jpg").write_bytes(good.tobytes())
            progress.check()
    return len(wanted)


def choose_frames(motion: np.ndarray, sharp: np.ndarray, count: int) -> np.ndarray:
    """Indices of the sharpest frame in each of `count` stretches of equal motion.

    motion [N]: how far the view moved since the frame before, as a share of the frame; sharp [N]: larger is
    sharper. A camera at rest adds nothing, so that a pause does not take frames from the rest.
    """
    way = np.cumsum(np.where(motion > STILL, motion, 0.0))
    if way[-1] <= 0:  # a camera that never moves: equal times
        way = np.arange(len(motion), dtype=float)
    stretch = np.minimum((way / way[-1] * count).astype(int), count - 1)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    ends = np.append(first[1:], len(stretch))
    return np.array(
        [start + int(np.argmax(sharp[start:end])) for start, end in zip(first, ends, strict=True)]
    )


def _survey(video: Path, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    motion, sharp = [], []
    before = None
    total = _frame_count(video)
    for frame in _frames(video):
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        scale = FLOW_SIZE / max(gray.shape)
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        motion.append(0.0 if before is None else _moved(before, small))
        sharp.append(sharpness(gray)[0])
        before = small
        if len(motion) % 10 == 0:
            progress.update(len(motion), max(total, len(motion)), f"reading {video.name}")
    if not motion:
        raise UserError(
            f"{video} holds no frames that can be read: convert it to H.264 (MP4) or to photos.", 2
        )
    return np.array(motion), np.array(sharp)


def _moved(before: np.ndarray, now: np.ndarray) -> float:
    """Median displacement of tracked corners between two frames, as a share of the longest side."""
    corners = cv2.goodFeaturesToTrack(before, 200, 0.01, 5)
    if corners is None:
        return 0.0
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, corners.copy())
    good = found.ravel() == 1
    if good.sum() < 8:  # nothing in common: a cut, which counts as a step of its own
        return 0.1
    return float(np.median(np.linalg.norm((moved - corners)[good], axis=-1)) / max(now.shape))


@contextlib.contextmanager
def _opened(video: Path) -> Iterator[cv2.VideoCapture]:
    """OpenCV's reader. By FFmpeg alone: others take names with a % for patterns, or open devices."""
    backend = cv2.CAP_FFMPEG if cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends() else cv2.CAP_ANY
    with tempfile.TemporaryDirectory(prefix="recon3d-") as folder:
        name = str(video)
        if not is_utf8(name):  # OpenCV crashes when it is told such a name
            link = Path(folder) / "film"
            link.symlink_to(video)
            name = str(link)
        reader = cv2.VideoCapture(name, backend)
        try:
            yield reader
        finally:
            reader.release()


def _frames(video: Path) -> Iterator[np.ndarray]:
    """The frames in order, upright (OpenCV applies the rotation that the video states), BGR uint8 [H, W, 3]."""
    with _opened(video) as reader:
        while True:
            good, frame = reader.read()
            if not good:
                return
            yield frame


def _frame_count(video: Path) -> int:
    with _opened(video) as reader:
        count = reader.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if 0 < count < 2**31 else 0
