"""Masks in Blender: over the photo that is looked through, and painted by hand."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

import blender_recon3d  # noqa: E402
from blender_recon3d import api  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.gray_png import write_gray_png  # noqa: E402
from blender_recon3d.pipeline.workspace import Workspace  # noqa: E402
from blender_recon3d.scene.cameras import KEY  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

PHOTO = "photo_001.jpg"


@pytest.fixture
def workspace(tmp_path):
    """An imported result whose second photo's left half is hidden."""
    blender_recon3d.register()
    workspace = Workspace(tmp_path / "out")
    write_workspace(workspace.root, ring())
    write_photos(workspace)
    api.import_result(workspace.root)
    yield workspace
    blender_recon3d.unregister()


def write_photos(workspace):
    """Gray photos of 60 x 40 pixels, PNG under the names that the model has, and the mask of one."""
    for folder in (workspace.images, workspace.dense / "images"):
        for number in range(4):
            write_gray_png(folder / f"photo_{number:03d}.jpg", [bytes([100]) * 60] * 40)
    for folder in (workspace.masks, workspace.dense / "masks"):
        write_gray_png(folder / f"{PHOTO}.png", [bytes(30) + b"\xff" * 30] * 40)


def pixels(image):
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)


def over(camera):
    return [b.image for b in camera.data.background_images if b.image.get(KEY, {}).get("kind") == "mask over"]


def test_the_mask_is_tinted_over_the_photo_that_is_looked_through(workspace):
    scene = bpy.context.scene
    api.look_through(PHOTO)
    assert not over(scene.camera)
    api.show_masks()
    (image,) = over(scene.camera)
    assert (pixels(image)[:, :30, 3] > 0.5).all()
    assert (pixels(image)[:, 30:, 3] == 0).all()
    before = scene.camera
    api.look_through("photo_002.jpg")
    assert not over(scene.camera), "it has no mask"
    assert not over(before)
    api.look_through(PHOTO)
    api.show_masks(False)
    assert not over(scene.camera)
    assert not [image for image in bpy.data.images if image.get(KEY, {}).get("kind") == "mask over"]


def test_a_painted_mask_is_saved_for_the_next_run(workspace):
    image = api.paint_mask(PHOTO)
    painted = pixels(image)
    assert (painted[:, :30, 3] == 0).all() and (painted[:, 30:, 3] == 1).all()
    painted[:10, :, 3] = 0  # the photo's bottom
    image.pixels.foreach_set(painted.ravel())
    assert api.save_mask(image) == f"The mask of {PHOTO} is saved: the next reconstruction uses it."
    saved = bpy.data.images.load(str(workspace.painted_masks / f"{PHOTO}.png"))
    kept = pixels(saved)[..., 0] > 0.5
    assert not kept[:10].any() and not kept[:, :30].any() and kept[10:, 30:].all()
    again = api.paint_mask(PHOTO)
    assert (pixels(again)[..., 3] > 0.5).tolist() == kept.tolist(), "it continues with what was painted"


def test_a_photo_without_a_mask_is_all_shown_at_first(workspace):
    assert (pixels(api.paint_mask("photo_000.jpg"))[..., 3] == 1).all()


def test_a_painted_mask_can_be_discarded(workspace):
    api.save_mask(api.paint_mask(PHOTO))
    api.discard_mask(PHOTO)
    assert not (workspace.painted_masks / f"{PHOTO}.png").exists()
    with pytest.raises(UserError, match="no painted mask"):
        api.discard_mask(PHOTO)


def test_the_buttons_do_the_same(workspace):
    api.look_through(PHOTO)
    assert bpy.ops.recon3d.paint_mask() == {"FINISHED"}
    assert bpy.ops.recon3d.save_mask() == {"FINISHED"}
    assert (workspace.painted_masks / f"{PHOTO}.png").is_file()
    assert bpy.ops.recon3d.discard_mask() == {"FINISHED"}
    assert not (workspace.painted_masks / f"{PHOTO}.png").exists()


def test_a_photo_whose_file_is_gone_is_an_error(workspace):
    (workspace.images / PHOTO).unlink()
    with pytest.raises(UserError, match=PHOTO):
        api.paint_mask(PHOTO)
