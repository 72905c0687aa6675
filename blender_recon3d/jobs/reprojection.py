"""*Reproject Photos*: the engine's `reproject` in the background, then its texture on the mesh."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.errors import UserError
from ..pipeline.text import Said
from ..pipeline.workspace import Workspace
from ..scene.find_imports import current_import, workspace_of
from ..scene.meshes import mesh_to_paint
from ..scene.stepwise import Steps, run
from . import timer
from .engine_query import EngineQuery


@dataclass
class Reprojection:
    """object_uid: of the object being painted. message: the outcome, or the error."""

    object_uid: int
    name: str
    folder: Path
    picture: Path
    query: EngineQuery
    done: int = 0
    total: int = 0
    message: str = ""
    failed: bool = False

    @property
    def running(self) -> bool:
        return self.query.running


class _Holder:
    current: Reprojection | None = None


_held = _Holder()


def current() -> Reprojection | None:
    """The one in progress, or the last one, for its message."""
    return _held.current


def running() -> bool:
    return _held.current is not None and _held.current.running


def start(scene: bpy.types.Scene, size: int) -> Reprojection:
    """Start painting the active mesh with the photos, as a texture of size x size pixels. Raises UserError."""
    return run(start_in_steps(scene, size, False))


def start_in_steps(scene: bpy.types.Scene, size: int, in_window: bool) -> Steps[Reprojection]:
    """What `start` does. in_window: as `mesh_to_paint.obj_in_steps` has it."""
    if running():
        raise UserError("Photos are already being reprojected: wait until it ends, or cancel it.")
    collection = current_import(scene)
    python = preferences.find_python()
    mesh = mesh_to_paint.target_mesh(collection)
    workspace = Workspace(workspace_of(collection))
    picture = workspace.reprojected / f"{bpy.path.clean_name(mesh.name)}.png"
    folder = Path(tempfile.mkdtemp(prefix="recon3d-"))
    try:
        yield from mesh_to_paint.obj_in_steps(collection, mesh, folder / "mesh.obj", in_window)
        words = [
            "reproject",
            str(workspace.root),
            "--mesh",
            str(folder / "mesh.obj"),
            "--texture",
            str(picture),
        ]
        words += ["--texture-size", str(size), "--frame", "model", "--json"]
        query = EngineQuery(engine_process.command(python, words), engine_process.environment())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _held.current = Reprojection(mesh.session_uid, mesh.name, folder, picture, query)
    return _held.current


def follow_in_background() -> None:
    """Poll it from Blender's event loop."""
    timer.watch("reprojection", _tick)


def wait() -> str:
    """Block until it has ended, and return its message. Raises UserError."""
    job = _held.current
    job.query.settle()
    _end(job)
    if job.failed:
        raise UserError(job.message)
    return job.message


def cancel() -> None:
    """Kill it; the mesh stays unchanged."""
    if running():
        _held.current.query.stop()
        shutil.rmtree(_held.current.folder, ignore_errors=True)
    _held.current = None


def _tick() -> tuple[bool, bool]:
    job = _held.current
    if job is None:
        return True, False
    if not job.query.poll():
        return False, job.running
    progress = [event for event in job.query.events if event.kind == "progress"]
    if progress:
        job.done, job.total = progress[-1].done, progress[-1].total
    if job.running:
        return True, True
    _end(job)
    if not job.failed:
        _push_undo()
    return True, False


def _end(job: Reprojection) -> None:
    """Use the texture, or store the error message."""
    shutil.rmtree(job.folder, ignore_errors=True)
    if job.query.answer is None:
        job.failed, job.message = True, job.query.error
        return
    mesh = next((o for o in bpy.data.objects if o.session_uid == job.object_uid), None)
    if mesh is None or mesh.type != "MESH":
        job.failed, job.message = True, f"{job.name} was deleted meanwhile: its texture is in {job.picture}."
        return
    try:
        mesh_to_paint.use_picture(mesh, Path(str(job.query.answer.get("texture") or job.picture)))
    except (UserError, RuntimeError) as error:
        job.failed, job.message = True, str(error).strip()
        return
    seen = float(job.query.answer.get("seen", 0))
    job.message = Said(
        "Painted {mesh} from the photos, which show {seen} of it.", mesh=mesh.name, seen=f"{seen:.0%}"
    )


def _push_undo() -> None:
    windows = bpy.context.window_manager.windows
    if windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message="Reproject Photos")
