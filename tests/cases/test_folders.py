"""Folders as users have them: thumbnails, system folders, links, videos, RAW, masks, other systems' names."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.documents.codec import decode
from blender_recon3d.pipeline.documents.photos_json import PhotosDocument
from blender_recon3d.pipeline.documents.registration_json import RegistrationDocument
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.user_path import recorded_path
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.photos.find_photos import look_for
from blender_recon3d.pipeline.photos.left_out import notes
from blender_recon3d.pipeline.photos.masks import match_masks, read_mask
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.report.advice import advise
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.workspace import Workspace
from blender_recon3d.scene.importing.find_source import Source
from tests.support.pictures import picture, save


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found_in(folder: Path, masks: str = "") -> tuple[list[str], list[str], str]:
    """Names of photos and videos, relative to the folder, and the messages."""
    found = look_for([str(folder)], folder / "nowhere", masks)
    photos, videos = (
        [path.relative_to(folder).as_posix() for path in files] for files in (found.photos, found.videos)
    )
    return photos, videos, " ".join(note.text for note in notes(found))


@pytest.mark.parametrize(
    "system",
    ["@eaDir/1.jpg", "$RECYCLE.BIN/S-1-5-21", "$Recycle.Bin", "#recycle", "@Recycle", ".thumbnails", "lost+found",
     "__MACOSX", "System Volume Information", "Trash", ".Trash-1000/files", "RECYCLER", "FOUND.000", "@tmp",
     "Catalog Previews.lrdata", "PRIVATE/M4ROOT/THMBNL", "files_trashbin", "Papierkorb", "Deleted Items"],
)  # fmt: skip
def test_files_of_the_system_are_not_the_users_photos(tmp_path, system):
    touch(tmp_path, "1.jpg", "2.jpg", "3.jpg", f"{system}/4.jpg")
    photos, _, said = found_in(tmp_path)
    assert photos == ["1.jpg", "2.jpg", "3.jpg"]
    hidden = system.startswith(".")
    assert (said == "") == hidden and (hidden or any(part in said for part in system.split("/")))


def test_such_a_folder_counts_when_it_is_named(tmp_path):
    touch(tmp_path / "Trash", "1.jpg")
    assert found_in(tmp_path / "Trash")[0] == ["1.jpg"]


def test_links_to_folders_are_followed_once_and_never_upwards(tmp_path):
    photos = touch(tmp_path / "photos", "day1/1.jpg", "day1/2.jpg", "3.jpg")
    touch(tmp_path / "card", "4.jpg")
    touch(tmp_path, "not_asked_for.jpg")
    for name, target in {"card": tmp_path / "card", "again": photos / "day1", "up": tmp_path, "self": photos,
                         "to_card": tmp_path / "card", "dead": tmp_path / "gone"}.items():  # fmt: skip
        (photos / name).symlink_to(target, target_is_directory=True)
    (tmp_path / "card" / "back").symlink_to(photos, target_is_directory=True)
    assert found_in(photos)[0] == ["3.jpg", "card/4.jpg", "day1/1.jpg", "day1/2.jpg"]


@pytest.mark.parametrize("kind", ["jfif", "jpe", "mpo", "avif", "bmp", "JPEG"])
def test_other_endings_are_read(tmp_path, kind):
    formats = {"avif": "AVIF", "bmp": "BMP", "mpo": "MPO"}
    (tmp_path / "photos").mkdir()
    for number in range(3):
        options = (
            {"append_images": [picture(9)], "save_all": True} if kind == "mpo" else {}
        )  # its second picture
        picture(number).save(tmp_path / "photos" / f"{number}.{kind}", formats.get(kind, "JPEG"), **options)
    workspace = Workspace(tmp_path / "out")
    stage.run(workspace, PhotosSettings(sources=(str(tmp_path / "photos"),)), Progress())
    for number, photo in enumerate(workspace.used_photos()):
        with Image.open(workspace.images / photo.name) as image:
            assert image.format in ("JPEG", "PNG", "MPO")
            difference = np.asarray(image.convert("RGB")).astype(int) - np.asarray(picture(number))
            assert np.abs(difference).mean() < 14


def test_photos_without_an_extension_are_recognized_by_their_content(tmp_path):
    """Only if there are no others: beside photos they are backups."""
    folder = tmp_path / "photos"
    for number, name in enumerate(("IMG_1.JPG~", "IMG_2.jpg_original", "IMG_3")):
        save(folder / "a.png", picture(number))
        (folder / "a.png").rename(folder / name)
    touch(folder, "notes.txt")
    photos, _, said = found_in(folder)
    assert photos == ["IMG_1.JPG~", "IMG_2.jpg_original", "IMG_3"] and "3 files (IMG_1.JPG~" in said
    save(folder / "IMG_4.jpg", picture(4))
    assert found_in(folder)[0] == ["IMG_4.jpg"]


def test_raw_files_are_reported_with_advice(tmp_path, monkeypatch):
    for name in ("rawpy", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    folder = touch(tmp_path / "photos", *(f"IMG_{n}.DNG" for n in range(9)), "IMG_0.jpg")
    save(folder / "IMG_20.jpg", picture(0))
    with pytest.raises(UserError) as failed:
        stage.run(Workspace(tmp_path / "out"), PhotosSettings(sources=(str(folder),)), Progress())
    text = str(failed.value)
    assert "1 of 2 photos" in text and "8 RAW files (IMG_1.DNG, IMG_2.DNG, IMG_3.DNG and others)" in text
    assert "develop them to JPEG or TIFF" in text
    found = inspect_photos(JobSettings.build(photos=(str(folder),)), Progress(), tmp_path / "out")
    assert any("8 RAW files" in sentence for sentence in found.advice)
    assert any(
        "1 RAW file beside photos of the same name is left out" in sentence for sentence in found.advice
    )
    only = touch(tmp_path / "only", "a.cr3", "b.NEF", "c.jxl")
    with pytest.raises(
        UserError, match=r"No photos were found .* 2 RAW files .* 1 JPEG XL picture \(c.jxl\) is left out"
    ):
        stage.run(Workspace(tmp_path / "out2"), PhotosSettings(sources=(str(only),)), Progress())


def test_a_video_beside_its_cover_is_used_and_one_beside_photos_is_reported(tmp_path):
    drone = touch(tmp_path / "drone", "DJI_0001.MP4", "DJI_0001_cover.jpg")
    photos, videos, said = found_in(drone)
    assert (photos, videos) == ([], ["DJI_0001.MP4"]) and "DJI_0001_cover.jpg" in said
    phone = touch(tmp_path / "phone", "1.jpg", "2.jpg", "3.jpg", "1.mov", "holiday.mp4")
    photos, videos, said = found_in(phone)
    assert len(photos) == 3 and not videos
    assert "1 video (holiday.mp4) beside the photos is not used" in said and "choose the video itself" in said


def test_of_a_live_photo_with_its_video_the_photo_is_used(tmp_path):
    folder = touch(tmp_path, "1.heic", "1.MOV", "2.heic", "walk.mp4")
    found = look_for(
        [str(folder / name) for name in ("1.heic", "1.MOV", "2.heic", "walk.mp4")], folder / "nowhere"
    )
    assert [path.name for path in found.photos] == ["1.heic", "2.heic"]
    assert [path.name for path in found.videos] == ["walk.mp4"]


def test_photos_that_are_only_in_the_cloud_are_reported(tmp_path):
    touch(tmp_path, "1.jpg", ".2.HEIC.icloud", ".notes.pages.icloud")
    photos, _, said = found_in(tmp_path)
    assert photos == ["1.jpg"] and said.startswith("1 photo (2.HEIC) is in iCloud and not on this computer")


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("a.jpg", b"GIF89a", "a GIF"),
        ("a.jpg", b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        ("a.jpg", b"\n<!DOCTYPE html>", "a web page"),
        ("a.jpg", b"\0\0\0\x18ftypmp42", "a video that is named like a photo"),
        ("photos.zip", b"PK\3\4", "an archive"),
        ("a.tif", b"II*\0\x08\0\0\0\0\0", "an unsupported kind of TIFF"),
        ("a.dng", b"II*\0", "a RAW file"),
        ("a.jpg", b"Ceci", "not an image"),
    ],
)
def test_files_that_are_not_photos_are_reported_by_type(tmp_path, name, head, reason):
    (tmp_path / name).write_bytes(head)
    assert examine(tmp_path / name).reason.startswith(reason)


def test_animations_and_stacks_are_reported(tmp_path):
    for name in ("clip.webp", "scan.tif"):
        picture(0).save(tmp_path / name, save_all=True, append_images=[picture(1), picture(2)])
        with pytest.raises(
            UserError, match=rf"1 file \({name}\) holds up to 3 pictures, of which only the first"
        ):
            stage.run(
                Workspace(tmp_path / "out"), PhotosSettings(sources=(str(tmp_path / name),)), Progress()
            )
    picture(0).save(tmp_path / "clip.gif", save_all=True, append_images=[picture(1), picture(2)])
    with pytest.raises(UserError, match=r"clip.gif: a GIF, .* use the video"):
        stage.run(
            Workspace(tmp_path / "out"), PhotosSettings(sources=(str(tmp_path / "clip.gif"),)), Progress()
        )


# -- masks ------------------------------------------------------------------------------------------


def test_masks_of_equal_names_go_by_their_folders(tmp_path):
    photos = [tmp_path / "photos" / name for name in ("day1/a.jpg", "day2/a.jpg", "day2/b.jpg")]
    masks = touch(tmp_path / "masks", "day1/a.png", "photos/day2/a.png", "b.JPG", "b.jpg.png", "else/b.png")
    found = match_masks(masks, photos)
    named = {
        photo.relative_to(tmp_path).as_posix(): mask.relative_to(masks).as_posix()
        for photo, mask in found.of.items()
    }
    assert named == {
        "photos/day1/a.jpg": "day1/a.png",
        "photos/day2/a.jpg": "photos/day2/a.png",
        "photos/day2/b.jpg": "b.jpg.png",  # COLMAP's naming is more specific
    }
    assert not found.unclear


def test_masks_of_other_systems_and_programs_find_their_photos(tmp_path):
    photos = [
        tmp_path / "photos" / name for name in ("day1/a.jpg", "Ko\u0308pfe.jpg", "c.jpg", "day2\\d.jpg")
    ]
    masks = touch(tmp_path / "masks", "day1\\A.PNG", "K\u00f6pfe.png", "c_mask.png", "Day2/d.png")
    found = match_masks(masks, photos)
    assert [found.of[photo].name for photo in photos] == [
        "day1\\A.PNG",
        "K\u00f6pfe.png",
        "c_mask.png",
        "d.png",
    ]


def test_masks_of_all_kinds_keep_the_same(tmp_path):
    kept = np.zeros((30, 40), bool)
    kept[5:20, 10:30] = True
    white, gray = np.where(kept, 255, 0).astype(np.uint8), np.full((30, 40), 90, np.uint8)
    bright = np.where(kept, 140, 250).astype(np.uint8)
    files = {
        "black and white": white,
        "0 and 1": kept.astype(np.uint8),
        "a cut-out": np.dstack([bright, bright, gray, white]),
        "painted over": np.dstack([0 * gray, 0 * gray, 0 * gray, 255 - white]),
        "16 bits": white.astype(np.uint16) * 257,
    }
    for name, values in files.items():
        cv2.imwrite(str(tmp_path / "mask.png"), values)
        assert np.array_equal(read_mask(tmp_path / "mask.png"), kept), name
    Image.fromarray(kept).save(tmp_path / "mask.tif")  # one bit a pixel
    assert np.array_equal(read_mask(tmp_path / "mask.tif"), kept)


def test_a_mask_that_fits_several_photos_is_not_used_and_reported(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(("day1/a.jpg", "day2/a.jpg", "day2/b.jpg", "day2/c.jpg")):
        save(folder / name, picture(number))
    masks = tmp_path / "masks"
    for name in ("a.png", "b.png"):
        save(masks / name, Image.new("L", (480, 320), 0))
    workspace, events = Workspace(tmp_path / "out"), []
    settings = PhotosSettings(sources=(str(folder),), masks=str(masks))
    stage.run(workspace, settings, Progress(events.append))
    assert [path.name for path in workspace.masks.iterdir()] == ["day2_b.jpg.png"]
    said = " ".join(event.message for event in events if event.kind == "warning")
    assert "The mask a.png fits day1/a.jpg and day2/a.jpg, so it is not used" in said
    assert "day1/IMG_1.png" in said


def test_masks_beside_photos_are_not_used_as_photos(tmp_path):
    mask = np.zeros((320, 480), np.uint8)
    cv2.circle(mask, (200, 160), 90, 255, -1)
    cv2.imwrite(str(tmp_path / "a_mask.png"), mask)
    assert examine(tmp_path / "a_mask.png").reason.startswith("a mask, not a photo")
    for number, photo in enumerate(
        (mask // 2 + 20, np.full_like(mask, 255), np.asarray(picture(0).convert("1")))
    ):
        Image.fromarray(photo).save(tmp_path / f"{number}.png")
        assert "mask" not in examine(tmp_path / f"{number}.png").reason


def test_masks_inside_the_folder_of_photos_are_not_used_as_photos(tmp_path):
    touch(tmp_path, "a.jpg", "masks/a.png")
    assert found_in(tmp_path, str(tmp_path / "masks"))[0] == ["a.jpg"]


# -- workspaces of Windows --------------------------------------------------------------------------


def test_paths_of_windows_keep_their_names():
    assert recorded_path(r"C:\Users\me\Photos\IMG_1.jpg").stem == "IMG_1"
    assert recorded_path(r"\\nas\share\IMG_1.jpg").stem == "IMG_1"
    assert recorded_path("/home/me/odd\\name.jpg").name == "odd\\name.jpg"


def test_names_of_a_model_of_windows(tmp_path):
    touch(tmp_path, "day1/a.jpg")
    source = Source(tmp_path, tmp_path, tmp_path, None, np.eye(4))
    assert source.title("day1\\a.jpg") == "a" and source.photo("day1\\a.jpg") == tmp_path / "day1" / "a.jpg"


def test_a_workspace_from_windows_is_reported():
    photos = {"photos": [{"name": "a.jpg", "source": r"C:\x\IMG_1.jpg", "state": "used"}]}
    found = {"photos": {"a.jpg": {"state": "not registered", "reason": ""}}}
    (advice,) = advise(decode(PhotosDocument, photos), decode(RegistrationDocument, found), {})
    assert "(IMG_1)" in advice.text and "C:" not in advice.text
