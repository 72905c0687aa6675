"""A library that calls exit() ends the process, whatever waits in it."""

import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, sys, threading, time
libc = ctypes.CDLL(None)
libc.on_exit(ctypes.cast(libc.pause, ctypes.c_void_p), None)  # a destructor that never returns
from blender_recon3d.pipeline.system.library_exit import end_at_once
end_at_once()
print("written", flush=False)
if sys.argv[1] == "library":
    sys.stdout.flush()
    threading.Thread(target=libc.exit, args=(7,), daemon=True).start()
    time.sleep(30)
sys.exit(7)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libraries' exit is caught on Linux only")
@pytest.mark.parametrize("who", ["library", "python"])
def test_a_library_that_exits_ends_the_process(who):
    done = subprocess.run([sys.executable, "-c", SCRIPT, who], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (7, "written\n"), done.stderr
