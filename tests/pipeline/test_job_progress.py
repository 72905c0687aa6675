"""One progress bar and one remaining time for a whole job."""

import json

import pytest

from blender_recon3d.pipeline import past_runs
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState, StateDocument
from blender_recon3d.pipeline.events import Event
from blender_recon3d.pipeline.job_progress import JobProgress
from blender_recon3d.pipeline.job_summary import job_summary
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.stage import stage as declared
from blender_recon3d.pipeline.text import rough_duration

FORECAST = {"pairs": 100.0, "features": 200.0, "matches": 300.0}


def played(slower=1.0, kept=(), items=20):
    """(time, progress) after each event of a job that runs `slower` times as long as its forecast."""
    now, found, progress = 1000.0, [], JobProgress()
    names = ["photos", *FORECAST]

    def say(stage, kind, done=0, total=0, **data):
        nonlocal progress
        progress = progress.after(Event(now, stage, kind, done, total, "", data))
        found.append((now, progress))

    say("job", "info", stages=names, timed=True)
    say("photos", "done", skipped=True)
    say("job", "info", forecast=FORECAST)
    for name, seconds in FORECAST.items():
        if name in kept:
            say(name, "done", skipped=True)
            continue
        say(name, "progress")
        for number in range(1, items + 1):
            now += slower * seconds / items
            say(name, "progress", number, items)
        say(name, "done", seconds=slower * seconds)
    say("job", "done")
    return found


@pytest.mark.parametrize("slower", [0.5, 1.0, 1.7, 3.0])
def test_the_time_left_is_right_within_a_quarter_from_the_middle_on(slower):
    """If the machine is not as fast as forecast, the finished stages show it."""
    found = played(slower)
    end = found[-1][0]
    second_half = [(now, progress) for now, progress in found if 1000 + 0.5 * (end - 1000) <= now < end]
    assert len(second_half) > 10
    for now, progress in second_half:
        assert progress.seconds_left(now) == pytest.approx(end - now, rel=0.25, abs=5)


@pytest.mark.parametrize("slower", [0.3, 1.0, 5.0])
def test_the_bar_never_goes_back_and_ends_full(slower):
    shown = [progress.shown for _, progress in played(slower)]
    assert shown == sorted(shown) and shown[0] == 0.0 and shown[-1] == 1.0
    found = played(slower)
    middle = next(p for now, p in found if now >= (1000 + found[-1][0]) / 2)
    assert 0.2 < middle.shown < 0.8


def test_without_a_forecast_every_stage_counts_the_same():
    progress = JobProgress()
    for stage, kind, data in (
        ("job", "info", {"stages": ["photos", "pairs", "features", "matches"], "timed": True}),
        ("photos", "done", {"seconds": 1.0}),
        ("job", "info", {"timed": False}),  # the forecast failed
        ("pairs", "done", {"seconds": 1.0}),
    ):
        progress = progress.after(Event(1.0, stage, kind, data=data))
        if stage == "photos":
            assert progress.shown == 0.0
    assert progress.shown == 0.5 and progress.seconds_left(2.0) is None


def test_a_resumed_job_counts_only_what_is_left():
    found = played(kept=("pairs", "features"))
    began = next((now, progress) for now, progress in found if progress.stage == "matches")
    assert began[1].seconds_left(began[0]) == pytest.approx(300.0)
    assert began[1].shown < 0.8  # two of four stages already existed and took no time in this run


def test_a_resumed_stage_counts_only_what_this_run_does():
    progress = JobProgress()
    for at, stage, kind, done, total, data in (
        (0.0, "job", "info", 0, 0, {"stages": ["features"]}),
        (0.0, "job", "info", 0, 0, {"forecast": {"features": 100.0}}),
        (0.0, "features", "progress", 0, 0, {}),
        (0.1, "features", "progress", 500, 1000, {}),
        (250.1, "features", "progress", 750, 1000, {}),
    ):
        progress = progress.after(Event(at, stage, kind, done, total, "", data))
    assert progress.seconds_left(250.1) == pytest.approx(250.0)  # one item per second
    assert progress.seconds_left(251.1) == pytest.approx(249.0)  # the clock runs on between two items


def test_phases_of_a_stage_predict_how_long_the_others_will_take():
    """Meshing does not count items; its phases take the same shares of its time on every machine."""
    progress = JobProgress()
    shares = declared("mesh").phases
    for at, name, data in (
        (0.0, "job", {"stages": ["mesh"]}),
        (0.0, "job", {"forecast": {"mesh": 100.0}}),
    ):
        progress = progress.after(Event(at, name, "info", data=data))
    at = 0.0
    for number, phase in enumerate(shares):
        progress = progress.after(Event(at, "mesh", "progress", number, len(shares), phase.says))
        if number >= 2:  # it takes four times as long as forecast
            assert progress.seconds_left(at) == pytest.approx(400 - at, rel=0.05)
        at += 400 * phase.share
    assert sum(phase.share for phase in shares) == pytest.approx(1.0)
    late = progress.seconds_left(at + 200)
    assert 0 < late < 60  # it should have ended long ago: soon, but not yet


def test_the_load_of_the_machine_changes():
    """Depth takes 6 seconds a photo, then 3, since another program has ended: what is left goes by the latter."""
    progress = JobProgress()
    for data in ({"stages": ["dense"]}, {"forecast": {"dense": 100.0}}):
        progress = progress.after(Event(0.0, "job", "info", data=data))
    at = 0.0
    for photo in range(33):
        progress = progress.after(Event(at, "dense", "progress", photo, 40, "estimating depth"))
        at += 6.0 if photo < 20 else 3.0
    at -= 3.0
    share = next(each.share for each in declared("dense").phases if each.says == "estimating depth")
    later = sum(each.share for each in declared("dense").phases[3:])
    real = 8 * 3.0 + later * 40 * 3.0 / share
    assert progress.seconds_left(at) == pytest.approx(real, rel=0.25)  # an even mean would be off by 60 %


@pytest.mark.parametrize("name", [name for name in STAGES if declared(name).phases])
def test_phases_are_shares_of_their_stage(name):
    phases = declared(name).phases
    assert sum(phase.share for phase in phases) <= 1.0 + 1e-9
    assert all(0 < phase.share < 1 and 0 <= phase.begins < 1 and phase.says for phase in phases)


@pytest.mark.parametrize("data", [{"forecast": {"dense": float("nan")}}, {"forecast": "soon"}, {"stages": 7}])
def test_whatever_an_event_says_a_bar_can_be_drawn(data):
    progress = JobProgress().after(Event(1.0, "job", "info", data=data))
    for done, total in ((5, 0), (-3, 10), (30, 10), (0, -1)):
        progress = progress.after(Event(2.0, "sfm", "progress", done, total))
        assert 0 <= progress.fraction(3.0) <= 1


def test_the_next_job_knows_how_long_this_one_took(tmp_path):
    path = tmp_path / "cache" / "past_runs.json"
    assert past_runs.corrected(path, {"dense": 30.0}) == {"dense": 30.0}
    past_runs.learn(path, {"dense": 60.0, "photos": 0.2}, {"dense": 30.0, "photos": 0.1})
    known = past_runs.corrected(path, {"dense": 30.0, "photos": 0.1})
    assert 30.0 < known["dense"] < 60.0, "one run may have been disturbed"
    assert known["photos"] == 0.1, "what is over at once says nothing"
    for _ in range(4):
        past_runs.learn(path, {"dense": 60.0}, {"dense": 30.0})
    assert 57.0 < past_runs.corrected(path, {"dense": 30.0})["dense"] <= 60.0
    path.write_text(
        json.dumps({"version": 3, "factors": {"dense": {"2": "fast", "x": 2, "3": 1e9}, "mesh": 3}})
    )
    assert past_runs.corrected(path, {"dense": 30.0, "mesh": 1.0}) == {"dense": 30.0, "mesh": 1.0}


def test_a_small_job_says_little_about_a_large_one(tmp_path):
    """Starting up is most of a small stage's time, so a factor holds for stages of about the same size first."""
    path = tmp_path / "past_runs.json"
    for _ in range(8):
        past_runs.learn(path, {"texture": 6.0}, {"texture": 2.0})
        past_runs.learn(path, {"texture": 240.0}, {"texture": 200.0})
    assert past_runs.corrected(path, {"texture": 2.5})["texture"] == pytest.approx(7.5, rel=0.02)
    assert past_runs.corrected(path, {"texture": 150.0})["texture"] == pytest.approx(180.0, rel=0.02)


def test_the_summary_lists_the_results():
    done = {
        "sfm": {"photos": 27, "of": 28, "points": 5000, "doubts": []},
        "dense": {"points": 1_200_000},
        "mesh": {"faces": 200_000},
    }
    records = {n: StageRecord(state=StageState.DONE, seconds=80.0, summary=s) for n, s in done.items()}
    assert job_summary(StateDocument(stages=records)) == (
        "27 of 28 photos, 1,200,000 points, 200,000 faces, in 4 min."
    )
    assert job_summary(StateDocument()) == ""


def test_estimated_times_are_rounded():
    assert [rough_duration(s) for s in (1, 38, 70, 294, 7500)] == [
        "5 s",
        "40 s",
        "1 min",
        "5 min",
        "2 h 05 min",
    ]
