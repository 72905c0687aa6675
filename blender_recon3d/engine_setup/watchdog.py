"""Run a command, and kill it with all its children as soon as the parent process is gone.

    python -I watchdog.py COMMAND [ARGUMENT ...]

The parent holds the other end of standard input and never writes to it. pip and uv do not watch for it themselves, and
one that kept running beside the next run would corrupt the environment. Standard library only, run as a file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _watch(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    if sys.platform == "win32":
        # By its full path: Windows would look for a taskkill.exe in the current folder first.
        system = os.path.join(os.environ.get("SystemRoot", r"C:\Windows"), "System32")
        end = [os.path.join(system, "taskkill.exe"), "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(end, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os._exit(1)
    os.killpg(0, signal.SIGKILL)  # of the group that this process leads


if __name__ == "__main__":
    sys.exit(main())
