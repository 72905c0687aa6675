"""The power fails: only what the file system has written until then remains. Then the same command again.

The workspace is on an ext4 image. At a random moment the engine is stopped and the image is copied; the copy is
mounted, which replays the journal, and the run continues there. Every other cut uses `noauto_da_alloc`, without which
ext4 itself saves programs that rename over a file without syncing it.
"""

from __future__ import annotations

import shutil
import time

from blender_recon3d.pipeline.stage import STAGES

from . import mounts
from .bench import Bench, kill_group, last_event
from .records import Outcome, Run
from .resume import finish

NAME = "power cuts"
MEGABYTES = 96
AFTER = 6.0  # seconds after the end within which the file system may not have written everything


def attack(number: int, bench: Bench) -> Run:
    """Cut the power of run `number`, start it again, and compare with the undisturbed result."""
    random = bench.random(NAME, number)
    whole = 2.0 + sum(bench.seconds(stage) for stage in STAGES)
    options = "noauto_da_alloc" if number % 2 else ""
    return cut(random.uniform(0.5, whole + AFTER), options, number, bench)


def cut(seconds: float, options: str, number: int, bench: Bench) -> Run:
    """Cut the power after `seconds`."""
    image = mounts.make_image(bench.scratch / "power.img", MEGABYTES)
    after = bench.scratch / "after.img"
    mount = bench.scratch / "power"
    folder = mount / "workspace"
    with mounts.mounted(image, mount, options):
        process = bench.start(bench.command(folder))
        try:
            time.sleep(seconds)
        finally:
            kill_group(process)
        shutil.copyfile(image, after)
        event = last_event(folder)
        process.communicate()
    case = f"cut at {seconds:.1f} s, in {event.get('stage', 'nothing')}{', ' + options if options else ''}"
    with mounts.mounted(after, mount):
        return finish(Run(NAME, number, Outcome.SAME, case), folder, bench)
