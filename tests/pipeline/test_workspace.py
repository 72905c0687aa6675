"""Complete files, locks and states."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from blender_recon3d.pipeline import workspace as module
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.files.atomic_files import (
    atomic_file,
    atomic_folder,
    link_or_copy,
    read_json,
    scratch_folder,
    write_json,
)
from blender_recon3d.pipeline.workspace import Workspace


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.json"
    write_json(target, {"a": 1})
    with pytest.raises(OSError), atomic_file(target) as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert read_json(target, "") == {"a": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_folder_is_replaced_only_when_it_is_whole(tmp_path):
    target = tmp_path / "sparse"
    with atomic_folder(target) as part:
        (part / "old").touch()
    with pytest.raises(RuntimeError), atomic_folder(target) as part:
        (part / "new").touch()
        raise RuntimeError
    assert os.listdir(target) == ["old"]
    with atomic_folder(target) as part:
        (part / "new").touch()
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["sparse"]


def test_scratch_files_of_a_killed_run_are_removed(tmp_path):
    left = tmp_path / "mapping.part"
    left.mkdir()
    (left / "torn").touch()
    with scratch_folder(tmp_path / "mapping") as part:
        assert os.listdir(part) == []
    assert not left.exists()


def test_a_second_holder_is_refused_with_the_first_ones_name(tmp_path):
    workspace = Workspace(tmp_path)
    with workspace.locked():
        with pytest.raises(UserError, match=f"process {os.getpid()}"), workspace.locked():
            pass
    with workspace.locked():
        pass


def test_any_process_can_ask_who_is_running(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.lock_owner() is None  # nobody has ever run here
    with workspace.locked():
        assert Workspace(tmp_path).lock_owner()["pid"] == os.getpid()
    assert workspace.lock_owner() is None
    with workspace.locked():  # asking has not released it
        pass


def test_the_lock_ends_with_its_process(tmp_path):
    code = (
        "import sys, time; from blender_recon3d.pipeline.workspace import Workspace\n"
        f"with Workspace({str(tmp_path)!r}).locked():\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UserError), Workspace(tmp_path).locked():
        pass
    holder.kill()
    holder.wait()
    with Workspace(tmp_path).locked():
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"stages": 3}', b"\xff\xfe"])
def test_an_unreadable_state_is_an_empty_one(tmp_path, content):
    workspace = Workspace(tmp_path)
    workspace.state_file.write_bytes(content)
    assert workspace.read_state().stages == {}


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be created") as caught:
        Workspace(tmp_path / "file").create()
    assert caught.value.exit_code == 2


def test_a_link_falls_back_to_a_copy(tmp_path, monkeypatch):
    source = tmp_path / "a.jpg"
    source.write_bytes(b"photo")
    link_or_copy(source, tmp_path / "linked" / "a.jpg")
    assert (tmp_path / "linked" / "a.jpg").stat().st_ino == source.stat().st_ino

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(module.os, "link", refuse)
    link_or_copy(source, tmp_path / "copied" / "a.jpg")
    assert (tmp_path / "copied" / "a.jpg").stat().st_ino != source.stat().st_ino
    assert Path(tmp_path / "copied" / "a.jpg").read_bytes() == b"photo"
