"""Set up, remove and check the engine: called by the engine's buttons."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from .. import engine_setup, preferences
from ..engine_setup import engine_process
from ..pipeline.errors import UserError
from ..pipeline.events import read_events
from ..pipeline.system.process_group import ProcessGroup, last_words
from ..pipeline.workspace import Workspace
from ..scene.stepwise import Steps, run
from . import photo_inspection, timer
from . import session as jobs
from .engine_query import EngineQuery


@dataclass
class SetupView:
    """The displayed state of a setup. done, total: in the units named in `message`; 0 of 0 while unknown."""

    running: bool = False
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    error: str = ""

    @property
    def fraction(self) -> float:
        """Progress of the whole setup, 0 to 1, weighted by _SHARES."""
        if self.stage not in _SHARES:
            return 0.0
        start, share = _SHARES[self.stage]
        return start + share * (min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0)


_SHARES = {"python": (0.0, 0.05), "packages": (0.05, 0.6), "install": (0.65, 0.25), "check": (0.9, 0.1)}


class _EngineSession:
    """process: of the setup. findings: the doctor's answer."""

    def __init__(self) -> None:
        self.process: ProcessGroup | None = None
        self.workspace: Workspace | None = None
        self.offset = 0
        self.view = SetupView()
        self.doctor: EngineQuery | None = None
        self.findings: dict[str, Any] | None = None
        self.doctor_error = ""
        self.known: tuple[Path, tuple[int, ...], str] | None = (
            None  # an engine's folder, its stamp and its state
        )


session = _EngineSession()


# -- setting up -------------------------------------------------------------------------------------


def plan() -> engine_setup.Plan:
    """What Set Up Engine will do. Raises UserError."""
    prefs, folder = preferences.preferences(), preferences.engine_folder()
    if prefs is None or folder is None:
        raise UserError(
            "The add-on is not installed as an extension, so it has no folder for the engine: in a "
            "checkout, run make setup.",
            2,
        )
    index, lock = preferences.absolute(prefs.index), preferences.absolute(prefs.lock)
    return engine_setup.plan(
        folder, prefs.variant, index=index, proxy=prefs.proxy, online=bpy.app.online_access, lock=lock
    )


def is_local() -> bool:
    """Whether the preferences set a package index, which may be on this machine."""
    prefs = preferences.preferences()
    return prefs is not None and bool(preferences.absolute(prefs.index))


def state() -> str:
    """State of the environment created by Set Up Engine: "missing", "ready", "broken" or "outdated"."""
    folder = preferences.engine_folder()
    if folder is None:
        return engine_setup.MISSING
    stamp = engine_setup.stamp(folder)
    if session.known is None or session.known[:2] != (folder, stamp):
        session.known = (folder, stamp, engine_setup.state(folder))
    return session.known[2]


def unfit() -> str:
    """ "outdated" or "broken" if the environment created by Set Up Engine is in use and in that state; else empty."""
    if os.environ.get(engine_process.VARIABLE) or preferences.engine_python():
        return ""
    current = state()
    return current if current in (engine_setup.OUTDATED, engine_setup.BROKEN) else ""


def set_up() -> None:
    """Start setting up or repairing the engine. Raises UserError."""
    _start()


def add_photo_formats() -> None:
    """Start adding the packages that read RAW, OpenEXR and JPEG XL to the engine. Raises UserError."""
    _check_own(
        "The engine was not set up by Blender: run the command in the note about these photos in a terminal."
    )
    _start("photos")


def add_mask_network() -> None:
    """Start adding the weights of the network for masks to the engine. Raises UserError."""
    _check_own("The engine was not set up by Blender: run the command in the message in a terminal.")
    _start("masks")


def _check_own(otherwise: str) -> None:
    """UserError with this sentence if the engine in use is not the one that Set Up Engine makes."""
    folder = preferences.engine_folder()
    if folder is None or preferences.find_python() != (folder / engine_process.INTERPRETER).absolute():
        raise UserError(otherwise)


def _start(extra: str = "") -> None:
    if session.view.running:
        raise UserError("The engine is already being set up: wait until it is done, or cancel it.")
    setup_plan = plan()
    if not setup_plan.able and not extra:
        raise UserError(setup_plan.problems[0])
    workspace = engine_setup.claimed_work_folder(setup_plan.target)
    if workspace.lock_owner() is None:
        workspace.clear_cancel()
    session.offset = workspace.events.stat().st_size if workspace.events.exists() else 0
    session.workspace, session.findings = workspace, None
    session.view = SetupView(running=True, message="Starting")
    session.process = ProcessGroup(
        engine_setup.command(setup_plan, extra=extra), os.environ, workspace.output
    )


def follow_in_background() -> None:
    """Poll the setup from Blender's event loop."""
    timer.watch("engine setup", _tick)


def wait() -> str:
    """Block until the setup has ended, and return its message. Raises UserError."""
    import time

    while session.view.running:
        poll()
        time.sleep(0.1)
    if session.view.error:
        raise UserError(session.view.error)
    return session.view.message


def cancel() -> None:
    if session.view.running and session.workspace and session.process:
        session.workspace.request_cancel()
        session.process.ask_to_end()


def remove() -> str:
    """Delete the environment created by Set Up Engine. Raises UserError."""
    return run(remove_in_steps())


def remove_in_steps() -> Steps[str]:
    """What `remove` does; what was stopped midway is gone on with by the next one."""
    folder = preferences.engine_folder()
    if folder is None or session.view.running:
        raise UserError("The engine is being set up: cancel it first.")
    yield partial(engine_setup.remove, folder)
    session.findings, session.view = None, SetupView()
    return f"Removed the engine's environment in {folder}."


def log_file() -> Path:
    """The log of the last setup. Raises UserError if there is none."""
    folder = preferences.engine_folder()
    log = engine_setup.work_folder(folder) / "log.txt" if folder else None
    if log is None or not log.is_file():
        raise UserError("There is no log yet: press Set Up Engine first.")
    return log


def poll() -> bool:
    """Process the setup's events; True if `view` has changed."""
    view, process = session.view, session.process
    if not view.running or process is None or session.workspace is None:
        return False
    code = process.exit_code()
    events, session.offset = read_events(session.workspace.events, session.offset)
    for event in events:
        if event.kind == "error":
            view.error = event.message
        elif event.stage in _SHARES:
            view.stage, view.done, view.total = event.stage, event.done, event.total
        if event.message:
            view.message = event.message
    if code is None:
        return bool(events)
    view.running = False
    if code and not view.error:
        view.error = _last_output_line(session.workspace.output, code)
    return True


def _last_output_line(output: Path, code: int) -> str:
    last, _ = last_words(output)
    details = f" ({last[:300]})" if last else ""
    return f"Setting up the engine failed with code {code}{details}: see the log, or try again."


def _tick() -> tuple[bool, bool]:
    changed = poll()
    if session.view.running:
        return changed, True
    if not session.view.error:
        ask_doctor()
        photo_inspection.forget()  # it may read more files now
        for scene in bpy.data.scenes:  # photos that were chosen before there was an engine
            jobs.paths_changed(scene)
    return True, False


# -- the doctor -------------------------------------------------------------------------------------


def ask_doctor() -> None:
    """Run the engine's doctor. Raises UserError if there is no engine."""
    if session.doctor and session.doctor.running:
        return
    session.findings, session.doctor_error = None, ""
    command = engine_process.command(preferences.find_python(), ["doctor", "--json"])
    session.doctor = EngineQuery(command, engine_process.environment())
    timer.watch("doctor", _doctor_tick)


def doctor_lines() -> Iterator[tuple[str, str, str, str]]:
    """(state, name, found, advice) of each finding; state: "ok", "warning" or "missing"."""
    findings = (session.findings or {}).get("findings")
    for item in findings if isinstance(findings, list) else []:
        if isinstance(item, dict):
            state, name, what, advice = (
                str(item.get(key, ""))[:300] for key in ("state", "name", "found", "advice")
            )
            yield state, name, what, advice


def _doctor_tick() -> tuple[bool, bool]:
    doctor = session.doctor
    if doctor is None or not doctor.poll():
        return False, doctor is not None and doctor.running
    if not doctor.running:
        session.findings, session.doctor_error = doctor.answer, doctor.error
    return True, doctor.running


def forget() -> None:
    """Stop following; a running setup continues, and can be repaired if it fails."""
    if session.doctor:
        session.doctor.stop()
    vars(session).update(vars(_EngineSession()))
