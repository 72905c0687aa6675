"""The job that this Blender runs or follows, and its effects on the scene. Called by the operators.

One job at a time. A run already in progress in the scene's workspace, started by a Blender that has since been closed,
is found and followed. Loading another file does not disturb it, and its result is not imported into the wrong file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from .. import chosen_folders, preferences
from ..pipeline.documents.document_files import read_document
from ..pipeline.documents.placement_json import PlacementDocument
from ..pipeline.errors import UserError
from ..pipeline.photos.find_photos import MIN_PHOTOS
from ..pipeline.stage import STAGES
from ..pipeline.text import Said
from ..pipeline.workspace import Workspace
from ..properties import photos_path, workspace_path
from ..scene import live
from ..scene.cameras import KEY
from ..scene.chosen_photos import choose_again, names_chosen, photo_sources, set_photos
from ..scene.default_objects import hide_default_cube, nothing_is_chosen
from ..scene.find_imports import find_imports, make_active
from ..scene.importing.import_workspace import ImportResult, find_import
from ..scene.importing.import_workspace import import_in_steps as workspace_in_steps
from ..scene.placement import SCALED
from ..scene.reviewing import photo_list, photo_view
from ..scene.shown_parts import limit_points
from ..scene.stepwise import Steps, run
from ..scene.viewports import frame_result, show_result
from . import photo_inspection, recent_runs, reprojection, timer
from .engine_job import Job, find_job
from .job_request import alignment_options, cleaned_cloud, scene_options, start_engine
from .job_view import DONE, FAILED, RUNNING, JobView
from .resume_state import FINISHED, WorkspaceState, workspace_choices, workspace_state


@dataclass(frozen=True)
class Once:
    """Settings that override the scene's for one job. chosen: the scene's settings when it started."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    chosen: tuple[str, str, str] = ("", "", "")


@dataclass
class Session:
    """This Blender's job. scene_uid: of the scene it belongs to. state: of the chosen workspace."""

    job: Job | None = None
    scene_uid: int = 0
    notes: tuple[str, ...] = ()
    state: WorkspaceState = field(default_factory=WorkspaceState)
    once: Once = field(default_factory=Once)
    live_stamp: int = 0
    live: live.LiveState | None = None  # read but not shown yet
    unseen: bool = False  # a job has ended and the user has not reacted yet
    result: ImportResult | None = None
    waiting: Callable[[bpy.types.Scene], Steps[None]] | None = None  # an import

    @property
    def view(self) -> JobView | None:
        return self.job.view if self.job else None

    @property
    def running(self) -> bool:
        return self.job is not None and self.job.view.state == RUNNING

    @property
    def cancelling(self) -> bool:
        return self.running and self.job.cancelling

    @property
    def pausing(self) -> bool:
        return self.running and self.job.pausing


session = Session()


# -- what the operators do --------------------------------------------------------------------------


def problem_with_starting() -> str:
    """Why Reconstruct cannot start, for the button's tooltip; empty if it can, or if no photos are chosen yet."""
    if session.running:
        return "A reconstruction is running: cancel it or wait until it ends"
    inspection = photo_inspection.current()
    if inspection is not None and inspection.found is not None:
        document = inspection.found
        if not document.videos and document.used < MIN_PHOTOS:
            return f"At least {MIN_PHOTOS} photos are needed: choose another folder or add more"
    return preferences.engine_problem()


def start(
    context: bpy.types.Context, photos: str = "", workspace: str = "", fresh: bool = False, **once: Any
) -> Job:
    """Start the engine with the scene's settings. Raises UserError.

    photos, workspace: if given, set in the scene. fresh: start over from the first stage. once: settings by option,
    including `quality` and `until`, that override the scene's for this job only. Without any, an interrupted job
    continues with the ones it was started with, unless the scene's choices have changed since. If a run is already
    in progress in the workspace, it is followed instead.
    """
    if session.running:
        raise UserError("A reconstruction is running: cancel it or wait until it ends.")
    settings = context.scene.recon3d
    if photos and photos != settings.photos:
        set_photos(settings, [photos])
    settings.workspace = workspace or settings.workspace
    sources, folder = photo_sources(settings), workspace_path(settings)
    if not sources or folder is None:
        raise UserError("No photos are chosen: choose the folder with the photos.", 2)
    chosen_folders.remember(photos_path(settings), folder)
    job: Job | None = find_job(folder)
    if job is None:
        for source in sources:
            if not source.exists():
                raise UserError(f"{source} does not exist: choose the folder with the photos.", 2)
        once = {name: value for name, value in once.items() if value} or _interrupted(context.scene)
        options = {
            **scene_options(context.scene, folder),
            **once,
            "photos": [str(source) for source in sources],
        }
        quality, until = options.pop("quality", settings.quality), options.pop("until", settings.until)
        job = start_engine(folder, quality, until, options, ["--fresh"] if fresh else ())
        session.once = Once(once, _chosen(context.scene))
    _adopt_job(job, context.scene)
    return job


def start_alignment(context: bpy.types.Context, project: Path) -> Job:
    """Start the engine with the cameras of another program's project. Raises UserError.

    The photos are the scene's, or those in the project's folder if none are chosen.
    """
    folder = project if project.is_dir() else project.parent
    photos = context.scene.recon3d.photos or str(folder)
    return start(context, photos, until="refine", **alignment_options(str(project)))


def start_mesh(context: bpy.types.Context, faces: int = 0, texture: int = 0) -> Job:
    """Start the engine on the remaining stages up to the textured mesh. Raises UserError.

    faces, texture: maximum number of faces and texture size in pixels, for this job; 0: the scene's settings.
    Cleaning and crop box of an import in the scene are applied.
    """
    return run(start_mesh_in_steps(context, faces, texture))


def start_mesh_in_steps(context: bpy.types.Context, faces: int, texture: int) -> Steps[Job]:
    """`start_mesh`, in steps."""
    cloud = yield from cleaned_cloud(context.scene)
    return start(context, until="texture", max_faces=faces, texture_size=texture, **cloud)


def _chosen(scene: bpy.types.Scene) -> tuple[str, str, str]:
    """The scene's settings that a job may override."""
    return str(workspace_path(scene.recon3d)), scene.recon3d.quality, scene.recon3d.until


def _interrupted(scene: bpy.types.Scene) -> dict[str, Any]:
    """The interrupted job's one-time settings, if the scene's choices have not changed since."""
    refresh(scene)
    same = session.state.unfinished and session.once.chosen == _chosen(scene)
    return dict(session.once.settings) if same else {}


def _adopt_job(job: Job, scene: bpy.types.Scene) -> None:
    session.job, session.scene_uid = job, scene.session_uid
    session.notes, session.live_stamp, session.live = (), 0, None
    session.unseen = False
    scene.recon3d.show_inspection = False
    recent_runs.remember(job.workspace.root, scene.recon3d.photos, names_chosen(scene.recon3d))


def follow_in_background() -> None:
    """Poll the running job from Blender's event loop."""
    timer.watch("job", _tick)


def wait(context: bpy.types.Context) -> str:
    """Block until the job has ended, import its result, and return a message. Raises UserError."""
    view = session.job.wait()
    recent_runs.forget(session.job.workspace.root)
    refresh(context.scene)
    if view.state == FAILED:
        raise UserError(view.message, view.exit_code or 1, view.remedy)
    if view.state != DONE:
        return view.message
    return import_result(context.scene, session.job.workspace.root).summary()


def cancel() -> None:
    if session.job:
        session.job.cancel()


def pause() -> None:
    if session.job:
        session.job.pause()


def limit_viewport_points(scene: bpy.types.Scene) -> None:
    """Apply the scene's limit to all its imports."""
    for collection in find_imports(scene):
        limit_points(collection, scene.recon3d.viewport_points)


def import_result(scene: bpy.types.Scene, folder: Path) -> ImportResult:
    """Import a folder into a scene, show it, and store notes for the panel. Raises UserError.

    The user's own data stays unchanged, except that an unmodified default cube is hidden, which is reported, and that
    the active 3D view changes.
    """
    return run(import_in_steps(scene, folder))


def _is_to_scale(workspace: Workspace) -> bool:
    """Whether its placement has a scale: set by the user, or by the photos' GPS."""
    if workspace.placed.is_file():
        return True
    try:
        return read_document(PlacementDocument, workspace.placement, "").gps is not None
    except UserError:  # none, or a folder of another program
        return False


def import_in_steps(scene: bpy.types.Scene, folder: Path, viewport_points: int = 0) -> Steps[ImportResult]:
    """What `import_result` does. viewport_points: of a cloud shown in the viewport, at most; 0: the scene's setting."""
    seen = photo_view.seen_photo(scene)
    result = yield from workspace_in_steps(folder, scene)
    chosen_folders.remember(Workspace(folder).root)
    if _is_to_scale(Workspace(folder)):
        result.collection[KEY][SCALED] = True
    hidden = live.has_hidden_cube(scene)
    live.remove_live(scene)
    hidden = hide_default_cube(scene) or hidden
    if nothing_is_chosen(scene):
        make_active(result.mesh or result.cloud)
    limit_points(result.collection, viewport_points or scene.recon3d.viewport_points)
    show_result(result)
    photo_list.fill(scene, folder)
    if seen and scene.camera is None:  # the camera belonged to the import being updated
        photo_view.look_again(scene, result.cameras.get(seen))
    notes = (Said("The default cube is hidden."),) if hidden else ()
    session.notes = (result.summary(), *notes, *result.notes)
    session.result = result
    return result


def import_beside(scene: bpy.types.Scene, folder: Path) -> ImportResult:
    """Import a model in addition to the panel's current result, whose review stays. Raises UserError."""
    return run(beside_in_steps(scene, folder))


def beside_in_steps(scene: bpy.types.Scene, folder: Path) -> Steps[ImportResult]:
    """What `import_beside` does."""
    result = yield from workspace_in_steps(folder, scene)
    limit_points(result.collection, scene.recon3d.viewport_points)
    frame_result(result)
    return result


def forget_last() -> None:
    """Forget the messages of an earlier job or import, which do not apply to the current choice."""
    if not session.running:
        session.job, session.notes, session.unseen, session.result = None, (), False, None


def is_of(scene: bpy.types.Scene) -> bool:
    """Whether the last job belongs to the scene, for example after a saved file was reopened."""
    folder = workspace_path(scene.recon3d)
    return session.job is not None and folder is not None and session.job.workspace.root == folder


def other_paths(scene: bpy.types.Scene) -> None:
    """The user has chosen other photos or another workspace."""
    forget_last()
    paths_changed(scene)


def paths_changed(scene: bpy.types.Scene) -> None:
    """Other photos or another workspace were chosen, or a file with some was loaded."""
    refresh(scene)
    if bpy.app.background or session.running:  # the job needs the machine
        return
    settings = scene.recon3d
    settings.show_inspection = not session.state.state == FINISHED
    if not settings.photos or are_chosen(scene):
        photo_inspection.inspect(photo_sources(settings), workspace_path(settings))
        photo_inspection.watch_folders(_photos_came_or_went, lambda: not session.running)
    else:
        photo_inspection.forget()


def _photos_came_or_went() -> None:
    """Show what is new or gone, also beside a finished result."""
    bpy.context.scene.recon3d.show_inspection = True


def are_chosen(scene: bpy.types.Scene) -> bool:
    """Whether the user has chosen the scene's photos and results on this machine, so that they may be read."""
    settings = scene.recon3d
    return chosen_folders.is_chosen(photos_path(settings), workspace_path(settings))


def look_at_photos(scene: bpy.types.Scene) -> None:
    """The user confirms the photos and results set in the file."""
    settings = scene.recon3d
    chosen_folders.remember(photos_path(settings), workspace_path(settings))
    find_running(scene)
    paths_changed(scene)


def refresh(scene: bpy.types.Scene) -> None:
    """Read the chosen workspace's state again."""
    folder = workspace_path(scene.recon3d)
    known = folder is not None and chosen_folders.is_chosen(folder)
    session.state = workspace_state(folder) if known else WorkspaceState()


def find_running(scene: bpy.types.Scene) -> None:
    """Follow the run in progress in the scene's workspace, or in the one last remembered.

    Called after Blender has started or loaded a file. A scene without photos takes over those of the remembered run,
    whether it is still running or was interrupted.
    """
    settings = scene.recon3d
    if not settings.photos and not settings.workspace:
        for folder, photos, names in recent_runs.remembered():
            if workspace_state(folder).unfinished or find_job(folder):
                choose_again(settings, photos, names)
                settings.workspace = str(folder)
                quality, until = workspace_choices(folder)
                settings.quality = quality or settings.quality
                settings.until = until or settings.until
                break
    refresh(scene)
    folder = workspace_path(settings)
    if session.running or folder is None or not chosen_folders.is_chosen(folder):
        return
    job = find_job(folder)
    if job is not None:
        _adopt_job(job, scene)
        follow_in_background()
    elif session.state.unfinished:
        session.notes = (session.state.sentence,)
        # The job may have been started with other choices than the scene's.
        choices = dict(zip(("quality", "until"), workspace_choices(folder), strict=True))
        session.once = Once({name: value for name, value in choices.items() if value}, _chosen(scene))


def forget() -> None:
    """Stop following; a running engine keeps running, since its results are in its workspace."""
    timer.stop()
    photo_inspection.forget()
    reprojection.cancel()
    chosen_folders.forget_session()
    vars(session).update(vars(Session()))


# -- in Blender's event loop ------------------------------------------------------------------------


def _tick() -> tuple[bool, bool]:
    job = session.job
    if job is None:
        return False, False
    changed = job.poll()
    if session.running:
        return _show_live() or changed, True
    recent_runs.forget(job.workspace.root)
    session.unseen = True
    scene = _scene()
    if scene is not None:
        refresh(scene)
        _end(scene)
    elif job.view.state == DONE:
        session.notes = (
            Said("Another file was opened during the run: press Import Result to import the result here."),
        )
    return True, False


def _scene() -> bpy.types.Scene | None:
    """The scene that the job belongs to; None if another file is open."""
    return next((s for s in bpy.data.scenes if s.session_uid == session.scene_uid), None)


def _show_live() -> bool:
    """Read in one tick and show in the next: both together could take longer than a frame."""
    scene = _scene()
    if (
        scene is None
        or not scene.recon3d.show_live
        or STAGES.index(session.view.stage or STAGES[0]) < STAGES.index("sfm")
    ):
        return False
    if session.live is not None:
        live.show_live(scene, session.job.workspace, session.live)
        session.live = None
        return True
    stamp = live.live_stamp(session.job.workspace)
    if stamp not in (0, session.live_stamp):
        session.live_stamp = stamp
        session.live = live.read_live(session.job.workspace)
    return False


def _end(scene: bpy.types.Scene) -> None:
    """Import the result into the job's scene, or, after a failure, at least fill the review."""
    root = session.job.workspace.root
    if session.view.state == DONE and scene.recon3d.import_when_done:
        import_later(_finished_in_steps)
        return
    live.remove_live(scene)
    if session.view.state == FAILED and (
        not len(scene.recon3d.review) or find_import(scene, root) is not None
    ):
        photo_list.fill(scene, root)  # unless the review shows another result


def _finished_in_steps(scene: bpy.types.Scene) -> Steps[None]:
    """Import the result of the job that has ended."""
    job = session.job
    yield from import_in_steps(scene, job.workspace.root)
    if job.view.summary:
        session.notes = (job.view.summary, *session.notes[1:])  # instead of what was imported


def import_later(work: Callable[[bpy.types.Scene], Steps[None]]) -> None:
    """Let the window import what another process has made, as soon as nothing else is going on in it."""
    session.waiting = work
    timer.watch("import", _import_when_possible)


def waiting_in_steps(scene: bpy.types.Scene) -> Steps[str | None]:
    """The import that waits; returns its message. What fails is said in the panel: nobody has pressed a button."""
    work, session.waiting = session.waiting, None
    if work is None:
        return None
    try:
        yield from work(scene)
    except UserError as error:
        session.notes = (error.sentence,)
        return None
    finally:
        live.remove_live(scene)
    return session.notes[0] if session.notes else None


def _import_when_possible() -> tuple[bool, bool]:
    """By the operator, which can be cancelled, once no other one holds the window."""
    scene, windows = _scene(), bpy.context.window_manager.windows
    if scene is None or session.running or session.waiting is None:
        session.waiting = None
        return False, False
    if any(len(getattr(window, "modal_operators", ())) for window in windows):
        return False, True
    window = next((window for window in windows if window.scene == scene), None)
    if window is None:
        run(waiting_in_steps(scene))
        return True, False
    with bpy.context.temp_override(window=window, screen=window.screen, scene=scene):
        bpy.ops.recon3d.import_waiting("INVOKE_DEFAULT", True)
    return True, False
