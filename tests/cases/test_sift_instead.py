"""Where the learned front-end fails, SIFT is tried automatically, and the run and its report say so."""

import json

from blender_recon3d.pipeline.colmap.database import open_database, pair_counts
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

# A pair needs so many matches that the networks, with fewer keypoints, verify none.
OPTIONS = {"features": "learned", "max_keypoints": 200, "feature_size": 320, "min_inliers": 201}


def test_sift_places_the_photos_that_the_learned_front_end_cannot(tmp_path):
    write_capture(tmp_path / "photos", ring(3, arc=0.4), box_scene(texture=spot_texture))
    out = Workspace(tmp_path / "out")
    said: list[str] = []
    settings = JobSettings.build(photos=str(tmp_path / "photos"), until="sfm", **OPTIONS)
    run_job(out, settings, Progress(lambda event: said.append(event.message)))
    found = json.loads(out.registration.read_text())["photos"]
    assert all(entry["state"] == "registered" for entry in found.values())
    assert any(
        "SIFT registers 3 of 3 photos where the learned front-end registers 0" in text for text in said
    )
    with open_database(out.database) as database:
        assert not any(inliers for _, inliers in pair_counts(database).values())
    reported = json.loads(out.report_json.read_text())["pairs"]
    assert len(reported) == 3 and all(pair["inliers"] >= 15 for pair in reported)
