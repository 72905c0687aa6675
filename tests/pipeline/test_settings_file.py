"""Settings in a file, of this version and of earlier ones."""

import dataclasses
import json
from pathlib import Path

import pytest

from blender_recon3d.pipeline.cli.parser import make_parser
from blender_recon3d.pipeline.cli.setting_options import job_settings
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.fingerprints import fingerprint
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.settings_file import job_of, read_settings
from blender_recon3d.pipeline.stage import STAGES, Stage, stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.kept import FOLDER

KEPT = FOLDER / "0.1.0"


def asked(tmp_path: Path, document: object, *words: str, command: str = "run") -> JobSettings:
    """The job of a command line with the document in a file."""
    (tmp_path / "s.json").write_text(json.dumps(document))
    workspace = Workspace(tmp_path / "out")
    place = ["-o", str(workspace.root)] if command == "run" else [str(workspace.root)]
    chosen = make_parser().parse_args([command, *place, "--settings", str(tmp_path / "s.json"), *words])
    return job_settings(workspace, chosen, "" if command == "run" else command)


def test_options_take_precedence_over_the_file(tmp_path):
    document = {"version": 1, "quality": "high", "until": "mesh", "photos": {"sources": ["p"]},
                "pairs": {"strategy": "sequential", "window": 5}, "sfm": {"refine_intrinsics": False}}  # fmt: skip
    job = asked(tmp_path, document, "--window", "6", "--refine-intrinsics", "--until", "sfm")
    assert (job.quality, job.until, job.pairs.strategy, job.pairs.window) == ("high", "sfm", "sequential", 6)
    assert job.sfm.refine_intrinsics and job.dense.max_size == 2000
    assert job.photos.sources == (str(tmp_path / "p"),), "a relative path is relative to the file"


def test_another_workspaces_job_is_a_settings_file(tmp_path):
    before = JobSettings.build(quality="preview", photos="/p", features="sift", dense_size=700, memory=2.0)
    again = asked(tmp_path, before.to_json())
    assert again == before
    other = asked(tmp_path, before.to_json(), "--quality", "high", "--features", "learned")
    assert (other.dense.max_size, other.features.max_size, other.matches.front_end) == (700, 3200, "learned")


def test_a_single_stage_uses_the_workspaces_job_with_the_files_changes(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.create()
    before = JobSettings.build(photos="/p", features="learned", until="texture", views=6)
    workspace.job.write_text(json.dumps(before.to_json()))
    job = asked(tmp_path, {"features": {"features": "sift"}, "dense": {"min_views": 4}}, command="dense")
    assert job == before.changed(features="sift", min_views=4)


def test_a_workspace_keeps_the_front_end_of_its_features_unless_another_is_named(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.create()
    before = JobSettings.build(photos="/p", features="sift")
    workspace.job.write_text(json.dumps(before.to_json()))
    document = {"photos": {"sources": ["/p"]}, "pairs": {"front_end": "auto"}}
    usual = JobSettings.build(photos="/p").features.front_end
    assert asked(tmp_path, document).features.front_end == usual, "it has no features yet"
    workspace.write_stage("features", StageRecord(state=StageState.STARTED))
    kept = asked(tmp_path, document)
    assert kept.features.front_end == kept.pairs.front_end == kept.matches.front_end == "sift"
    assert asked(tmp_path, document, "--fresh").features.front_end == usual
    assert asked(tmp_path, document, "--features", "learned").features.front_end == "learned"
    assert asked(tmp_path, document, "--weights", str(tmp_path)).features.front_end == "sift"
    workspace.job.write_text("{")
    assert asked(tmp_path, document).features.front_end == usual


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"pairs": {"neighbor": 3}}, "there is no setting pairs.neighbor: did you mean pairs.neighbors"),
        ({"pear": {}}, "there is no setting pear: did you mean pairs"),
        ({"pairs": {"neighbors": 0}}, "pairs.neighbors is 0: it must be from 1 to 1,000"),
        ({"pairs": {"neighbors": "many"}}, "pairs.neighbors is 'many': it must be a whole number"),
        ({"pairs": {"neighbors": True}}, "pairs.neighbors is True: it must be a whole number"),
        ({"quality": "best"}, "quality is 'best': choose one of preview, medium, high"),
        ({"photos": {"sources": "p"}}, "photos.sources is 'p': it must be a list of paths"),
        ({"sfm": {"refine_intrinsics": 1}}, "sfm.refine_intrinsics is 1: it must be true or false"),
        ({"mesh": []}, "mesh must be an object of settings and their values"),
        ({"version": 2}, "is of version 2, and this Recon3D reads 1"),
        ([], "is not valid"),
        ({"features": {"front_end": "sift"}, "matches": {"features": "learned"}}, "they must be equal"),
    ],
)
def test_an_invalid_value_is_one_message_naming_file_and_setting(document, said, tmp_path):
    with pytest.raises(UserError) as caught:
        asked(tmp_path, document)
    assert said in str(caught.value) and str(tmp_path / "s.json") in str(caught.value)
    assert caught.value.exit_code == 2 and str(caught.value).count("\n") == 0


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(UserError, match="is missing: check --settings"):
        read_settings(tmp_path / "none.json")


def plain(name: str, version: int = 1) -> Stage:
    """The stage without anything its result depends on besides its settings."""
    return dataclasses.replace(stage(name), version=version, inputs=lambda workspace, settings: ["inputs"])


def test_a_later_setting_counts_once_it_is_not_its_default():
    """Features found with other values are computed again; those of workspaces without the setting are kept."""
    job = JobSettings.build(features="sift")

    def fingerprint_of(settings: JobSettings) -> str:
        return fingerprint(plain("features"), Workspace("w"), settings.features, [])

    usual = fingerprint_of(job)
    for name, value in (("nms_radius", 5), ("detection_threshold", 0.01), ("border", 5)):
        assert fingerprint_of(job.changed(**{name: value})) != usual
    assert "nms_radius" not in job.features.recorded()


@pytest.mark.parametrize("name", ["learned", "sift"])
def test_jobs_of_0_1_0_are_read_and_their_fingerprints_stay(name):
    """The first has defaults, the second has every setting of 0.1.0 changed.

    Stages that were done stay done, except those whose version has been raised on purpose since.
    """
    path = KEPT / f"job-{name}.json"
    job = job_of(json.loads(path.read_text("utf-8")), path)
    found: dict[str, str] = {}
    for name_of_stage in STAGES:
        then = plain(name_of_stage, 2 if name_of_stage == "dense" else 1)
        if then.left_out(getattr(job, then.name)):  # younger than 0.1.0
            found[then.name] = found[then.needs[0]]
            continue
        before = [found[need] for need in then.needs]
        found[then.name] = fingerprint(then, Workspace("w"), getattr(job, then.name), before)
    kept = json.loads((KEPT / "fingerprints.json").read_text("utf-8"))[name]
    assert {known: found[known] for known in kept} == kept
