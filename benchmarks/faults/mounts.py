"""File systems of a chosen size for attacks on the disk: tmpfs and ext4 images. Linux and root only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def why_not() -> str:
    """Why nothing can be mounted here; "" if it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "mounting needs root on Linux"
    try:
        with _scratch() as folder, small_disk(folder / "mount", 64):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"nothing can be mounted here ({error})"


def why_no_loop() -> str:
    """Why no ext4 image can be mounted here; "" if it can."""
    if reason := why_not():
        return reason
    try:
        with _scratch() as folder:
            image = make_image(folder / "image", 8)
            with mounted(image, folder / "mount"):
                return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no loop device can be mounted here ({error})"


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """An in-memory disk of that size at `folder`."""
    _prepare(folder)
    _call("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


def resize(folder: Path, kilobytes: int) -> None:
    """Enlarge a `small_disk`."""
    _call("mount", "-o", f"remount,size={kilobytes}k", str(folder))


def make_image(path: Path, megabytes: int) -> Path:
    """An empty ext4 file system in a file."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    _call("mkfs.ext4", "-q", "-F", str(path))
    return path


@contextlib.contextmanager
def mounted(image: Path, folder: Path, options: str = "") -> Iterator[Path]:
    """The image's file system, mounted at `folder`."""
    _prepare(folder)
    _call("mount", "-o", ",".join(part for part in ("loop", options) if part), str(image), str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


def _prepare(folder: Path) -> None:
    """An empty folder, even after a run that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    while os.path.ismount(folder):
        _unmount(folder)


def _unmount(folder: Path) -> None:
    for _ in range(20):
        if subprocess.run(["umount", str(folder)], capture_output=True).returncode == 0:
            return
        time.sleep(0.5)  # a process that was just killed still uses it
    _call("umount", "--lazy", str(folder))


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _call(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
