"""The workspace: one folder that holds a job, its progress and its results. Standard library only.

    job.json state.json events.jsonl log.txt cancel lock output.txt; older events and log: *.old.*
    photos.json sources.json images/ masks/ pairs.txt database.db features/ live/ sparse/ placement.json dense/ mesh/
    texture/ report.*

Whatever is written here appears whole or not at all (a temporary name, put on the disk, then a rename), so that a
kill or a power cut at any moment leaves a folder that the next run continues from.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import IO, Any

from .disk import full_disk_told
from .durable import sync_file, sync_folder, sync_tree
from .events import UserError
from .files import json_values
from .files.regular import read_regular
from .photos.document import check_document
from .system.plain_files import open_plain

LOCK_PATIENCE = 1.5  # seconds
PART = ".part"  # suffix of what is being written


class Workspace:
    """Paths inside OUT and the state of its stages."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().absolute()
        self.job = self.root / "job.json"
        self.state_file = self.root / "state.json"
        self.events = self.root / "events.jsonl"
        self.log = self.root / "log.txt"
        self.old_events = self.root / "events.old.jsonl"
        self.old_log = self.root / "log.old.txt"
        self.output = self.root / "output.txt"  # what the process prints when Blender has started it
        self.cancel_file = self.root / "cancel"
        self.lock_file = self.root / "lock"
        self.photos = self.root / "photos.json"
        self.sources = self.root / "sources.json"
        self.frames = self.root / "frames"
        self.images = self.root / "images"
        self.masks = self.root / "masks"
        self.pairs = self.root / "pairs.txt"
        self.database = self.root / "database.db"
        self.features = self.root / "features"
        self.mapping = self.root / "mapping"  # COLMAP's models while they are made
        self.sparse = self.root / "sparse"
        self.model = self.sparse / "0"
        self.live = self.root / "live"
        self.placement = self.root / "placement.json"
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
        self.texture_image = self.texture / "texture.png"
        self.report_json = self.root / "report.json"
        self.report_html = self.root / "report.html"

    def create(self) -> None:
        """Make the folder; UserError when it cannot be made or is a file."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"The output folder {self.root} cannot be made ({error.strerror}): choose another with -o.",
                2,
                "results",
            ) from error

    def read_photos(self) -> dict[str, Any]:
        """photos.json; UserError when the photos stage has not run here."""
        document = read_json(self.photos, "run the photos stage first: recon3d photos OUT")
        check_document(document, self.photos)
        return document

    def used_photos(self) -> list[dict[str, Any]]:
        """The photos that are not set aside, in the order of photos.json."""
        return [photo for photo in self.read_photos()["photos"] if photo["state"] == "used"]

    # -- the state of the stages -------------------------------------------------------------------

    def read_state(self) -> dict[str, Any]:
        """`{"stages": {name: {"fingerprint", "state": "started"|"done", "seconds", ...}}, "files": {name: {...}}}`.

        An unreadable state is an empty one: the stages then run again.
        """
        try:
            state = json_values.parse(read_regular(self.state_file, json_values.MOST_BYTES))
        except (OSError, ValueError):
            state = {}
        if not isinstance(state, dict) or not isinstance(state.get("stages"), dict):
            state = {"version": 1, "stages": {}}
        state["stages"] = {name: entry for name, entry in state["stages"].items() if isinstance(entry, dict)}
        return state

    def read_files(self, stage: str) -> dict[str, str]:
        """What state.json knows of a finished stage's files (`results.files_of`); empty where it knows nothing."""
        files = self.read_state().get("files")
        found = files.get(stage) if isinstance(files, dict) else None
        if not isinstance(found, dict):
            return {}
        return {name: text for name, text in found.items() if isinstance(text, str) and _is_below(name)}

    def write_stage(
        self,
        stage: str,
        entry: dict[str, Any],
        drop: tuple[str, ...] = (),
        files: dict[str, str] | None = None,
    ) -> None:
        """Record one stage's entry and, where given, its files; forget the stages in `drop`, which depend on it."""
        state = self.read_state()
        if not isinstance(state.get("files"), dict):
            state["files"] = {}
        for name in drop:
            state["stages"].pop(name, None)
            state["files"].pop(name, None)
        state["stages"][stage] = entry
        if files is not None:
            state["files"][stage] = files
        write_json(self.state_file, state)

    # -- cancelling and locking --------------------------------------------------------------------

    def request_cancel(self) -> None:
        os.close(open_plain(self.cancel_file, os.O_WRONLY | os.O_CREAT))

    def clear_cancel(self) -> None:
        self.cancel_file.unlink(missing_ok=True)

    def is_cancelled(self) -> bool:
        return self.cancel_file.exists()

    def holder(self) -> dict[str, Any] | None:
        """`{"pid", "started"}` of the run that is at work here now; None when there is none. Any process may ask."""
        try:
            with os.fdopen(open_plain(self.lock_file, os.O_RDWR), "r+b") as file:
                if _lock(file):
                    _unlock(file)
                    return None
        except OSError:  # no lock file, or no right to open it
            return None
        return _record(self.lock_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace for this process; UserError when another one does, or the folder is read-only.

        The operating system drops the lock with the process, however it ends; the file says who holds it.
        """
        try:
            handle = open_plain(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise UserError(
                f"{self.lock_file} cannot be written to ({error.strerror}): allow it, or choose another results "
                "folder.",
                2,
                "results",
            ) from error
        with os.fdopen(handle, "a+b") as file:
            # A moment's patience: the worker of a run that was just killed notices, and lets go.
            end = time.monotonic() + LOCK_PATIENCE
            while not (held := _lock(file)) and time.monotonic() < end:
                time.sleep(0.1)
            if not held:
                raise UserError(
                    f"Another run is at work in {self.root}{_holder(self.lock_file)}: "
                    "wait for it, cancel it, or choose another folder with -o."
                )
            try:
                file.truncate(1)  # one zero byte, also where the file was empty
                file.write(json.dumps({"pid": os.getpid(), "started": time.time()}).encode())
                file.flush()
                yield
            finally:
                _unlock(file)


def _is_below(name: str) -> bool:
    """Whether a relative path stays below the folder it is joined to, on any system: state.json may be anybody's."""
    windows = PureWindowsPath(name)
    return bool(name) and not (name.startswith("/") or windows.drive or windows.root or ".." in windows.parts)


# The first byte is what is locked; the record stands after it, so that it can be read while locked on Windows.
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
    """What the holder of the lock has written of itself; zeros where it has not yet."""
    try:
        with open(path, "rb") as file:
            file.seek(1)
            raw = json.loads(file.read())
            return {"pid": int(raw["pid"]), "started": float(raw["started"])}
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return {"pid": 0, "started": 0.0}


def _holder(path: Path) -> str:
    pid = _record(path)["pid"]
    return f" (process {pid})" if pid else ""


# -- whole files ------------------------------------------------------------------------------------


@contextmanager
def whole_file(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A temporary path beside `path`, moved over it when the block ends well and removed when it does not.

    lasting: on the disk before it returns; False for what only a run under way needs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    try:
        with full_disk_told(part):
            yield part
        if lasting:
            sync_file(part)
        os.replace(part, path)
        if lasting:
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, removed at the end; what a killed run left there goes first."""
    part = path.with_name(path.name + PART)
    remove(part)
    part.mkdir(parents=True)
    try:
        with full_disk_told(part):
            yield part
    finally:
        remove(part)


@contextmanager
def whole_folder(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A scratch folder which replaces `path` when the block ends well; `lasting` as for a whole file."""
    with scratch_folder(path) as part:
        yield part
        if lasting:
            sync_tree(part)
        remove(path)
        os.replace(part, path)
        if lasting:
            sync_folder(path.parent)


def write_json(path: Path, value: Any, lasting: bool = True) -> None:
    with whole_file(path, lasting) as part:
        part.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def read_json(path: Path, advice: str) -> dict[str, Any]:
    """A JSON object; UserError with the advice when the file is missing or is none."""
    try:
        value = json_values.parse(read_regular(path, json_values.MOST_BYTES))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: {advice}.") from error
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({said}): {advice}.") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is not what it should be: {advice}.")
    return value


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_side_files(database: Path) -> None:
    """SQLite's journal files, which must not outlive the database they belong to."""
    for suffix in ("-wal", "-shm", "-journal"):
        remove(database.with_name(database.name + suffix))


def remove_database(database: Path) -> None:
    """Without opening it: it may be damaged."""
    remove(database)
    remove_side_files(database)


def clone_or_copy(source: Path, target: Path) -> None:
    """A copy that shares its blocks with the source where the file system can (Btrfs, XFS, bcachefs), else a plain one.

    Never a hard link: who edits the source in place would change a run's input while it is at work. Raises UserError
    when the source changes meanwhile; `target` appears whole.
    """
    with whole_file(target) as part, open(source, "rb") as reading, open(part, "wb") as writing:
        before = os.fstat(reading.fileno())
        if not _clone(reading.fileno(), writing.fileno()):
            shutil.copyfileobj(reading, writing, 2**20)
        after = os.fstat(reading.fileno())
        writing.flush()
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if not same or os.fstat(writing.fileno()).st_size != before.st_size:
            raise UserError(f"{source} was changed while it was copied: run the same command again.")


def _clone(source: int, target: int) -> bool:
    """Linux' FICLONE between two open files; whether it could."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, 0x40049409, source)
    except OSError:
        return False
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows one, else a copy; `target` appears whole."""
    # Windows refuses to remove a link to a read-only file, and so the workspace could not be cleaned up.
    linkable = os.name != "nt" or os.access(source, os.W_OK)
    with whole_file(target) as part:
        part.unlink(missing_ok=True)
        try:
            if not linkable:
                raise OSError
            os.link(source.resolve(), part)
        except OSError:
            shutil.copyfile(source, part)
