"""What scripts and terminals expect of every program."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from blender_recon3d.pipeline import job
from blender_recon3d.pipeline.cli import recon3d
from blender_recon3d.pipeline.cli.doctor import Finding, _table
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.system.versions import engine_version
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.fake_stages import fake_stages


def test_the_version_is_printed(capsys):
    assert recon3d.main(["--version"]) == 0
    assert capsys.readouterr().out == f"recon3d {engine_version()}\n"


def test_the_doctor_fits_a_narrow_terminal(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback: os.terminal_size((60, 20)))
    found = Finding("torchvision", "warning", "words " * 30, "more words " * 30)
    lines = _table([found], able=True).splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join("".join(lines).split()).count("words") == 60


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_is_done_only_after_what_was_asked_of_it(tmp_path, monkeypatch, fails):
    fake_stages(monkeypatch)
    workspace = Workspace(tmp_path / "w")
    events = []

    def finish() -> None:
        events.append("finish")
        if fails:
            raise UserError("The file cannot be written: choose another.")

    settings = JobSettings.build(photos="/photos", features="sift", until="photos")
    progress = Progress(lambda event: events.append(f"{event.stage} {event.kind}"))
    with job.held(workspace, settings):
        try:
            job.run_held_job(workspace, settings, progress, finish=finish)
        except UserError:
            assert fails
    assert events.count("finish") == 1
    after = events[events.index("finish") :]
    assert ("job done" in after) == (not fails)
    assert "job done" not in events[: events.index("finish")]


def test_export_answers_in_json(tmp_path, capsys, monkeypatch):
    from blender_recon3d.pipeline.exporting import export_mesh

    monkeypatch.setattr(
        export_mesh, "export", lambda workspace, path, preset, meshopt: [path, path.with_suffix(".mtl")]
    )
    assert recon3d.main(["export", str(tmp_path), str(tmp_path / "a.obj"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"version": 1, "files": [str(tmp_path / "a.obj"), str(tmp_path / "a.mtl")]}


def test_an_error_is_an_answer_too(tmp_path, capsys):
    assert recon3d.main(["export", str(tmp_path), str(tmp_path / "a.xyz"), "--json"]) == 2
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["version"] == 1 and answer["exit_code"] == 2 and answer["error"] in said.err


def test_an_error_of_a_command_with_events_is_one_of_them(tmp_path, capsys):
    for words in (
        ["inspect", str(tmp_path / "nowhere")],
        ["reproject", str(tmp_path), "--mesh", str(tmp_path / "a.obj"), "--texture", str(tmp_path / "a.png")],
    ):
        assert recon3d.main([*words, "--json"]) == 2
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["kind"] for line in lines].count("error") == 1
        assert lines[-1]["data"]["exit_code"] == 2


def test_every_command_has_json(capsys):
    for words in (["completion", "bash"], ["man"], ["doctor"], ["weights", "list"]):
        assert recon3d.main([*words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["version"] == 1
    for name in _commands():
        assert recon3d.main([name, "--help"]) == 0
        assert "--json" in capsys.readouterr().out


def _commands() -> list[str]:
    from blender_recon3d.pipeline.cli.parser import make_parser

    return list(next(action.choices for action in make_parser()._actions if isinstance(action.choices, dict)))


def test_a_missing_project_leaves_no_workspace(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for name, said in (
        ("cameras.xml", "does not exist"),
        ("cameras.psx", "export the cameras from its program"),
    ):
        if name.endswith("psx"):
            (tmp_path / name).write_text("x")
        words = [
            "import",
            str(tmp_path / name),
            "--photos",
            str(tmp_path / "photos"),
            "-o",
            str(tmp_path / "w"),
        ]
        code = subprocess.run(
            [sys.executable, "-m", "blender_recon3d.pipeline", *words], capture_output=True, text=True
        )
        assert code.returncode in (1, 2) and said in code.stderr, code.stderr
        assert not (tmp_path / "w").exists()


def test_a_terminal_without_escape_codes_gets_whole_lines(monkeypatch):
    import io

    from blender_recon3d.pipeline.cli.console import Console
    from blender_recon3d.pipeline.documents.event import EventKind
    from blender_recon3d.pipeline.events import Event

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for term, escapes in (("dumb", False), ("xterm", True)):
        monkeypatch.setenv("TERM", term)
        stream = Terminal()
        console = Console(stream)
        console(Event(1.0, "weights", EventKind.PROGRESS, 1, 2, "fetching"))
        console(Event(2.0, "sfm", EventKind.INFO, message="done"))
        assert ("\x1b" in stream.getvalue()) == escapes
