"""AliceVision's .baf: with the list of its photos, and without, where photos are identified by their points."""

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import Alignment
from blender_recon3d.pipeline.alignments.photos_by_points import name_photos
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from tests.pipeline.alignments.test_round_trips import SIZE, an_alignment, errors
from tests.pipeline.alignments.test_take_alignment import entry

# In the order of their ids, the order of the views in the file.
POSES = [152810594, 192419482, 567270990, 1136197549, 1694296464, 2000000000]


def write_baf(path, alignment: Alignment, lens: list[float], named: bool) -> None:
    lines = ["1", str(len(alignment.photos)), str(len(alignment.xyz)), " ".join(map(repr, lens))]
    for photo in alignment.photos:
        rotation = photo.cam_from_world[:, :3]
        values = [*rotation.T.ravel(), *(-rotation.T @ photo.cam_from_world[:, 3])]
        lines.append(" ".join(repr(float(value)) for value in values))
    for point, xyz in enumerate(alignment.xyz):
        rows = np.flatnonzero(alignment.point == point)
        seen = [f"77 {POSES[alignment.photo[row]]} {' '.join(map(repr, map(float, alignment.pixel[row])))}"
                for row in rows]  # fmt: skip
        lines.append(f"{' '.join(repr(float(v)) for v in xyz)} {len(seen)} {' '.join(seen)}")
    path.write_text("\n".join(lines) + "\n")
    if named:
        names = [
            f"/my photos/{photo.name} 77 {pose}" for photo, pose in zip(alignment.photos, POSES, strict=True)
        ]
        path.with_name(f"{path.stem}_imgList.txt").write_text("\n".join(names) + "\n")


@pytest.mark.parametrize(
    "lens", [[500.0, 320.0, 240.0, -0.1, 0.02, 0.0], [500.0, 500.0, 0.0, 0.0, -0.1, 0.02, 0.0]]
)
def test_cameras_and_points_of_both_ways_to_write_a_lens(lens, tmp_path):
    truth = an_alignment("RADIAL")
    write_baf(tmp_path / "sfm.baf", truth, lens, named=True)
    found = read_alignment(tmp_path / "sfm.baf", lambda name: SIZE)
    assert [photo.name for photo in found.photos] == [f"/my photos/{photo.name}" for photo in truth.photos]
    named = Alignment(
        "", [type(p)(p.name.rpartition("/")[2], p.lens, p.cam_from_world) for p in found.photos]
    )
    assert errors(named, truth).max() < 1e-6
    assert len(found.point) == len(truth.point)


def test_without_a_list_the_photos_are_those_that_show_the_points(tmp_path):
    truth = an_alignment("PINHOLE")
    write_baf(tmp_path / "sfm.baf", truth, [500.0, 320.0, 240.0], named=False)
    found = read_alignment(tmp_path / "sfm.baf", lambda name: None)
    assert found.unnamed and len(found.photos) == 6
    photos = [entry(f"/p/{name}.png") for name in "fbdaec"]  # photo 0 is f, photo 1 is b ...
    for number, photo in enumerate(photos[:-1]):
        picture = np.zeros((480, 640), np.uint8)
        for x, y in truth.pixel[truth.photo == number]:
            cv2.circle(picture, (int(x), int(y)), 3, 255, -1, cv2.LINE_AA)
        cv2.imwrite(str(tmp_path / photo.name), picture)
    cv2.imwrite(str(tmp_path / photos[-1].name), np.zeros((480, 640), np.uint8))  # one photo shows no points
    named = name_photos(found, photos, tmp_path, Progress())
    assert [photo.name for photo in named.photos] == ["/p/f.png", "/p/b.png", "/p/d.png", "/p/a.png",
                                                      "/p/e.png", "pose 2000000000"]  # fmt: skip
    with pytest.raises(UserError, match="imgList"):
        name_photos(found, photos[-1:], tmp_path, Progress())


def test_a_list_of_other_photos_is_reported(tmp_path):
    write_baf(tmp_path / "sfm.baf", an_alignment("PINHOLE"), [500.0, 320.0, 240.0], named=True)
    names = tmp_path / "sfm_imgList.txt"
    names.write_text(names.read_text().split("\n", 1)[1])
    with pytest.raises(UserError, match="names 5 photos"):
        read_alignment(tmp_path / "sfm.baf", lambda name: SIZE)
