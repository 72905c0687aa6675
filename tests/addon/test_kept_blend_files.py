""".blend files of earlier versions: the add-on opens them with their values and continues with their content."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, engine_properties  # noqa: E402
from blender_recon3d.pipeline.cli.parser import make_parser  # noqa: E402
from blender_recon3d.pipeline.cli.setting_options import given_options  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import INPUTS  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.kept import FOLDER, KEPT_VERSIONS, unpack_workspace  # noqa: E402

# The choices in 0.1.0's panel, as arguments of its command line, which any later engine accepts.
WORDS_0_1_0 = """
    --masks /tmp/capture/masks --grouping single --camera-model PINHOLE --camera-params 1,2,3,4 --frames 60
    --keep-blurred --features sift --precision bf16 --max-keypoints 1000 --feature-size 1200 --pairs sequential
    --neighbours 7 --match-threshold 0.35 --min-inliers 20 --mapper global --dense torch --dense-size 800
    --min-views 4 --memory 2.5 --faces 5000 --region all --clean off --closed --texture 1024
""".split()


@pytest.fixture(params=KEPT_VERSIONS)
def opened(request, addon):
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / request.param / "scene.blend"))
    return bpy.context.scene


def test_choices_are_kept(opened):
    settings = opened.recon3d
    assert (settings.photos, settings.workspace) == ("/tmp/capture/photos", "/tmp/capture/workspace")
    assert (settings.quality, settings.until) == ("high", "texture")
    assert (settings.import_when_done, settings.show_live) == (False, False)
    chosen = engine_properties.chosen_options(settings.advanced)
    parsed = make_parser().parse_args(["run", "photos", "-o", "out", *WORDS_0_1_0])
    assert chosen == given_options(parsed)


def test_the_import_can_be_worked_on(opened):
    assert api.clean(min_views=4) == "125 of 287 points remain."
    labels = [socket.name for socket in bpy.data.node_groups["Recon3D Clean"].interface.items_tree]
    assert set(labels) >= {
        item.label for item in INPUTS.values()
    }  # instead of the labels of the file's version
    api.look_through("box_2")
    assert opened.camera.name == "box_2"


def test_the_import_is_updated_in_place(opened, tmp_path):
    names = {thing.name for thing in bpy.data.objects}
    workspace = unpack_workspace("0.1.0", tmp_path / "workspace")
    for collection in bpy.data.collections:
        kept = collection.get("recon3d")
        if kept is not None and "workspace" in kept:
            kept["workspace"] = str(workspace)  # as if it were on this machine
    import_workspace(workspace)
    assert {thing.name for thing in bpy.data.objects} == names
