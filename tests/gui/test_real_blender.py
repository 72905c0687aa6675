"""The zip in a real Blender: validated, installed in a fresh user folder, and used.

RECON3D_BLENDER: the command that starts Blender (may have words before it); else `blender` from the path.
RECON3D_BLENDER_GUI: the same for a Blender that has a window, for example "xvfb-run -a blender".
The engine is the checkout's .venv, or RECON3D_PYTHON.
"""

import os
import shlex
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def blender() -> list[str]:
    """The command of a real Blender."""
    words = shlex.split(os.environ.get("RECON3D_BLENDER", "")) or [shutil.which("blender") or ""]
    if not words[0]:
        pytest.skip("no real Blender: set RECON3D_BLENDER to the command that starts one")
    return words


@pytest.fixture(scope="module")
def user_folder(tmp_path_factory) -> Path:
    """A fresh home for Blender's settings and extensions."""
    return tmp_path_factory.mktemp("blender user")


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    import build_addon

    return build_addon.build(tmp_path_factory.mktemp("dist"))


def run(
    command: list[str], *words: object, user_folder: Path, timeout: float = 120, engine: bool = True
) -> subprocess.CompletedProcess:
    """Run Blender with its own user folder. engine: set the path of the engine's Python."""
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(user_folder)}
    environment.setdefault("RECON3D_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
    if not engine:
        del environment["RECON3D_PYTHON"]
    return subprocess.run(
        [*command, *map(str, words)], env=environment, capture_output=True, text=True, timeout=timeout
    )


@pytest.fixture(scope="module")
def installed(blender, archive, user_folder) -> Path:
    result = run(
        blender,
        "--command",
        "extension",
        "install-file",
        "-r",
        "user_default",
        "-e",
        archive,
        user_folder=user_folder,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return user_folder


def test_blender_accepts_the_zip(blender, archive, user_folder):
    result = run(blender, "--command", "extension", "validate", archive, user_folder=user_folder)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_repository_installs_updates_and_downgrades(blender, archive, tmp_path):
    """From a web server on this machine, by Blender's own commands; the index is as Blender's own."""
    import json
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    from extension_repository import write_repository

    folder, user_folder = tmp_path / "repository", tmp_path / "user"
    folder.mkdir()
    user_folder.mkdir()
    shutil.copy(archive, folder / archive.name)
    assert write_repository(folder) == ["0.1.0"]
    ours = json.loads((folder / "index.json").read_text())
    extension = [*blender, "--online-mode", "--command", "extension"]
    made = run(extension, "server-generate", "--repo-dir", folder, user_folder=user_folder)
    assert made.returncode == 0 and json.loads((folder / "index.json").read_text()) == ours, made.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()

    def command(*words: str) -> str:
        result = run(extension, *words, user_folder=user_folder)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def version() -> str:
        manifest = user_folder / "extensions" / "ours" / "recon3d" / "blender_manifest.toml"
        return tomllib.loads(manifest.read_text("utf-8"))["version"]

    try:
        command(
            "repo-add", "ours", "--name", "Ours", "--url", f"http://127.0.0.1:{server.server_port}/index.json"
        )
        command("sync")
        command("install", "recon3d", "-e")
        assert version() == "0.1.0"
        newer = other_version(archive, folder, "0.2.0")
        assert write_repository(folder) == ["0.2.0", "0.1.0"]
        command("update", "--sync")
        assert version() == "0.2.0"
        newer.unlink()
        write_repository(folder)
        command("update", "--sync")
        assert version() == "0.1.0"
    finally:
        server.shutdown()
        server.server_close()


def other_version(archive: Path, folder: Path, version: str) -> Path:
    """The same zip, with another version in its manifest."""
    target = folder / archive.name.replace("0.1.0", version)
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            if name == "blender_manifest.toml":
                content = content.replace(b'version = "0.1.0"', f'version = "{version}"'.encode())
            made.writestr(name, content)
    return target


def test_the_installed_add_on_imports_a_workspace(blender, installed, tmp_path):
    """In the background, with the button's operator, in every mode that Blender starts in."""
    from tests.support.made_workspaces import ring, write_workspace

    root = write_workspace(tmp_path / "w", ring())
    script = tmp_path / "script.py"
    script.write_text(
        "import bpy\n"
        f"bpy.context.scene.recon3d.workspace = {str(root)!r}\n"
        "assert bpy.ops.recon3d.import_result() == {'FINISHED'}\n"
        "assert len(bpy.data.collections['Recon3D Cameras'].objects) == 5\n"
    )
    result = run(blender, "-b", "--python-exit-code", 9, "--python", script, user_folder=installed)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_example_works_with_the_installed_add_on(blender, installed, tmp_path):
    """Outside the checkout, as a user who has only the extension would run it."""
    from tests.support.made_workspaces import ring, write_workspace

    root = write_workspace(tmp_path / "w", ring())
    shutil.copytree(ROOT / "examples", tmp_path / "scripts")
    blend = tmp_path / "a.blend"
    script = tmp_path / "scripts" / "import_workspace.py"
    result = run(blender, "-b", "--python", script, "--", root, blend, user_folder=installed)
    assert result.returncode == 0 and blend.exists(), result.stdout + result.stderr


@pytest.mark.parametrize("example", ["import_workspace.py", "reconstruct.py"])
def test_a_failing_example_ends_with_an_exit_code_and_a_message(example, blender, user_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    script = ROOT / "examples" / example
    blend = tmp_path / "a.blend"
    result = run(blender, "-b", "--python", script, "--", tmp_path / "empty", blend, user_folder=user_folder)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "recon3d: " in result.stderr and "Traceback" not in result.stdout + result.stderr
    assert not blend.exists()


def test_the_command_line_in_blender(blender, installed, tmp_path):
    """`blender -c recon3d`: a folder becomes a file, the engine answers, wrong usage gives an error and exit code."""
    from tests.support.made_workspaces import ring, write_workspace

    root = write_workspace(tmp_path / "w", ring())
    result = run(blender, "-c", "recon3d", "import", root, tmp_path / "a.blend", user_folder=installed)
    assert result.returncode == 0 and (tmp_path / "a.blend").exists(), result.stdout + result.stderr
    assert "Imported 5 cameras" in result.stdout
    result = run(blender, "-c", "recon3d", "weights", "list", user_folder=installed)
    assert result.returncode == 0 and "superpoint" in result.stdout, result.stdout + result.stderr
    result = run(blender, "-c", "recon3d", "import", root, user_folder=installed)
    assert result.returncode == 2 and "required: FILE.blend" in result.stderr, result.stdout + result.stderr


def test_switching_the_add_on_off_and_on_leaves_nothing(blender, installed, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import bpy, addon_utils\n"
        "name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith('recon3d'))\n"
        "ours = lambda: sorted(n for n in dir(bpy.types) if 'recon3d' in n.lower())\n"
        "before = ours()\n"
        "for _ in range(10):\n"
        "    addon_utils.disable(name)\n"
        "    assert not ours() and not hasattr(bpy.types.Scene, 'recon3d'), ours()\n"
        "    assert not dir(bpy.ops.recon3d)\n"
        "    assert not [h for h in bpy.app.handlers.load_post if 'recon3d' in h.__module__]\n"
        "    addon_utils.enable(name)\n"
        "assert ours() == before\n"
    )
    result = run(blender, "-b", "--python-exit-code", 9, "--python", script, user_folder=installed)
    assert result.returncode == 0, result.stdout + result.stderr


# -- with a window ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def window() -> list[str]:
    """The command of a real Blender that has a window."""
    words = shlex.split(os.environ.get("RECON3D_BLENDER_GUI", ""))
    if not words:
        pytest.skip("no Blender with a window: set RECON3D_BLENDER_GUI to the command that starts one")
    return words


def play(
    window: list[str], scenario: str, user_folder: Path, *words: object, timeout: float, engine: bool = True
) -> Path:
    """Play a scenario; returns the folder with its pictures."""
    pictures = Path(os.environ.get("RECON3D_PICTURES", user_folder / "pictures")) / scenario
    folder = ROOT / "tests" / "gui"
    result = run(
        window,
        *("--python-exit-code", 7, "--enable-event-simulate", "--window-geometry", 0, 0, 1600, 1000),
        *("--python", folder / "driver.py", "--", folder / f"scenario_{scenario}.py", pictures, *words),
        user_folder=user_folder,
        timeout=timeout,
        engine=engine,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return pictures


def test_first_use(window, installed, tmp_path):
    """The tab, a job started and cancelled, a result imported in Edit mode and looked at."""
    import numpy as np

    from tests.support.made_workspaces import png, ring, write_workspace

    photos = tmp_path / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        (photos / f"{i}.png").write_bytes(png(rng.integers(0, 256, (1200, 1600, 3), dtype=np.uint8)))
    finished = write_workspace(tmp_path / "finished", ring(8, 5000))
    play(window, "first_use", installed, photos, finished, tmp_path / "job", timeout=400)


def test_from_cloud_to_asset(window, installed, tmp_path):
    """The steps of docs/user/clean-and-export.md, each undone in one step; the panels open."""
    from tests.support.made_meshes import dome, write_mesh_files
    from tests.support.made_workspaces import ring, write_workspace

    finished = write_workspace(tmp_path / "finished", ring(8, 5000))
    write_mesh_files(finished, dome(20), dome(40, bump=0.05), texture=64)
    (tmp_path / "out").mkdir()
    pictures = play(window, "asset", installed, finished, tmp_path / "out", timeout=600)
    assert (tmp_path / "out" / "asset.glb").is_file()
    assert not shutil.which("scrot") or (pictures / "asset-panels.png").is_file()


def test_long_work_leaves_the_window_awake(window, installed, tmp_path):
    """In steps or by another Blender; Esc cancels, and undo reverts."""
    import numpy as np

    from tests.support.made_meshes import dome, write_mesh_files
    from tests.support.made_workspaces import ring, write_cloud, write_workspace

    finished = write_workspace(tmp_path / "finished", ring(8, 5000))
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(3_000_000, 3)).astype(np.float32)
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    write_cloud(finished / "dense" / "fusion.ply", xyz, rng.integers(0, 256, xyz.shape, dtype=np.uint8))
    write_mesh_files(finished, dome(240), dome(240, bump=0.05), texture=64)
    (tmp_path / "out").mkdir()
    play(window, "background", installed, finished, tmp_path / "out", timeout=900)


def test_tools_in_the_viewport(window, installed, tmp_path):
    """Ground, scale, lasso and crop box with the mouse."""
    from tests.support.made_meshes import dome, write_mesh_files
    from tests.support.made_workspaces import ring, write_workspace

    finished = write_workspace(tmp_path / "finished", ring(8, 5000))
    write_mesh_files(finished, dome(20), dome(40, bump=0.05), texture=64)
    play(window, "tools", installed, finished, timeout=600)


def test_from_the_sidebar_to_a_glb_in_six_clicks(window, installed, tmp_path):
    """Choose photos, confirm, Reconstruct, Export, confirm."""
    from tests.support import scenes

    scenes.write_capture(tmp_path / "box", scenes.ring(9), scenes.box_scene())
    (tmp_path / "out").mkdir()
    play(window, "clicks", installed, tmp_path / "box", tmp_path / "out" / "box.glb", timeout=1500)


def test_photos_are_dropped_with_the_mouse(window, installed, tmp_path):
    """Through X's drag and drop and Blender's file handlers."""
    import cv2
    import numpy as np

    photos, video = tmp_path / "Kapelle außen", tmp_path / "walk.mp4"
    photos.mkdir()
    rng = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for i in range(5):
        pixels = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
        cv2.imwrite(str(photos / f"{i}.jpg"), pixels)
        writer.write(pixels)
    writer.release()
    play(window, "drop", installed, photos, video, timeout=300)


def test_how_the_panels_look(window, installed, tmp_path):
    """At scale 1 and 1.5, in the light theme and in German; the pictures are for people to look at."""
    import json

    from tests.support.made_meshes import dome, write_mesh_files
    from tests.support.made_workspaces import ring, write_workspace

    finished = write_mesh_files(
        write_workspace(tmp_path / "Kapelle", ring(8, 5000)), dome(20), dome(40), texture=64
    )
    names = [name for name, *_ in ring(8).images]
    registered = {"state": "registered", "error": 0.43, "points": 812}
    report = {
        "photos": [
            {"name": n, "source": f"/photos/{n}", "state": "used", "registration": registered} for n in names
        ]
        + [
            {"name": "IMG_0412.jpg", "source": "/photos/IMG_0412.jpg", "state": "used",
             "registration": {"state": "not registered", "reason": "does not match the other photos"}},
            {"name": "", "source": "/photos/IMG_0420.jpg", "state": "set aside", "reason": "blurred"},
        ],
        "advice": [{"text": "1 photo (IMG_0412) overlaps too little with the rest: take some between IMG_0411 and "
                    "IMG_0413.", "photos": ["IMG_0412.jpg"]}],
        "doubts": [],
    }  # fmt: skip
    (finished / "report.json").write_text(json.dumps(report))
    play(window, "looks", installed, finished, ROOT / "demo" / "photos", tmp_path / "job", timeout=1500)


def test_the_demo_by_clicking(window, installed, tmp_path):
    """Photos looked at, Reconstruct, Cancel, Resume, cameras appear, the result, the review, saved and reopened.

    No call of ours from Blender's event loop takes longer than a frame may, while the job is watched.
    """
    words = (ROOT / "demo" / "photos", tmp_path / "job", tmp_path / "demo.blend")
    play(window, "demo", installed, *words, timeout=3600)  # three minutes on an idle machine


def test_a_run_that_outlived_its_blender_is_found(window, installed, tmp_path):
    """Blender is killed while the engine works; the next one, with a fresh scene, follows and cancels it."""
    (tmp_path / "start.py").write_text(
        "import bpy, importlib, os\n"
        "name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith('recon3d'))\n"
        "session = importlib.import_module(name + '.jobs.session')\n"
        f"session.start(bpy.context, {str(ROOT / 'demo' / 'photos')!r}, {str(tmp_path / 'job')!r}, quality='high')\n"
        "os._exit(0)\n"
    )
    started = run(
        window, "-b", "--python-exit-code", 9, "--python", tmp_path / "start.py", user_folder=installed
    )
    assert started.returncode == 0, started.stdout + started.stderr
    play(window, "found", installed, tmp_path / "job", timeout=400)


def test_setting_the_engine_up(window, blender, archive, tmp_path):
    """Offline and an unreachable index are reported; nothing is downloaded without consent; the checklist."""
    user_folder = tmp_path / "user"
    user_folder.mkdir()
    words = ("--command", "extension", "install-file", "-r", "user_default", "-e", archive)
    assert run(blender, *words, user_folder=user_folder).returncode == 0
    before = files(user_folder / "extensions" / "user_default" / "recon3d")
    python = os.environ.get("RECON3D_PYTHON") or ROOT / ".venv" / "bin" / "python"
    words = ("http://127.0.0.1:9/simple", "fails", python)
    play(window, "engine", user_folder, *words, timeout=400, engine=False)
    after = files(user_folder / "extensions" / "user_default" / "recon3d")
    assert before == after, "nothing is written into the add-on's folder"


def test_the_engine_of_another_version_is_updated_by_the_button(window, blender, archive, tmp_path):
    """From an index of tiny packages on this machine; with the checkout's Python if Blender's is too new."""
    from tests.support.packages import make_index

    programs = (ROOT / ".venv" / "bin" / "python").resolve().parent
    index, user_folder = make_index(tmp_path / "simple"), tmp_path / "user"
    user_folder.mkdir()
    words = ("--command", "extension", "install-file", "-r", "user_default", "-e", archive)
    assert run(blender, *words, user_folder=user_folder).returncode == 0
    words = (index.as_uri(), index / "lock.txt", programs)
    play(window, "update", user_folder, *words, timeout=900, engine=False)


def files(folder: Path) -> dict[str, int]:
    """Size of each file below the folder, except for Python's own caches."""
    found = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
    assert "blender_manifest.toml" in found
    return {name: size for name, size in found.items() if "__pycache__" not in name}
