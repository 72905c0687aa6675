"""The workspace: one folder that holds a job, its progress and its results. Standard library only.

    job.json settings.json state.json events.jsonl log.txt cancel pause lock output.txt; older events and log: *.old.*
    photos.json sources.json images/ masks/ masks.json painted_masks/ model_masks/ round_masks/
    pairs.*
    database.db remapped.db features/ items/ earlier/ live/ sparse/ placement.json placed.json refined/
    dense/ mesh/ texture/ report.*

Everything is written atomically (to a temporary name, flushed to disk, then renamed), so that a kill or a power cut
at any moment leaves a folder from which the next run can continue.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from .documents.document_files import write_document
from .documents.photos_json import PhotoEntry, PhotosDocument, read_photos
from .documents.state_json import StageRecord, StateDocument, read_state
from .errors import UserError
from .files.atomic_files import remove
from .files.plain_files import open_plain
from .files.texture_files import COLOR, tile_files
from .files.user_path import user_path
from .wording import OTHER_FOLDER, Sentence, run_stage

LOCK_PATIENCE = 1.5  # seconds


class Workspace:
    """Paths inside OUT and the state of its stages."""

    def __init__(self, root: str | Path) -> None:
        self.root = user_path(root).absolute()
        self.job = self.root / "job.json"
        self.settings = self.root / "settings.json"  # the panel's settings
        self.state_file = self.root / "state.json"
        self.events = self.root / "events.jsonl"
        self.log = self.root / "log.txt"
        self.old_events = self.root / "events.old.jsonl"
        self.old_log = self.root / "log.old.txt"
        self.output = self.root / "output.txt"  # the process's output when Blender started it
        self.cancel_file = self.root / "cancel"
        self.pause_file = self.root / "pause"  # remains until the run is resumed
        self.lock_file = self.root / "lock"
        self.photos = self.root / "photos.json"
        self.sources = self.root / "sources.json"
        self.frames = self.root / "frames"
        self.images = self.root / "images"
        self.masks = self.root / "masks"
        self.masks_json = self.root / "masks.json"
        self.painted_masks = self.root / "painted_masks"  # by hand; they outlast every run
        self.model_masks = self.root / "model_masks"  # drawn from the first model
        self.round_masks = (
            self.root / "round_masks"
        )  # of a subject that was turned over, from a model of each round
        self.rounds = self.round_masks / "rounds.json"
        self.pairs = self.root / "pairs.txt"
        self.photo_descriptors = self.root / "pairs.npz"  # by which similar photos were found
        self.database = self.root / "database.db"
        self.remapped_database = self.root / "remapped.db"  # the mapper's matches, if others
        self.features = self.root / "features"
        self.turns = self.features / "turns.json"
        self.items = self.root / "items"  # results by other processes that are not brought in yet
        self.earlier = self.root / "earlier"  # features and matches of photos that may be reused
        self.mapping = self.root / "mapping"  # COLMAP's models while the mapper runs
        self.sparse = self.root / "sparse"
        self.mapped = self.sparse / "0"  # the main model as the mapper left it
        self.refining = self.root / "refining"  # checkpoints of a refinement in progress
        self.refined = self.root / "refined"
        self.refined_registration = self.refined / "registration.json"
        self.live = self.root / "live"
        self.placement = self.root / "placement.json"
        self.placed = self.root / "placed.json"  # the placement set by the user
        self.registration = self.root / "registration.json"
        self.dense = self.root / "dense"
        self.fusion = self.dense / "fusion.ply"
        self.mesh = self.root / "mesh"
        self.mesh_file = self.mesh / "mesh.ply"
        self.full_mesh_file = self.mesh / "full.ply"
        self.mesh_json = self.mesh / "mesh.json"
        self.texture = self.root / "texture"
        self.textured_mesh = self.texture / "mesh.ply"
        self.texture_obj = self.texture / "mesh.obj"
        self.texture_image = self.texture / "texture.png"  # of a texture with one tile
        self.reprojected = self.root / "reprojected"  # textures of other meshes, by name
        self.report_json = self.root / "report.json"
        self.report_html = self.root / "report.html"

    @property
    def texture_images(self) -> list[Path]:
        """The texture's image, or its tiles in their order."""
        return tile_files(self.texture, COLOR)

    @property
    def model(self) -> Path:
        """The main model: the refined one if there is one, else as the mapper left it."""
        return self.refined if (self.refined / "images.bin").exists() else self.mapped

    @property
    def mapped_database(self) -> Path:
        """The database with the matches of the models."""
        return self.remapped_database if self.remapped_database.exists() else self.database

    def create(self) -> None:
        """Create the folder; UserError if that fails or it is a file."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                Sentence(
                    f"The results folder {self.root} cannot be created ({error.strerror}): ",
                    OTHER_FOLDER,
                    ".",
                ),
                2,
                "results",
            ) from error

    def read_photos(self) -> PhotosDocument:
        """photos.json; UserError if the photos stage has not run here, or the file is damaged."""
        return read_photos(self.photos, run_stage("photos", self.root))

    def used_photos(self) -> list[PhotoEntry]:
        """The photos that are not excluded, in the order of photos.json."""
        return self.read_photos().used

    # -- the state of the stages -------------------------------------------------------------------

    def read_state(self) -> StateDocument:
        """state.json. An unreadable state counts as empty: the stages then run again."""
        return read_state(self.state_file)

    def read_files(self, stage: str) -> dict[str, str]:
        """The files of a finished stage that state.json lists (`results.files_of`); empty if there are none."""
        return self.read_state().files.get(stage, {})

    def write_state(self, state: StateDocument) -> None:
        write_document(self.state_file, state)

    def write_stage(
        self,
        stage: str,
        record: StageRecord,
        drop: tuple[str, ...] = (),
        files: dict[str, str] | None = None,
    ) -> None:
        """Write one stage's record and, if given, its files; forget the stages in `drop`, which depend on it."""
        state = self.read_state()
        stages = {name: current for name, current in state.stages.items() if name not in drop} | {
            stage: record
        }
        recorded = {name: current for name, current in state.files.items() if name not in drop}
        if files is not None:
            recorded[stage] = files
        self.write_state(replace(state, stages=stages, files=recorded))

    # -- stopping and locking --------------------------------------------------------------------

    def request_cancel(self) -> None:
        os.close(open_plain(self.cancel_file, os.O_WRONLY | os.O_CREAT))

    def clear_cancel(self) -> None:
        self.cancel_file.unlink(missing_ok=True)

    def is_cancelled(self) -> bool:
        return self.cancel_file.exists()

    def request_pause(self) -> None:
        os.close(open_plain(self.pause_file, os.O_WRONLY | os.O_CREAT))

    def clear_pause(self) -> None:
        self.pause_file.unlink(missing_ok=True)

    def is_paused(self) -> bool:
        """Whether the run here is paused, or is to pause."""
        return self.pause_file.exists()

    def lock_owner(self) -> dict[str, Any] | None:
        """`{"pid", "started"}` of the run in progress here; None if there is none. Any process may ask."""
        try:
            with os.fdopen(open_plain(self.lock_file, os.O_RDWR), "r+b") as file:
                if _lock(file):
                    _unlock(file)
                    return None
        except OSError:  # no lock file, or no permission to open it
            return None
        return _record(self.lock_file)

    @contextmanager
    def locked(self, patience: float = LOCK_PATIENCE) -> Iterator[None]:
        """Lock the workspace for this process; UserError if another one has it locked, or the folder is read-only.
        patience: seconds to wait for the other one.

        The operating system releases the lock when the process ends, however that happens; the file says who holds it.
        """
        try:
            handle = open_plain(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise UserError(
                f"{self.lock_file} cannot be written ({error.strerror}): check its permissions, or choose "
                "another results folder.",
                2,
                "results",
            ) from error
        with os.fdopen(handle, "a+b") as file:
            # Wait a moment: the worker of a run that was just killed notices that, and releases the lock.
            end = time.monotonic() + patience
            while not (held := _lock(file)) and time.monotonic() < end:
                time.sleep(0.1)
            if not held:
                raise UserError(
                    Sentence(
                        f"Another run is in progress in {self.root}{_lock_owner(self.lock_file)}: wait for it, "
                        "cancel it, or ",
                        OTHER_FOLDER,
                        ".",
                    )
                )
            try:
                file.truncate(1)  # one zero byte, even if the file was empty
                file.write(json.dumps({"pid": os.getpid(), "started": time.time()}).encode())
                file.flush()
                yield
            finally:
                _unlock(file)


# The first byte is locked; the record follows it, so that it can be read while locked on Windows.
def _lock(file: IO[bytes]) -> bool:
    file.seek(0)
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(file: IO[bytes]) -> None:
    file.seek(0)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_UN)


def _record(path: Path) -> dict[str, Any]:
    """What the lock's holder has written about itself; zeros if nothing yet."""
    try:
        with open(path, "rb") as file:
            file.seek(1)
            raw = json.loads(file.read())
            return {"pid": int(raw["pid"]), "started": float(raw["started"])}
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return {"pid": 0, "started": 0.0}


def _lock_owner(path: Path) -> str:
    pid = _record(path)["pid"]
    return f" (process {pid})" if pid else ""


# -- database files ---------------------------------------------------------------------------------


def side_files(database: Path) -> list[Path]:
    """SQLite's journal files, which must not outlive their database."""
    return [database.with_name(database.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def remove_side_files(database: Path) -> None:
    for path in side_files(database):
        remove(path)


def remove_database(database: Path) -> None:
    """Without opening it, as it may be damaged."""
    remove(database)
    remove_side_files(database)
