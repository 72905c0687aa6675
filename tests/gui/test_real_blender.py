"""The zip in a real Blender: validated, installed in a fresh user folder, and used.

RECON3D_BLENDER: the command that starts Blender (may have words before it); else `blender` from the path.
RECON3D_BLENDER_GUI: the same for a Blender that has a window, for example "xvfb-run -a blender".
The engine is the checkout's .venv, or RECON3D_PYTHON.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "scene")]

PICTURES = (
    "1-panel-empty",
    "2-panel-ready",
    "3-panel-running",
    "4-panel-cancelled",
    "5-imported",
    "6-through-photo",
)


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
    command: list[str], *words: object, user_folder: Path, timeout: float = 120
) -> subprocess.CompletedProcess:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(user_folder)}
    environment.setdefault("RECON3D_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
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


def test_the_installed_add_on_imports_a_workspace(blender, installed, tmp_path):
    """In the background, by the operator that the button calls, in every mode that Blender starts in."""
    from made_workspaces import ring, write_workspace

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
    """Away from the checkout, as a person who has only the extension would run it."""
    from made_workspaces import ring, write_workspace

    root = write_workspace(tmp_path / "w", ring())
    shutil.copytree(ROOT / "examples", tmp_path / "scripts")
    blend = tmp_path / "a.blend"
    script = tmp_path / "scripts" / "import_workspace.py"
    result = run(blender, "-b", "--python", script, "--", root, blend, user_folder=installed)
    assert result.returncode == 0 and blend.exists(), result.stdout + result.stderr


@pytest.mark.parametrize("example", ["import_workspace.py", "reconstruct.py"])
def test_a_failing_example_ends_with_a_code_and_a_sentence(example, blender, user_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    script = ROOT / "examples" / example
    blend = tmp_path / "a.blend"
    result = run(blender, "-b", "--python", script, "--", tmp_path / "empty", blend, user_folder=user_folder)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "recon3d: " in result.stderr and "Traceback" not in result.stdout + result.stderr
    assert not blend.exists()


def test_first_use_in_a_window(installed, tmp_path):
    """The tab, a job started and cancelled, a result imported in Edit mode and looked at; with pictures."""
    words = shlex.split(os.environ.get("RECON3D_BLENDER_GUI", ""))
    if not words:
        pytest.skip("no Blender with a window: set RECON3D_BLENDER_GUI to the command that starts one")
    import numpy as np
    from made_workspaces import png, ring, write_workspace

    photos = tmp_path / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        (photos / f"{i}.png").write_bytes(png(rng.integers(0, 256, (1200, 1600, 3), dtype=np.uint8)))
    finished = write_workspace(tmp_path / "finished", ring(8, 5000))
    out = Path(os.environ.get("RECON3D_PICTURES", tmp_path / "pictures"))
    result = run(
        words,
        *("--python-exit-code", 7, "--enable-event-simulate", "--window-geometry", 0, 0, 1600, 1000),
        *(
            "--python",
            ROOT / "tests" / "gui" / "driver.py",
            "--",
            ROOT / "tests" / "gui" / "scenario_first_use.py",
        ),
        *(out, photos, finished, tmp_path / "job"),
        user_folder=installed,
        timeout=280,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    if shutil.which("scrot") or any(out.iterdir()):
        assert {f"{name}.png" for name in PICTURES} <= {path.name for path in out.iterdir()}
