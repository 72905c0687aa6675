"""A folder of photos may contain anything: it is set aside with a reason, in bounded time and memory."""

import os
import signal
import socket
import struct
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.errors import FileFormatError, UserError
from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.files.pictures import read_picture
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.photos.image_files import upright_rgb
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.photos.pixel_budget import PixelBudget, bytes_needed
from blender_recon3d.pipeline.photos.video import extract_frames
from blender_recon3d.pipeline.report.thumbnails import _thumbnail
from blender_recon3d.pipeline.stages.pairs import _read_file

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.fixture(autouse=True)
def not_for_ever():
    """A reader that waits on a pipe would wait forever."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it blocks forever"))
    signal.alarm(60)
    yield
    signal.alarm(0)


def test_no_program_is_started_for_a_photo(tmp_path, monkeypatch):
    started = tmp_path / "started"
    for name in ("gs", "gswin64c", "ghostscript"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {started}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    photo = tmp_path / "holiday.jpg"
    photo.write_bytes(POSTSCRIPT)
    assert examine(photo).reason == "not an image, or an unsupported format"
    assert _thumbnail(photo, 64) is None
    assert not started.exists()


@pytest.mark.parametrize("kind", ["GIF", "PPM", "TGA", "ICNS"])
def test_only_formats_of_photos_are_tried(tmp_path, kind):
    Image.new("RGB", (256, 256), (90, 80, 70)).save(tmp_path / "a.jpg", kind)
    reasons = ("not an image, or an unsupported format", "a GIF, ", "a JPEG 2000 picture, ")
    assert examine(tmp_path / "a.jpg").reason.startswith(reasons)


def special_files(folder: Path) -> dict[str, Path]:
    os.mkfifo(folder / "pipe")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "nowhere").symlink_to(folder / "gone")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    here = os.getcwd()
    os.chdir(folder)  # a socket's path must not be longer than 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("socket")
    finally:
        os.chdir(here)
    return {name: folder / name for name in ("pipe", "zero", "nowhere", "loop", "folder", "socket")}


REASONS = {
    "pipe": "a named pipe, not a file",
    "zero": "a device, not a file",
    "nowhere": "a link to a file that does not exist",
    "loop": "a link to itself",
    "folder": "a folder, not a file",
    "socket": "a socket, not a file",
}


def test_what_is_not_a_file_is_set_aside_with_the_reason(tmp_path):
    found = {name: examine(path).reason for name, path in special_files(tmp_path).items()}
    assert found == REASONS


@pytest.mark.parametrize("kind", ["pipe", "zero", "nowhere", "loop", "socket"])
def test_every_other_reader_refuses_it_too(tmp_path, kind):
    path = special_files(tmp_path)[kind]
    with pytest.raises(FileFormatError, match=REASONS[kind]):
        read_vertices(path)
    with pytest.raises(FileFormatError, match=REASONS[kind]):
        read_picture(path, 1)
    with pytest.raises(UserError, match=REASONS[kind]):
        extract_frames(path, tmp_path / "frames", 3, Progress())
    with pytest.raises(UserError, match=REASONS[kind]):
        _read_file(path)
    with pytest.raises(UserError):
        read_json(path, "do something")
    truth = tmp_path / "truth"
    truth.mkdir()
    (truth / "a.jpg.camera").symlink_to(path)
    with pytest.raises(UserError):
        read_truth(truth)


# -- memory -----------------------------------------------------------------------------------------


def png(path: Path, side: int, bits: int, color: int) -> Path:
    """A PNG whose header says side x side pixels, with the data of one line."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, bits, color, 0, 0, 0)
    data = zlib.compress(bytes(side * 8 + 1))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize(("bits", "color"), [(16, 0), (8, 6), (8, 2), (8, 0)])
def test_a_bomb_is_set_aside_before_it_is_decoded(tmp_path, bits, color):
    info = examine(png(tmp_path / "bomb.png", 22_000, bits, color))
    assert info.reason.startswith("too large (decoding takes 5.0 GB of memory and the limit is")
    assert info.reason.endswith(": scale it down")
    info = examine(png(tmp_path / "bomb.png", 60_000, bits, color))
    assert info.reason == (
        "too large (60000 x 60000 pixels are too many, the limit is 500 megapixels): scale it down"
    )


def test_threads_share_the_memory_for_photos():
    budget = PixelBudget(100)
    held, most_held, ended = 0, 0, 0
    lock = threading.Lock()

    def work(size: int) -> None:
        nonlocal held, most_held, ended
        with budget.reserve(size):
            with lock:
                held += size
                most_held = max(most_held, held)
            time.sleep(0.005)
            with lock:
                held -= size
                ended += 1

    threads = [threading.Thread(target=work, args=(size,)) for size in (60, 60, 30, 30, 100, 10, 60, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert ended == len(threads) and 60 < most_held <= 100


def test_progressive_photos_count_more_memory():
    assert bytes_needed("JPEG", 1000, 1000, True) > bytes_needed("JPEG", 1000, 1000)


def test_conversion_is_exact_and_in_strips(monkeypatch):
    monkeypatch.setattr("blender_recon3d.pipeline.photos.image_files.STRIP", 1000)
    ramp = np.tile(np.arange(256), (300, 1))
    for values in ((ramp * 257).astype(np.uint16), (ramp * 257).astype(np.int32), ramp.astype(np.float32)):
        found = np.asarray(upright_rgb(Image.fromarray(values)))
        assert found.shape == (300, 256, 3) and (found == ramp[..., None]).all()
    clear = np.dstack([ramp, ramp, ramp, np.full_like(ramp, 128)]).astype(np.uint8)
    found = np.asarray(upright_rgb(Image.fromarray(clear, "RGBA"))).astype(int)
    assert np.abs(found - (255 * 127 + ramp[..., None] * 128) / 255).max() <= 1
    hole = Image.fromarray(ramp.astype(np.uint8))
    hole.info["transparency"] = 7
    expected = np.where(ramp == 7, 255, ramp)
    assert (np.asarray(upright_rgb(hole)) == expected[..., None]).all()
