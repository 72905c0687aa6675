"""Videos as phones write them: HDR, turned by a note in the file, with frames at uneven times."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.photos.video import extract_frames
from blender_recon3d.pipeline.photos.video_colors import HLG, PQ, hdr_curve, light_of, to_srgb
from tests.support.pictures import picture

TURNED = b"".join(
    value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
)


def write_video(path: Path, frames: int = 12) -> Path:
    """A view that moves over a picture, 320 x 240."""
    whole = np.asarray(picture(5, 640, 480))[..., ::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for number in range(frames):
        writer.write(np.ascontiguousarray(whole[100:340, 20 * number : 20 * number + 320]))
    writer.release()
    return path


def taken(path: Path, folder: Path) -> tuple[list[np.ndarray], list[str]]:
    events: list[Event] = []
    extract_frames(path, folder, 4, Progress(events.append))
    return [cv2.imread(str(file)) for file in sorted(folder.glob("*.jpg"))], [
        event.message for event in events
    ]


def test_a_video_that_says_it_is_turned_gives_upright_frames(tmp_path):
    video = write_video(tmp_path / "a.mp4")
    plain, _ = taken(video, tmp_path / "plain")
    content = bytearray(video.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    content[matrix : matrix + 36] = TURNED
    (tmp_path / "b.mp4").write_bytes(content)
    turned, _ = taken(tmp_path / "b.mp4", tmp_path / "turned")
    assert [frame.shape for frame in turned] == [(320, 240, 3)] * len(plain)
    expected = np.rot90(plain[0], -1).astype(int)  # clockwise
    assert np.abs(turned[0] - expected).mean() < 3


def test_uneven_times_change_nothing(tmp_path):
    """Frames are chosen by how far the view moves, not by time."""
    video = write_video(tmp_path / "a.mp4")
    content = bytearray(video.read_bytes())
    table = content.index(b"stts") + 8  # number of entries, then a number of frames and the duration of each
    duration = int.from_bytes(content[table + 8 : table + 12], "big")
    entries, frames = (int.from_bytes(content[place : place + 4], "big") for place in (table, table + 4))
    assert entries == 1 and frames % 2 == 0
    uneven = [2, frames // 2, duration // 2, frames // 2, 3 * duration // 2]
    content[table : table + 12] = b"".join(value.to_bytes(4, "big") for value in uneven)
    for box in (
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"stts",
    ):  # 8 bytes longer; the pictures are before them
        size = content.index(box) - 4
        content[size : size + 4] = (int.from_bytes(content[size : size + 4], "big") + 8).to_bytes(4, "big")
    (tmp_path / "b.mp4").write_bytes(content)
    even, varied = taken(video, tmp_path / "a")[0], taken(tmp_path / "b.mp4", tmp_path / "b")[0]
    assert len(even) == len(varied) == 4
    assert all(np.array_equal(one, other) for one, other in zip(even, varied, strict=True))


@pytest.mark.parametrize(("curve", "white"), [(HLG, 0.75), (PQ, 0.5807)])
def test_hdr_white_becomes_nearly_white_and_grays_stay_gray(curve, white):
    assert np.interp(white, np.arange(256) / 255, light_of(curve)) == pytest.approx(1, rel=0.02)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    shown = to_srgb(ramp, curve)[0].astype(int)
    assert np.abs(np.diff(shown, axis=1)).max() <= 1 and (np.diff(shown[:, 0]) >= 0).all()
    assert 225 < shown[round(255 * white), 0] < 252 and shown[0, 0] == 0 and shown[-1, 0] == 255


def test_an_hdr_video_is_recognized_by_its_container_and_converted(tmp_path):
    video = write_video(tmp_path / "a.mp4")
    assert hdr_curve(video) == 0
    plain, _ = taken(video, tmp_path / "plain")
    box = b"colrnclx" + (9).to_bytes(2, "big") + HLG.to_bytes(2, "big") + (9).to_bytes(2, "big") + b"\0"
    content = video.read_bytes() + (8 + 4 + len(box)).to_bytes(4, "big") + b"free" + b"\0\0\0\0" + box
    (tmp_path / "b.mp4").write_bytes(content)
    assert hdr_curve(tmp_path / "b.mp4") == HLG
    converted, said = taken(tmp_path / "b.mp4", tmp_path / "hdr")
    assert any("b.mp4 is HDR (HLG)" in text for text in said)
    assert np.abs(converted[0].astype(int) - to_srgb(plain[0], HLG)).mean() < 3
