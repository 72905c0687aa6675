"""Every setting can be set on the command line and in a file, and takes effect."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

import pytest

from blender_recon3d.pipeline.cli.parser import Parser, make_parser
from blender_recon3d.pipeline.cli.setting_options import add_option, flag, job_settings
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.setting_field import Choice, Setting, Settings, setting, settings_of
from blender_recon3d.pipeline.settings import JobSettings, all_settings, by_option
from blender_recon3d.pipeline.workspace import Workspace
from tools import settings_page


def job(tmp_path, *words: str) -> JobSettings:
    workspace = Workspace(tmp_path / "out")
    chosen = make_parser().parse_args(["run", str(tmp_path), "-o", str(workspace.root), *words])
    return job_settings(workspace, chosen)


def other_value(declared: Setting) -> object:
    if declared.choices:
        return next(value for value in reversed(list(declared.choices)) if value != declared.default)
    if isinstance(declared.default, bool):
        return not declared.default
    if isinstance(declared.default, int | float):
        return min(declared.default + 1, declared.high or 10**6)
    return "text"


def words_for(declared: Setting, value: object) -> list[str]:
    name = declared.option
    if isinstance(value, bool):
        return [flag(name if value else f"no_{name}")]
    return [flag(name), str(value)]


OPTIONS = {option: group for option, group in by_option().items() if not group[0].no_option}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_arrives_in_every_stage_that_has_it_and_so_does_a_file(option, tmp_path):
    declared = OPTIONS[option][0]
    value = other_value(declared)
    found = job(tmp_path, *words_for(declared, value))
    document: dict = {}
    for place in OPTIONS[option]:
        section = document.setdefault(place.stage, {}) if place.stage else document
        section[place.name] = value
        holder = getattr(found, place.stage) if place.stage else found
        assert getattr(holder, place.name) == value != place.default
    (tmp_path / "s.json").write_text(json.dumps(document))
    assert job(tmp_path, "--settings", str(tmp_path / "s.json")) == found


def test_an_invalid_option_says_why():
    for declared in all_settings():
        assert declared.option in OPTIONS or declared.no_option


@pytest.mark.parametrize(
    ("words", "stage", "name", "value"),
    [
        ("--faces 1234", "mesh", "max_faces", 1234),
        ("--texture 512", "texture", "texture_size", 512),
        ("--neighbours 7", "pairs", "neighbors", 7),
        ("--dense torch", "dense", "method", "torch"),
        ("--fixed-intrinsics", "sfm", "refine_intrinsics", False),
    ],
)
def test_earlier_names_are_accepted_and_not_shown(words, stage, name, value, tmp_path, capsys):
    assert getattr(getattr(job(tmp_path, *words.split()), stage), name) == value
    with pytest.raises(SystemExit):
        make_parser().parse_args(["run", "--help"])
    assert f"{words.split()[0]} " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--neighbors 0", "--neighbors: '0': it must be from 1 to 1,000"),
        ("--max-error much", "--max-error: 'much': it must be a number"),
        ("--quality best", "--quality: 'best': choose one of preview, medium, high"),
        ("--frames 2.5", "--frames: '2.5': it must be a whole number"),
        ("--max-faces 5", "--max-faces: '5': it must be from 100 to 20,000,000, or auto"),
        ("--mesh-depth deep", "--mesh-depth: 'deep': it must be a whole number, or auto"),
        ("--frames auto", "--frames: 'auto': it must be a whole number"),
    ],
)
def test_an_invalid_value_names_its_option(words, said, tmp_path):
    with pytest.raises(UserError, match="see recon3d run --help") as caught:
        job(tmp_path, *words.split())
    assert said in str(caught.value) and caught.value.exit_code == 2


def test_auto_is_what_is_chosen_without_the_option(tmp_path):
    """Also in a file, and for what an earlier run of the workspace has set."""
    automatic = [group[0] for group in OPTIONS.values() if group[0].may_be_auto]
    words = [word for declared in automatic for word in (flag(declared.option), "auto")]
    assert job(tmp_path, *words) == JobSettings.build(photos=str(tmp_path), texture_tiles=0)
    workspace = Workspace(tmp_path / "out")
    workspace.create()
    before = JobSettings.build(photos="/p", quality="high", max_faces=300, mesh_depth=9)
    workspace.job.write_text(json.dumps(before.to_json()))
    chosen = make_parser().parse_args(
        ["mesh", str(workspace.root), "--max-faces", "auto", "--mesh-depth", "auto"]
    )
    after = job_settings(workspace, chosen, only="mesh")
    assert (after.mesh.max_faces, after.mesh.mesh_depth) == (1_000_000, 0)


def test_a_declaration_is_enough_for_an_option_and_a_row_of_the_manual():
    @dataclasses.dataclass(frozen=True)
    class Made(Settings):
        stage: ClassVar[str] = "made"
        glow: float = setting(0.5, "How much it glows", "Glow", unit="px", low=0.0, high=2.0)
        way: str = setting(
            "up", "Where it goes", "Way", choices={"up": Choice("Up", "To the sky"), "down": Choice("Down")}
        )

    parser = Parser()
    for declared in settings_of(Made):
        add_option(parser, declared)
    assert vars(parser.parse_args(["--glow", "1.5", "--way", "down"])) == {"glow": 1.5, "way": "down"}
    glow, way = (settings_page.row(declared) for declared in settings_of(Made))
    assert glow == "| `made.glow` | `--glow PX` | Glow | **0.5** px, from 0 to 2 | How much it glows |"
    assert way == "| `made.way` | `--way NAME` | Way | **up**, down | Where it goes. *up*: To the sky |"
    with pytest.raises(UserError, match=r"made\.glow is 3\.0: it must be from 0 to 2"):
        Made(glow=3.0)


def test_the_manuals_settings_are_current():
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "run python tools/settings_page.py"
