"""Still frames from a video: sharp ones, spaced by how far the view has moved."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_folder
from ..files.regular import check_regular, is_utf8
from .photo_quality import sharpness
from .video_colors import PQ, hdr_curve, to_srgb

FLOW_SIZE = 240  # longest side at which motion is tracked
SMEARED_BAND = 0.06  # of the height
ALIKE, VARIED = 0.2, 8.0  # gray values: from row to row in such a band, and within a row
MAX_SMEARED = 0.3  # of the frames
STILL = 0.002  # of the longest side per frame; less is a camera at rest


def extract_frames(video: Path, folder: Path, count: int, progress: Progress) -> int:
    """Write about `count` frames (fewer if the video is shorter) as JPEG to `folder`; returns their number.

    Two passes: the first measures motion and sharpness of every frame, the second writes the sharpest frame of each of
    `count` stretches of equal motion. UserError if it is not a video.
    """
    try:
        check_regular(video)
    except OSError as error:
        raise UserError(f"{video} cannot be read ({error.strerror}): choose another video.", 2) from error
    seen = _survey(video, progress)
    for sentence in doubtful(video.name, seen):
        progress.warning(sentence)
    chosen = choose_frames(seen.motion, np.where(seen.smeared, -1.0, seen.sharp), count)
    curve = hdr_curve(video)
    if curve:
        progress.info(
            f"{video.name} is HDR ({'PQ' if curve == PQ else 'HLG'}): its frames are converted to sRGB."
        )
    selected = {int(index) for index in chosen if not seen.smeared[index]}
    with atomic_folder(folder) as part:
        for index, frame in enumerate(_frames(video)):
            if index in selected:
                if curve:
                    frame = to_srgb(frame, curve)
                good = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 97])[1]
                (part / f"{video.stem}_{index:06d}.jpg").write_bytes(good.tobytes())
            progress.check()
    return len(selected)


def choose_frames(motion: np.ndarray, sharp: np.ndarray, count: int) -> np.ndarray:
    """Indices of the sharpest frame in each of `count` stretches of equal motion.

    motion [N]: how far the view moved since the previous frame, as a share of the frame. sharp [N]: larger is sharper.
    A camera at rest adds nothing, so that a pause gets no extra frames.
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


@dataclass(frozen=True)
class Survey:
    """For each readable frame: motion and sharp as for `choose_frames`, and whether it is smeared. announced: number of
    frames according to the file, 0 if unknown. seconds: as announced, and as read."""

    motion: np.ndarray
    sharp: np.ndarray
    smeared: np.ndarray
    announced: int
    seconds: tuple[float, float]


def doubtful(name: str, seen: Survey) -> list[str]:
    """Messages if a video is truncated or damaged."""
    doubts = []
    read, (announced_s, read_s) = len(seen.motion), seen.seconds
    if seen.announced > 1.02 * read + 1 and announced_s - read_s > max(0.3, 0.03 * announced_s):
        doubts.append(
            f"{name} claims {seen.announced} frames ({announced_s:.1f} s), but only {read} ({read_s:.1f} s) can be "
            "read: it is truncated. Copy it from the camera again, or continue with these."
        )
    if seen.smeared.any():
        doubts.append(
            f"{int(seen.smeared.sum())} frames of {name} are corrupted, since the video is damaged there: they "
            "are left out. Copy it from the camera again if that part is missing."
        )
    return doubts


def is_smeared(gray: np.ndarray) -> bool:
    """Whether a band of rows repeats one row exactly, as decoders paint where data is missing.

    gray: uint8 [H, W]. Bars of a single color do not count.
    """
    rows = gray.astype(np.float32)
    alike = (np.abs(np.diff(rows, axis=0)).mean(axis=1) < ALIKE) & (rows[1:].std(axis=1) > VARIED)
    longest = longest_of_all = 0
    for row in alike.tolist():
        longest = longest + 1 if row else 0
        longest_of_all = max(longest_of_all, longest)
    return longest_of_all > SMEARED_BAND * len(gray)


def _survey(video: Path, progress: Progress) -> Survey:
    motion: list[float] = []
    sharp: list[float] = []
    smeared: list[bool] = []
    before = None
    with _opened(video) as reader:
        total, rate = _frame_count(reader), float(reader.get(cv2.CAP_PROP_FPS))
    end = 0.0
    for frame, is_key, time in _frames_told(video):
        end = time
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        # Frames predicted from a smeared one are damaged too, up to the next I-frame.
        smeared.append(is_smeared(gray) or (bool(smeared) and smeared[-1] and not is_key))
        if smeared[-1]:
            motion.append(0.0)
            sharp.append(0.0)
            progress.check()
            continue
        scale = FLOW_SIZE / max(gray.shape)
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        motion.append(0.0 if before is None else _moved(before, small))
        sharp.append(sharpness(gray)[0])
        before = small
        if len(motion) % 10 == 0:
            progress.update(len(motion), max(total, len(motion)), f"reading {video.name}")
    if not motion:
        raise UserError(f"{video} has no readable frames: convert it to H.264 (MP4) or to photos.", 2)
    damaged = np.array(smeared)
    if damaged.mean() > MAX_SMEARED:  # then it is the video's actual content
        damaged[:] = False
    step = 1 / rate if rate > 0 else 0.0
    return Survey(np.array(motion), np.array(sharp), damaged, total, (total * step, end / 1000 + step))


def _moved(before: np.ndarray, now: np.ndarray) -> float:
    """Median displacement of tracked corners between two frames, as a share of the longest side."""
    corners = cv2.goodFeaturesToTrack(before, 200, 0.01, 5)
    if corners is None:
        return 0.0
    moved, tracked, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, corners.copy())
    good = tracked.ravel() == 1
    if good.sum() < 8:  # nothing in common: a cut, which counts as a step of its own
        return 0.1
    return float(np.median(np.linalg.norm((moved - corners)[good], axis=-1)) / max(now.shape))


@contextlib.contextmanager
def _opened(video: Path) -> Iterator[cv2.VideoCapture]:
    """OpenCV's reader, restricted to FFmpeg: others treat names with a % as patterns, or open devices."""
    backend = cv2.CAP_FFMPEG if cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends() else cv2.CAP_ANY
    with tempfile.TemporaryDirectory(prefix="recon3d-") as folder:
        name = str(video)
        if not is_utf8(name):  # OpenCV crashes on such a name
            link = Path(folder) / "video"
            link.symlink_to(video)
            name = str(link)
        reader = cv2.VideoCapture(name, backend)
        try:
            yield reader
        finally:
            reader.release()


def _frames(video: Path) -> Iterator[np.ndarray]:
    """The frames in order, upright (OpenCV applies the rotation that the video states), BGR uint8 [H, W, 3]."""
    for frame, _, _ in _frames_told(video):
        yield frame


def _frames_told(video: Path) -> Iterator[tuple[np.ndarray, bool, float]]:
    """The frames, whether each is an I-frame, and its time in milliseconds."""
    with _opened(video) as reader:
        while True:
            good, frame = reader.read()
            if not good:
                return
            is_key = int(reader.get(cv2.CAP_PROP_FRAME_TYPE)) in (0, ord("I"))
            yield frame, is_key, float(reader.get(cv2.CAP_PROP_POS_MSEC))


def _frame_count(reader: cv2.VideoCapture) -> int:
    count = reader.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if 0 < count < 2**31 else 0
