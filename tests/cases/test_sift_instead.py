"""Where the learned front-end fails, SIFT is tried by itself, and the run says so."""

import json

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import box_scene, ring, spot_texture, write_capture


def test_sift_places_the_photos_that_the_learned_front_end_cannot(tmp_path):
    """So many matches are asked of a pair that the networks, with fewer keypoints, verify none."""
    write_capture(tmp_path / "photos", ring(6, arc=1.0), box_scene(texture=spot_texture))
    out = Workspace(tmp_path / "out")
    options = (
        "--features",
        "learned",
        "--max-keypoints",
        "300",
        "--feature-size",
        "400",
        "--min-inliers",
        "301",
    )
    assert main(["run", str(tmp_path / "photos"), "-o", str(out.root), "--until", "sfm", *options]) == 0
    found = json.loads(out.registration.read_text())["photos"]
    assert all(entry["state"] == "registered" for entry in found.values())
    said = [event.message for event in read_events(out.events)[0] if event.kind == "warning"]
    assert any(
        "SIFT registers 6 of 6 photos where the learned front-end registers 0" in text for text in said
    )
