"""Paths in someone else's .blend file are not accessed until the user has chosen them here."""

import builtins
import io
import os
import time
import types

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import (  # noqa: E402
    chosen_folders,
    command_line,
    preferences,
)
from blender_recon3d.engine_setup.engine_process import default_workspace  # noqa: E402
from blender_recon3d.jobs import (  # noqa: E402
    current_job,
    folder_changes,
    handlers,
    photo_inspection,
    recent_runs,
    session,
    timer,
)
from blender_recon3d.ui.main import RECON3D_PT_main  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

MARK = "of_somebody_else"


class WithWindow:
    """bpy as in a Blender with a window."""

    app = types.SimpleNamespace(background=False)

    def __getattr__(self, name):
        return getattr(bpy, name)


@pytest.fixture
def with_window(addon, monkeypatch, tmp_path):
    """The user's folder, and a Blender that does not run in the background."""
    user = tmp_path / "user"
    user.mkdir()
    for module in (chosen_folders, recent_runs):
        monkeypatch.setattr(module, "user_folder", lambda: user)
    chosen_folders.forget_session()
    monkeypatch.setattr(session, "bpy", WithWindow())
    started = []
    monkeypatch.setattr(photo_inspection, "EngineQuery", lambda *words: started.append(words) or FakeQuery())
    monkeypatch.setattr(preferences, "engine_problem", lambda: "")
    monkeypatch.setattr(preferences, "find_python", lambda: tmp_path / "python")
    yield started
    timer.stop()


class FakeQuery:
    """An engine without output."""

    running = True
    events = ()

    def poll(self):
        return False

    def stop(self):
        self.running = False


@pytest.fixture
def touched(monkeypatch):
    """The foreign paths that were accessed."""
    found = []

    def watch(module, name):
        original = getattr(module, name)

        def call(path, *arguments, **options):
            if MARK in str(path):
                found.append((name, str(path)))
            return original(path, *arguments, **options)

        monkeypatch.setattr(module, name, call)

    for name in ("stat", "lstat", "open", "scandir", "listdir", "access", "readlink"):
        watch(os, name)
    watch(io, "open")
    watch(builtins, "open")
    return found


class Layout:
    """Accepts whatever a panel draws, and records the operators."""

    def __init__(self, drawn):
        self.drawn = drawn

    def __getattr__(self, name):
        def call(*words, **options):
            if name == "operator":
                self.drawn.append(words[0])
            return (self, self) if name in ("panel", "panel_prop") else self

        return call

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


def draw() -> list[str]:
    drawn = []
    for name in [name for name in dir(bpy.ops.recon3d) if not name.startswith("_")]:
        getattr(bpy.ops.recon3d, name).poll()
    system = types.SimpleNamespace(ui_scale=1.0)
    context = types.SimpleNamespace(
        scene=bpy.context.scene, preferences=types.SimpleNamespace(system=system), region=None
    )
    RECON3D_PT_main.draw(types.SimpleNamespace(layout=Layout(drawn)), context)
    return drawn


def load_what_somebody_else_saved(tmp_path, photos, workspace="") -> None:
    settings = bpy.context.scene.recon3d
    settings.photos, settings.workspace = str(photos), str(workspace)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    (tmp_path / "user" / "chosen.json").unlink(missing_ok=True)
    chosen_folders.forget_session()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    timer.stop()
    photo_inspection.forget()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"), use_scripts=False)


def loaded() -> None:
    """What happens in the ticks after a file is loaded."""
    timer.watch("find running", handlers._find)
    for _ in range(5):
        timer.tick()


@pytest.mark.parametrize("kind", ["folder", "pipe", "share"])
def test_a_loaded_file_starts_nothing_and_touches_nothing(with_window, touched, tmp_path, kind):
    photos = tmp_path / MARK / "photos"
    photos.parent.mkdir()
    if kind == "folder":
        photos.mkdir()
    elif kind == "pipe":
        os.mkfifo(photos)
    else:
        photos = f"//{MARK}/share/photos"  # on their machine, Windows; relative to the file; elsewhere
    workspace = tmp_path / MARK / "w"
    if kind == "folder":
        write_workspace(workspace, ring())
    load_what_somebody_else_saved(tmp_path, photos, workspace if kind == "folder" else "")
    touched.clear()
    with_window.clear()
    loaded()
    assert "recon3d.look_at_photos" in draw()
    assert (touched, with_window, photo_inspection.current()) == ([], [], None)
    assert current_job.session.job is None


def test_a_click_looks_at_them_and_they_stay_chosen(with_window, touched, tmp_path):
    photos = tmp_path / MARK / "photos"
    photos.mkdir(parents=True)
    load_what_somebody_else_saved(tmp_path, photos)
    loaded()
    assert not with_window
    assert bpy.ops.recon3d.look_at_photos() == {"FINISHED"}
    for _ in range(photo_inspection.DELAY):
        timer.tick()
    assert len(with_window) == 1 and photo_inspection.current().photos == (photos,)
    assert "recon3d.look_at_photos" not in draw()
    chosen_folders.forget_session()  # Blender is started again
    photo_inspection.forget()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"), use_scripts=False)
    loaded()
    assert len(with_window) == 2


def test_photos_that_are_added_later_are_looked_at_too(with_window, tmp_path, monkeypatch):
    monkeypatch.setattr(folder_changes, "EVERY", 0.02)
    photos, settings = tmp_path / "photos", bpy.context.scene.recon3d
    photos.mkdir()
    settings.photos = str(photos)
    tick_until(lambda: with_window)
    photo_inspection.current().query.running = False
    settings.show_inspection = False
    for _ in range(20):
        timer.tick()
        time.sleep(0.01)
    assert len(with_window) == 1  # nothing has changed
    (photos / "new.jpg").touch()
    tick_until(lambda: len(with_window) == 2)
    assert settings.show_inspection


def tick_until(ended) -> None:
    deadline = time.monotonic() + 20
    while not ended() and time.monotonic() < deadline:
        timer.tick()
        time.sleep(0.01)
    assert ended()


def test_choosing_the_photos_chooses_no_other_folder_of_the_file(with_window, touched, tmp_path):
    workspace = tmp_path / MARK / "w"
    workspace.mkdir(parents=True)
    load_what_somebody_else_saved(tmp_path, tmp_path / MARK / "photos", workspace)
    (tmp_path / "mine").mkdir()
    touched.clear()
    bpy.context.scene.recon3d.photos = str(tmp_path / "mine")
    loaded()
    draw()
    assert touched == [] and chosen_folders.is_chosen(tmp_path / "mine", tmp_path / "mine_recon3d")
    assert not chosen_folders.is_chosen(workspace) and not chosen_folders.is_chosen(None)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"paths": 3}', '{"paths": [1, "a", null]}', '{"paths": [1e400]}']
)
def test_any_list_of_chosen_folders_is_read(with_window, tmp_path, content):
    (tmp_path / "user" / "chosen.json").write_text(content)
    chosen_folders.forget_session()
    assert not chosen_folders.is_chosen(tmp_path)
    chosen_folders.remember(tmp_path)
    chosen_folders.forget_session()
    assert chosen_folders.is_chosen(tmp_path)


def test_the_place_of_results_is_found_by_name_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    assert default_workspace(tmp_path / "photos") == tmp_path / "photos_recon3d"
    assert default_workspace(tmp_path / "walk.MP4") == tmp_path / "walk_recon3d"
    assert default_workspace(tmp_path / "v1.2") == tmp_path / "v1.2_recon3d"


def test_a_preference_means_the_same_in_every_file():
    assert preferences.absolute("//venv") == "" and preferences.absolute("/venv") == "/venv"


def test_weights_are_fetched_only_where_blender_may_go_online(addon, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(command_line.subprocess, "call", lambda *words, **options: called.append(words) or 0)
    monkeypatch.setattr(preferences, "find_python", lambda: "python")
    online = types.SimpleNamespace(app=types.SimpleNamespace(online_access=False))
    monkeypatch.setattr(command_line, "bpy", online)
    assert command_line.main(["weights", "--json", "fetch", "superpoint"]) == 2
    assert "not allowed to go online" in capsys.readouterr().err and not called
    assert command_line.main(["weights", "list"]) == 0
    online.app.online_access = True
    assert command_line.main(["weights", "fetch", "superpoint"]) == 0 and len(called) == 2
