"""A model of fewer than half of the photos is a result, but a doubtful one."""

import json

import cv2
import numpy as np

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import box_scene, ring, spot_texture, write_capture


def test_a_model_of_a_few_of_the_photos_is_doubted(tmp_path):
    write_capture(tmp_path / "photos", ring(4, arc=0.6), box_scene(texture=spot_texture))
    for number in range(5):  # of other subjects
        noise = np.random.default_rng(number).integers(0, 255, (60, 80, 3)).astype(np.uint8)
        picture = cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "photos" / f"other_{number}.jpg"), picture)
    out, said = Workspace(tmp_path / "out"), []
    settings = JobSettings.build(
        photos=str(tmp_path / "photos"), features="sift", feature_size=500, until="sfm"
    )
    run_job(out, settings, Progress(lambda event: said.append(event.message)))
    (doubt,) = (
        each for each in json.loads(out.report_json.read_text())["doubts"] if each["kind"] == "few photos"
    )
    assert "Only 4 of 9 photos" in doubt["text"] and len(doubt["photos"]) == 5
    assert any("Only 4 of 9 photos" in text for text in said)
