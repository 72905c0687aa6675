"""The demo capture is complete, and its ground truth fits its photos."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="Pillow comes with the engine's environment")
ImageFilter = pytest.importorskip("PIL.ImageFilter")

DEMO = Path(__file__).resolve().parents[2] / "demo"
FOCAL_LENGTH_IN_35MM_FILM = 0xA405
EXIF_DIRECTORY = 0x8769


def read_cameras() -> tuple[list[float], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """SIMPLE_RADIAL parameters (f, cx, cy, k) and each photo's cam_from_world (R, t), from COLMAP's text files."""
    camera = (DEMO / "truth" / "cameras.txt").read_text().split()
    assert camera[1:4] == ["SIMPLE_RADIAL", "1200", "900"]
    poses = {}
    for line in filter(None, (DEMO / "truth" / "images.txt").read_text().split("\n")):
        words = line.split()
        w, x, y, z = map(float, words[1:5])
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        poses[words[9]] = rotation, np.array(list(map(float, words[5:8])))
    return [float(v) for v in camera[4:]], poses


def read_surface() -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) in meters and unit normals (N, 3)."""
    header, data = (DEMO / "truth" / "surface.ply").read_bytes().split(b"end_header\n", 1)
    rows = np.frombuffer(data, [("xyz", "<f4", 3), ("normal", "i1", 3)])
    assert len(rows) == int(re.search(rb"element vertex (\d+)", header)[1])
    return rows["xyz"].astype(float), rows["normal"] / 127.0


def look_up(photo: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Bilinear gray values at COLMAP pixel coordinates (N, 2), first pixel center (0.5, 0.5)."""
    corner = np.floor(pixels - 0.5).astype(int)
    u, v = (pixels - 0.5 - corner).T
    x, y = corner.T
    top = (1 - u) * photo[y, x] + u * photo[y, x + 1]
    return (1 - v) * top + v * ((1 - u) * photo[y + 1, x] + u * photo[y + 1, x + 1])


def test_photos_and_poses_are_the_same_set_and_small_enough():
    photos = sorted(path.name for path in (DEMO / "photos").iterdir())
    _, poses = read_cameras()
    assert photos == sorted(poses)
    assert len(photos) >= 24
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if "renders" not in path.parts) < 8_000_000


def test_exif_tells_a_focal_length_near_the_true_one():
    (focal, *_), poses = read_cameras()
    for name in poses:
        with Image.open(DEMO / "photos" / name) as photo:
            assert photo.size == (1200, 900)
            exif = photo.getexif()
        assert (exif[0x010F], exif[0x0110], exif[0x0112]) == ("Recon3D", "Demo", 1)
        # 35 mm film has a diagonal of 43.27 mm, the photo one of 1500 px.
        exif_focal = exif.get_ifd(EXIF_DIRECTORY)[FOCAL_LENGTH_IN_35MM_FILM] / 43.27 * 1500
        assert exif_focal == pytest.approx(focal, rel=0.02)


def test_surface_lies_in_the_ball_that_truth_json_names():
    truth = json.loads((DEMO / "truth" / "truth.json").read_text())
    points, normals = read_surface()
    assert len(points) > 100_000
    assert np.linalg.norm(points - truth["centre"], axis=1).max() < truth["radius_of_interest"] + 0.01
    assert points[:, 2].max() == pytest.approx(truth["size"], abs=0.001)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=0.02)


def test_neighboring_photos_agree_best_on_the_surface():
    """The fine texture at the same surface points correlates between two photos, most of all on the surface."""
    (focal, cx, cy, k), poses = read_cameras()
    points, normals = read_surface()

    def see(name: str, where: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gray values minus their surroundings', whether inside the photo, whether the surface faces the camera."""
        rotation, translation = poses[name]
        local = where @ rotation.T + translation
        flat = local[:, :2] / local[:, 2:]
        pixels = focal * (1 + k * (flat**2).sum(1, keepdims=True)) * flat + (cx, cy)
        inside = ((pixels > 2) & (pixels < (1198, 898))).all(1)
        facing = -(local * (normals @ rotation.T)).sum(1) / np.linalg.norm(local, axis=1) > 0.5
        with Image.open(DEMO / "photos" / name) as photo:
            gray = photo.convert("L")
        fine = np.asarray(gray, float) - np.asarray(gray.filter(ImageFilter.BoxBlur(4)), float)
        return look_up(fine, np.where(inside[:, None], pixels, 2)), inside, facing

    def agreement(first: str, second: str, where: np.ndarray) -> float:
        a, inside_a, facing_a = see(first, where)
        b, inside_b, facing_b = see(second, where)
        both = inside_a & inside_b & facing_a & facing_b
        return float(np.corrcoef(a[both], b[both])[0, 1])

    names = sorted(poses)
    for first, second in [(names[0], names[1]), (names[7], names[8]), (names[20], names[21])]:
        on = agreement(first, second, points)
        # Noise, JPEG and points hidden in one of the two photos keep it below 1.
        assert on > 0.5
        assert on > agreement(first, second, points + 0.002 * normals)
        assert on > agreement(first, second, points - 0.002 * normals)
