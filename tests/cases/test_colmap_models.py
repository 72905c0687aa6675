"""COLMAP models of other programs, as `recon3d import` reads them: all kinds of text, several models in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.project_files import has_tracks
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.scene.importing.colmap_files import read_model
from tests.support.made_workspaces import ring, write_binary, write_text

PHOTOS = 4


def without_points(content: bytes) -> bytes:
    """Images without their second lines, and no newline at the end."""
    return b"\n".join(line for line in content.splitlines() if line.endswith(b".jpg"))


def written(how: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for path in folder.glob("*.txt"):
            path.write_bytes(how(path.read_bytes()))

    return change


def images_without_points(folder: Path) -> None:
    (folder / "images.txt").write_bytes(without_points((folder / "images.txt").read_bytes()))
    (folder / "points3D.txt").unlink()


def blanks_in_names(folder: Path) -> None:
    path = folder / "images.txt"
    path.write_text(path.read_text().replace(".jpg", " copy.jpg"))


TEXTS = {
    "as it is": written(lambda content: content),
    "Windows' line ends and mark": written(lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")),
    "UTF-16, as PowerShell has it": written(lambda content: content.decode().encode("utf-16")),
    "a long header": written(lambda content: b"# " + b"x" * 200_000 + b"\n" + content),
    "tabs": written(lambda content: content.replace(b" ", b"\t")),
    "a comment between": written(lambda content: content.replace(b".jpg\n", b".jpg\n# seen at\n")),
    "no points": images_without_points,
    "blanks in names": blanks_in_names,
}


@pytest.mark.parametrize("what", TEXTS)
def test_text_is_read_as_people_have_it_by_engine_and_blender(what, tmp_path):
    write_text(tmp_path / "plain", ring(PHOTOS, points=40))
    write_text(tmp_path / "model", ring(PHOTOS, points=40))
    TEXTS[what](tmp_path / "model")
    expected, found = (read_alignment(tmp_path / name, {}) for name in ("plain", "model"))
    shown = read_model(tmp_path / "model").images
    end = " copy.jpg" if what == "blanks in names" else ".jpg"
    assert len(found.photos) == len(shown) == PHOTOS
    assert [photo.name for photo in found.photos] == [p.name.replace(".jpg", end) for p in expected.photos]
    assert sorted(photo.name for photo in found.photos) == [image.name for image in shown]
    assert len(found.xyz) == (0 if what == "no points" else len(expected.xyz))
    for photo, other in zip(found.photos, expected.photos, strict=True):
        assert np.allclose(photo.cam_from_world, other.cam_from_world, atol=1e-12)


def test_decimal_commas_are_reported(tmp_path):
    write_text(tmp_path, ring(PHOTOS, points=40))
    written(lambda content: content.replace(b".", b","))(tmp_path)
    with pytest.raises(UserError, match="COLMAP cannot read the model"):
        read_alignment(tmp_path, {})


@pytest.mark.parametrize("write", [write_binary, write_text])
@pytest.mark.parametrize("place", ["sparse", "colmap/sparse", "."])
def test_the_largest_model_is_used_and_the_others_are_reported(write, place, tmp_path):
    for number, count in ((0, 3), (1, 6), (2, 4)):
        write(tmp_path / place / str(number), ring(count, points=40))
    found = read_alignment(tmp_path, {})
    assert len(found.photos) == 6
    (note,) = found.notes
    assert "1 was taken, with 6 photos; the other models beside it have 3 and 4" in note


def test_numbers_may_begin_later_and_a_damaged_model_beside_stops_nothing(tmp_path):
    write_binary(tmp_path / "sparse/2", ring(4, points=40))
    write_binary(tmp_path / "sparse/3", ring(5, points=40))
    (tmp_path / "sparse/3/images.bin").write_bytes(b"\7")
    assert len(read_alignment(tmp_path, {}).photos) == 4


@pytest.mark.parametrize("write", [write_binary, write_text])
def test_cameras_without_points_get_points_from_the_photos(write, tmp_path):
    """So features are found and matched, which is not needed for a model with points."""
    write(tmp_path / "with", ring(4, points=40))
    write(tmp_path / "without", ring(4, points=0))
    assert has_tracks(str(tmp_path / "with")) and not has_tracks(str(tmp_path / "without"))


def test_the_chosen_model_is_used(tmp_path):
    write_binary(tmp_path / "sparse/0", ring(3, points=40))
    write_binary(tmp_path / "sparse/1", ring(6, points=40))
    assert len(read_alignment(tmp_path / "sparse/0", {}).photos) == 3
