"""Videos that were truncated while being copied, or are damaged inside."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.photos.video import extract_frames, is_smeared
from tests.support.scenes import noise_texture

WIDTH, HEIGHT = 320, 240


def video(path: Path, kind: str, smeared: range = range(0)) -> Path:
    """60 frames of a camera that moves along a wall; some with what decoders draw for missing data."""
    wall = cv2.cvtColor(noise_texture(3, 1024), cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*kind), 10, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(60):
        frame = wall[100 : 100 + HEIGHT, 10 * number : 10 * number + WIDTH].copy()
        if number in smeared:
            frame[80:] = frame[80]
        writer.write(frame)
    writer.release()
    return path


def taken(video: Path, folder: Path) -> tuple[list[int], str]:
    """Numbers of the extracted frames, and the warnings."""
    events: list = []
    extract_frames(video, folder, 12, Progress(events.append))
    numbers = sorted(int(path.stem.rsplit("_", 1)[1]) for path in folder.iterdir())
    return numbers, " ".join(event.message for event in events if event.kind == "warning")


@pytest.mark.parametrize("ending", ["avi", "mkv"])
def test_a_video_that_ends_early_is_reported(tmp_path, ending):
    whole = video(tmp_path / f"whole.{ending}", "mp4v")
    assert taken(whole, tmp_path / "a")[1] == ""
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    numbers, said = taken(cut, tmp_path / "b")
    assert len(numbers) >= 8
    assert said.startswith(f"cut.{ending} claims 60 frames (6.0 s), but only 3") and "it is truncated" in said


def test_smeared_frames_are_not_used(tmp_path):
    numbers, said = taken(video(tmp_path / "damaged.avi", "FFV1", smeared=range(20, 32)), tmp_path / "frames")
    assert len(numbers) >= 8 and not set(numbers) & set(range(20, 32))
    assert said.startswith("12 frames of damaged.avi are corrupted")


def test_bars_and_plain_frames_are_not_smeared():
    frame = noise_texture(1, 320)[..., 1]
    assert not is_smeared(frame)
    barred = frame.copy()
    barred[:60] = barred[-60:] = 16
    assert not is_smeared(barred)
    assert not is_smeared(np.full((240, 320), 90, np.uint8))
    barred[100:140] = barred[100]
    assert is_smeared(barred)
