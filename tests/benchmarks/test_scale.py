"""The forecast of a job against benchmarks/results/scale.md: captures of 100 photos and more."""

from __future__ import annotations

import re

import pytest

from benchmarks.measure.scale import CORES, SIZE, compare
from blender_recon3d.pipeline import past_runs
from blender_recon3d.pipeline.job_forecast import forecast_job
from blender_recon3d.pipeline.mvs import depth_forecast
from blender_recon3d.pipeline.settings import JobSettings
from tests.support.engine import REPOSITORY

TABLE = (REPOSITORY / "benchmarks" / "results" / "scale.md").read_text("utf-8")
UNIT = float(re.search(r"Unit of the forecast: ([\d.]+)", TABLE).group(1))
COUNTS = (100, 300, 1000)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(depth_forecast, "cores", lambda: CORES)


def measured(count: int) -> dict[str, float]:
    """Processor seconds by row, from the table's column."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in TABLE.splitlines()
        if line.startswith("|")
    ]
    column = rows[0].index(f"{count:,} photos, s a photo")
    values = {
        row[0]: row[column]
        for row in rows[2 : 2 + next(n for n, row in enumerate(rows[2:]) if row[0][:3] == "all")]
    }
    return {name: float(value) * count for name, value in values.items() if value}


@pytest.mark.parametrize("count", COUNTS)
def test_the_forecast_is_within_30_percent_for_100_photos_and_more(count):
    ratios = compare(count, measured(count), UNIT)
    assert {"pairs", "features", "matches", "whole"} <= set(ratios)
    assert 0.7 < ratios["whole"] < 1.3
    # Of a stage it may be further off, since scenes differ.
    assert all(0.5 < ratio < 2 for name, ratio in ratios.items() if name != "photos"), ratios


def test_a_machine_that_is_twice_as_slow_as_it_seems_is_known_after_two_runs(tmp_path):
    """Its own past corrects the forecast, also for a capture of another size."""
    past, settings = (
        tmp_path / "past.json",
        JobSettings.build("preview", photos=("x",), features="sift", device="cpu"),
    )
    seconds = [forecast_job([SIZE] * count, settings, unit=UNIT).seconds for count in (100, 300)]
    for _ in range(2):
        past_runs.learn(past, {name: 2 * value for name, value in seconds[0].items()}, seconds[0])
    until = ("photos", "pairs", "features", "matches", "sfm", "refine", "dense")
    forecast = past_runs.corrected(past, seconds[1])
    assert 0.7 < sum(forecast[name] for name in until) / sum(2 * seconds[1][name] for name in until) < 1.3
