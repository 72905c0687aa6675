"""The size of a folder is counted while pip or uv write to it."""

import shutil
import threading

from blender_recon3d.engine_setup.output import folder_size


def test_folders_may_vanish_while_their_size_is_counted(tmp_path):
    (tmp_path / "kept").write_bytes(b"x" * 1000)
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            for number in range(20):
                (tmp_path / "cache" / f".tmp{number}" / "package").mkdir(parents=True)
            shutil.rmtree(tmp_path / "cache")

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert all(folder_size(tmp_path) >= 1000 for _ in range(200))
    finally:
        ended.set()
        thread.join()
    assert folder_size(tmp_path) == 1000
    assert folder_size(tmp_path / "nowhere") == 0
