"""How fast depth is on this machine: measured, and kept for a day."""

import json
import time

import pytest

from blender_recon3d.pipeline.mvs.depth_speed import KEPT, seconds_per_megapixel


def test_it_is_measured_and_kept(tmp_path):
    file = tmp_path / "cache" / "depth_speed.json"
    seconds = seconds_per_megapixel("cpu", 2, file)
    assert 0.1 < seconds < 200
    ((key, (kept, when)),) = json.loads(file.read_text()).items()
    assert kept == pytest.approx(seconds, abs=1e-3) and abs(when - time.time()) < 600
    file.write_text(json.dumps({key: [7.25, when]}))
    seconds_per_megapixel.cache_clear()  # as in the next process
    assert seconds_per_megapixel("cpu", 2, file) == 7.25


@pytest.mark.parametrize("content", ["{", "[]", '{"KEY": 3}', '{"KEY": [-1, NOW]}', '{"KEY": [7.25, OLD]}'])
def test_what_is_damaged_or_old_is_measured_again(tmp_path, content, monkeypatch):
    from blender_recon3d.pipeline.mvs import depth_speed

    monkeypatch.setattr(depth_speed, "TRIAL", (48, 64))
    file = tmp_path / "depth_speed.json"
    seconds_per_megapixel.cache_clear()
    seconds_per_megapixel("cpu", 1, file)
    (key,) = json.loads(file.read_text())
    now = time.time()
    file.write_text(content.replace("KEY", key).replace("NOW", str(now)).replace("OLD", str(now - KEPT - 60)))
    seconds_per_megapixel.cache_clear()
    assert seconds_per_megapixel("cpu", 1, file) not in (0.0, -1.0, 3.0, 7.25)
    assert json.loads(file.read_text())[key][1] >= now - 1
