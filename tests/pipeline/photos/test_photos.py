"""Importing photos: formats, orientation, cameras, triage, names, masks."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.photos.exif import read_exif
from blender_recon3d.pipeline.photos.find_photos import safe_name
from blender_recon3d.pipeline.photos.image_files import read_rgb
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import CAPTURES, NO_CAPTURES
from tests.support.pictures import picture, save
from tests.support.scenes import noise_texture


def take_in(folder: Path, output: Path, **settings: object):
    workspace = Workspace(output)
    events = []
    summary = stage.run(
        workspace, PhotosSettings(sources=(str(folder),), **settings), Progress(events.append)
    )
    entries = {Path(entry.source).name: entry for entry in workspace.read_photos().photos}
    return workspace, entries, summary, events


def test_every_format_is_imported_with_the_same_pixels(tmp_path):
    folder = tmp_path / "photos"
    kinds = [".jpg", ".png", ".tif", ".webp", ".heic"]
    for number, kind in enumerate(kinds):
        options = {"lossless": True} if kind == ".webp" else {}
        image = picture(number)
        if kind == ".heic":
            folder.mkdir(exist_ok=True)
            pillow_heif.from_pillow(image).save(folder / "p.heic", quality=95)
        else:
            save(folder / f"p{kind}", image, **options)
    workspace, entries, _, _ = take_in(folder, tmp_path / "out")
    for number, kind in enumerate(kinds):
        entry = entries[f"p{kind}"]
        assert entry.state == "used"
        found = read_rgb(workspace.images / entry.name).astype(int)
        worst = 0 if kind in (".png", ".tif") else 14  # a lossy photo, or one kept as JPEG at quality 97
        assert np.abs(found - np.asarray(picture(number)).astype(int)).mean() <= worst


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "L", "CMYK", "P", "1"])
def test_unusual_pixels_become_eight_bit_rgb(tmp_path, mode):
    folder = tmp_path / "photos"
    for number in range(3):
        image = picture(number)
        if mode == "I;16":
            gray = np.asarray(image.convert("L")).astype(np.uint16) * 257
            image = Image.fromarray(gray)
        else:
            image = image.convert(mode)
        save(folder / f"p{number}{'.tif' if mode in ('I;16', 'CMYK', '1') else '.png'}", image)
    workspace, entries, summary, _ = take_in(folder, tmp_path / "out")
    assert summary["photos"] == 3
    for number, entry in enumerate(sorted(entries.values(), key=lambda entry: entry.source)):
        pixels = cv2.imread(str(workspace.images / entry.name), cv2.IMREAD_COLOR)
        assert pixels.shape == (320, 480, 3)
        if mode in ("I;16", "L"):
            expected = np.asarray(picture(number).convert("L")).astype(int)
            assert np.abs(pixels[..., 0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path, orientation):
    folder = tmp_path / "photos"
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    for number in range(3):
        upright = picture(number)
        stored = upright.transpose(back[orientation]) if orientation > 1 else upright
        save(folder / f"p{number}.png", stored, {0x0112: orientation})
    workspace, entries, _, _ = take_in(folder, tmp_path / "out")
    for number in range(3):
        entry = entries[f"p{number}.png"]
        assert (entry.width, entry.height) == (480, 320)
        target = workspace.images / entry.name
        assert np.array_equal(cv2.imread(str(target))[..., ::-1], np.asarray(picture(number)))
        with Image.open(target) as image:
            assert read_exif(image).orientation == 1


def test_bad_photos_are_set_aside_with_the_reason(tmp_path):
    folder = tmp_path / "photos"
    for number in range(8):
        save(folder / f"good_{number}.jpg", picture(number))
    (folder / "empty.jpg").touch()
    whole = (folder / "good_0.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("I am no photo")
    (folder / "copy.jpg").write_bytes(whole)
    save(folder / "tiny.jpg", picture(20).resize((90, 60)))
    blurred = cv2.GaussianBlur(np.asarray(picture(22)), (0, 0), 4)
    save(folder / "blurred.jpg", Image.fromarray(blurred))
    save(folder / "smeared.jpg", Image.fromarray(cv2.blur(np.asarray(picture(23)), (61, 61))))
    (folder / "notes.txt").write_text("not looked at")
    _, entries, summary, events = take_in(folder, tmp_path / "out")
    reasons = {name: entry.reason for name, entry in entries.items() if entry.state != "used"}
    assert "empty" in reasons.pop("empty.jpg")
    assert "truncated" in reasons.pop("cut.jpg")
    assert "not an image" in reasons.pop("text.jpg")
    duplicates = [name for name in ("copy.jpg", "good_0.jpg") if name in reasons]
    assert len(duplicates) == 1 and "the same file as" in reasons.pop(duplicates[0])
    assert "far too small" in reasons.pop("tiny.jpg")
    assert "blurred" in reasons.pop("blurred.jpg")
    assert "blurred" in reasons.pop("smeared.jpg")
    assert not reasons and "notes.txt" not in entries
    assert summary["set_aside"] == 7
    assert sum(event.kind == "warning" for event in events) == 7
    kept = take_in(folder, tmp_path / "kept", keep_blurred=True)[1]
    assert kept["blurred.jpg"].state == "used"


def test_a_photo_far_smaller_than_the_rest_is_set_aside(tmp_path):
    folder = tmp_path / "photos"
    for number in range(4):
        save(folder / f"p{number}.jpg", picture(number, 512, 400).resize((1536, 1200)))
    save(folder / "thumb.jpg", picture(9, 340, 240))
    _, entries, _, _ = take_in(folder, tmp_path / "out")
    assert "the others have 1536" in entries["thumb.jpg"].reason


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=NO_CAPTURES)
def test_real_captures_lose_no_photo(tmp_path):
    for name, focal in (("saharov", 1519.0), ("monstree", 1294.3), ("sceaux", 1618.8), ("buddha", None)):
        _, entries, summary, _ = take_in(CAPTURES / name / "photos", tmp_path / name)
        assert summary["set_aside"] == 0, name
        prior = next(iter(entries.values())).focal_prior_px
        assert prior == (pytest.approx(focal, rel=1e-3) if focal else None), name


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_usable_photos_end_with_code_2_and_a_message(tmp_path, count):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(count):
        save(folder / f"p{number}.jpg", picture(number))
    (folder / "empty.jpg").touch()
    with pytest.raises(UserError, match="at least 3") as caught:
        take_in(folder, tmp_path / "out")
    assert caught.value.exit_code == 2
    assert "empty.jpg: the file is empty" in str(caught.value)


def test_identical_photos_count_as_one(tmp_path):
    folder = tmp_path / "photos"
    save(folder / "a.jpg", picture(1))
    for name in "bcdef":
        shutil.copy(folder / "a.jpg", folder / f"{name}.jpg")
    with pytest.raises(UserError, match="1 of 6 photos"):
        take_in(folder, tmp_path / "out")


def test_a_missing_folder_of_photos_is_reported(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        take_in(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match="No photos were found"):
        take_in(tmp_path / "bare", tmp_path / "out")


def test_any_name_becomes_a_safe_one(tmp_path):
    folder = tmp_path / "Fotos für 写真 🏛 mit Leerzeichen"
    names = ["a b.jpg", "a_b.jpg", "ä.jpg", "写真.jpg", "🏛.jpg", "-rf.jpg", "a&b;$(x).jpg", "sub/a b.jpg"]
    for number, name in enumerate(names):
        save(folder / name, picture(number))
    if os.name != "nt":
        save(folder / "two\nlines.jpg", picture(50))
    workspace, _, _, _ = take_in(folder, tmp_path / "Ausgabe ü 写真")
    used = [photo.name for photo in workspace.used_photos()]
    assert len(set(used)) == len(used) == len(names) + (os.name != "nt")
    for name in used:
        assert name.isascii() and not set(name) & set(" /\\\n&;$()'\"") and not name.startswith(("-", "."))
        assert (workspace.images / name).is_file()


def test_names_differ_also_where_case_does_not():
    taken: set[str] = set()
    assert [safe_name(Path(name), ".jpg", taken) for name in ("A.jpg", "a.jpg", "a.png")] == [
        "A.jpg", "a_2.jpg", "a_3.jpg",
    ]  # fmt: skip


def test_a_read_only_folder_is_left_unchanged(tmp_path):
    folder = tmp_path / "photos"
    paths = [save(folder / f"p{number}.jpg", picture(number), {0x0112: 6}) for number in range(3)]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}
    os.chmod(folder, 0o555)
    try:
        take_in(folder, tmp_path / "out")
    finally:
        os.chmod(folder, 0o755)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths} == before
    assert sorted(folder.iterdir()) == sorted(paths)


def test_photos_are_grouped_by_camera_focal_length_and_size(tmp_path):
    folder = tmp_path / "photos"
    phone = {0x010F: "Maker", 0x0110: "Phone", 0xA405: 26}
    zoom = {0x010F: "Maker", 0x0110: "Zoom", 0x920A: 35.0, 0xA20E: 3000.0, 0xA210: 2, 0xA002: 3543}
    for number in range(2):
        save(folder / f"phone_{number}.jpg", picture(number), phone)
        save(folder / f"tall_{number}.jpg", picture(10 + number, 320, 480), phone)
        save(folder / f"zoom_{number}.jpg", picture(20 + number), zoom)
        save(folder / f"bare_{number}.jpg", picture(30 + number))
    workspace, entries, _, _ = take_in(folder, tmp_path / "out")
    cameras = workspace.read_photos().cameras
    assert [camera.photos for camera in cameras] == [2, 2, 2, 2]
    diagonal = np.hypot(480, 320)
    assert entries["phone_0.jpg"].focal_prior_px == pytest.approx(26 * diagonal / 43.2666, abs=0.01)
    # 3543 pixels at 3000 per inch are a sensor of 30.0 mm, all of which the scaled photo shows.
    assert entries["zoom_0.jpg"].focal_prior_px == pytest.approx(35 / 30.0 * 480, rel=1e-3)
    assert entries["bare_0.jpg"].focal_prior_px is None
    assert take_in(folder, tmp_path / "one", grouping="single")[2]["cameras"] == 2  # one for each size
    assert take_in(folder, tmp_path / "each", grouping="each")[2]["cameras"] == 8


def test_given_intrinsics_are_used_and_checked(tmp_path):
    folder = tmp_path / "photos"
    for number in range(3):
        save(folder / f"p{number}.jpg", picture(number))
    options = {"camera_model": "PINHOLE", "camera_params": "500,501,240,160"}
    workspace, _, _, _ = take_in(folder, tmp_path / "out", **options)
    camera = workspace.read_photos().cameras[0]
    assert camera.params == [500, 501, 240, 160] and camera.prior == "given"
    for params, words in (("500,501", "2 numbers"), ("a,b,c,d", "enter numbers"), ("nan,1,2,3", "numbers")):
        with pytest.raises(UserError, match=words):
            take_in(folder, tmp_path / "bad", camera_model="PINHOLE", camera_params=params)


def test_masks_are_found_turned_and_made_black_and_white(tmp_path):
    folder, masks = tmp_path / "photos", tmp_path / "masks"
    masks.mkdir()
    for number in range(4):
        save(folder / f"p{number}.jpg", picture(number), {0x0112: 6})  # stored 480 x 320, upright 320 x 480
    upright = np.zeros((480, 320), np.uint8)
    upright[:100] = 200
    Image.fromarray(upright).save(masks / "p0.png")
    Image.fromarray(np.rot90(upright)).save(masks / "p1.jpg.png")  # drawn on the photo as stored
    Image.fromarray(upright).resize((160, 240), Image.Resampling.NEAREST).save(masks / "p2.png")
    workspace, entries, _, events = take_in(folder, tmp_path / "out", masks=str(masks))
    for number in range(3):
        mask = cv2.imread(str(workspace.masks / f"{entries[f'p{number}.jpg'].name}.png"), -1)
        assert mask.shape == (480, 320) and set(np.unique(mask)) == {0, 255}
        assert (mask[:100] == 255).all() and (mask[100:] == 0).all(), number
    assert any("1 photos have no mask" in event.message for event in events)
    with pytest.raises(UserError, match="None of the masks"):
        take_in(folder, tmp_path / "none", masks=str(folder.parent / "out"))


def test_a_video_gives_sharp_well_spaced_frames(tmp_path):
    video = tmp_path / "way.mp4"
    wide = cv2.cvtColor(noise_texture(3, 1024), cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"mp4v"), 25, (400, 300))
    blurred = set()
    place = 0
    for index in range(90):
        place += 0 if 30 <= index < 60 else 5  # does not move for a third of the time
        frame = wide[100:400, place : place + 400]
        if index % 3:
            frame = cv2.GaussianBlur(frame, (0, 0), 3)
            blurred.add(index)
        writer.write(frame)
    writer.release()
    workspace, _, _, _ = take_in(video, tmp_path / "out", frames=10)
    indices = [int(photo.name.split("_")[-1].split(".")[0]) for photo in workspace.used_photos()]
    assert 8 <= len(indices) <= 11
    assert not set(indices) & blurred
    assert sum(31 <= index < 59 for index in indices) <= 1


def test_a_broken_video_is_reported(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 1000)
    with pytest.raises(UserError, match="no readable frames"):
        take_in(tmp_path / "broken.mp4", tmp_path / "out")


def test_hostile_exif_is_only_a_hint(tmp_path):
    folder = tmp_path / "photos"
    generator = np.random.default_rng(0)
    for number in range(12):
        path = save(folder / f"p{number}.jpg", picture(number), {0x010F: "Maker", 0xA405: 26, 0x0112: 1})
        content = bytearray(path.read_bytes())
        start = content.index(b"Exif")
        end = start - 2 + int.from_bytes(content[start - 2 : start], "big")
        for place in generator.integers(start + 6, end, 12):
            content[place] = generator.integers(256)
        path.write_bytes(content)
    _, entries, _, _ = take_in(folder, tmp_path / "out")
    assert [entry.state for entry in entries.values()] == 12 * ["used"]
