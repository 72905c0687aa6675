"""The job that this Blender runs or follows, and its effects on the scene. Called by the operators.

One job at a time. A run already in progress in the scene's workspace, started by a Blender that has since been closed,
is found and followed. Loading another file does not disturb it, and its result is not imported into the wrong file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import chosen_folders, preferences
from ..pipeline.errors import UserError
from ..pipeline.photos.find_photos import MIN_PHOTOS
from ..pipeline.stage import STAGES
from ..pipeline.text import Said
from ..properties import photos_path, workspace_path
from ..scene import live
from ..scene.chosen_photos import choose_again, names_chosen, photo_sources, set_photos
from ..scene.importing.import_workspace import find_import
from ..scene.reviewing import photo_list
from ..scene.stepwise import Steps, run
from . import photo_inspection, recent_runs, reprojection, timer
from .current_job import Once, Session, scene_of_job, session
from .engine_job import Job, find_job
from .job_request import alignment_options, cleaned_cloud, scene_options, start_engine
from .job_view import DONE, FAILED
from .result_import import import_in_steps, import_later, import_result
from .resume_state import FINISHED, WorkspaceState, workspace_choices, workspace_state

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
    scene = scene_of_job()
    if scene is not None:
        refresh(scene)
        _end(scene)
    elif job.view.state == DONE:
        session.notes = (
            Said("Another file was opened during the run: press Import Result to import the result here."),
        )
    return True, False


def _show_live() -> bool:
    """Read in one tick and show in the next: both together could take longer than a frame."""
    scene = scene_of_job()
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
