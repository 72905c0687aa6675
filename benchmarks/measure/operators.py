"""The longest time that each operator keeps Blender from redrawing, on a large result: a table of milliseconds.

    .venv-bpy/bin/python -m benchmarks.measure.operators [--cameras 600] [--points 1000000] [--faces 1000000]

CPU time of the thread. An operator that runs in steps counts with its longest step in Blender's thread; work that it
does in other threads or another process counts nothing. Drawing and Blender's own undo are not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from blender_recon3d.scene import stepwise

SIZE = (1600, 900)  # of the view, for lasso and picking
PLACE = (1.0, 2.0, 3.0)  # where the made result is imported


class Longest:
    """The longest turn of work in steps. milliseconds: since the last `take`."""

    milliseconds = 0.0

    def take(self) -> float:
        longest, self.milliseconds = self.milliseconds, 0.0
        return longest

    def timed(self, steps: stepwise.Steps[Any]) -> stepwise.Steps[Any]:
        answer: Any = None
        while True:
            start = time.thread_time()
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return end.value
            finally:
                self.milliseconds = max(self.milliseconds, 1000 * (time.thread_time() - start))
            answer = yield step


def watch() -> Longest:
    """Time the steps of all work from now on."""
    longest = Longest()
    begin = stepwise.Stepping.__init__

    def timed(self: stepwise.Stepping[Any], steps: stepwise.Steps[Any], threads: bool = True) -> None:
        begin(self, longest.timed(steps), threads)

    stepwise.Stepping.__init__ = timed  # type: ignore[method-assign]
    return longest


def make_result(root: Path, chosen: argparse.Namespace) -> Path:
    """A workspace with a ring of cameras around a sphere of points, and a textured mesh of a wavy plane."""
    from tests.support.made_meshes import write_mesh_files
    from tests.support.made_workspaces import ring, write_cloud, write_workspace

    write_workspace(root, ring(chosen.cameras, 1000))
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(chosen.points, 3)).astype(np.float32)
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    write_cloud(root / "dense" / "fusion.ply", xyz, rng.integers(0, 256, (chosen.points, 3), dtype=np.uint8))
    side = int((chosen.faces / 2) ** 0.5) + 1
    u, v = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = [(corner, corner + 1, corner + side), (corner + 1, corner + side + 1, corner + side)]
    triangles = np.concatenate([np.stack(each, 1) for each in faces]).astype(np.int32)
    xyz = np.stack([u, 0.1 * np.sin(9 * u) * np.cos(9 * v), v], axis=1)
    return write_mesh_files(root, (xyz, triangles), texture=64)


def calls(out: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and call of every operator that works on a result; in an order in which each has what it needs."""
    from blender_recon3d.scene.exporting.export_cameras import KINDS

    ops, scene = bpy.ops.recon3d, bpy.context.scene

    def call(name: str, note: str = "", **words: Any) -> tuple[str, Callable[[], object]]:
        return f"{name} {note}".strip(), lambda: getattr(ops, name)(**words)

    yield call("import_result")
    yield call("import_result", "again")
    yield call("list_photos")
    yield "a photo chosen in the review", lambda: setattr(scene.recon3d, "review_index", 3)
    yield call("step_photo", by=1)
    yield call("exit_photo_view")
    yield call("camera_markers")
    for what in ("CAMERAS", "PHOTOS", "CLOUDS", "MESHES"):
        yield call("toggle_shown", f"{what}, off", what=what)
        yield call("toggle_shown", f"{what}, on", what=what)
    yield call("frame_result")
    yield from picking(scene)
    yield call("ground_from_plane")
    yield call("ground_from_points", points=(0, 0, 0, 1, 0, 0.1, 0, 1, 0.1))
    yield call("up_axis", axis="X")
    yield call("origin_under", target="WORLD")
    yield call("scale_to", points=(0, 0, 0, 1, 0, 0), length=2.0)
    for kind in (name for name in KINDS if KINDS[name].available()):
        yield call("export_cameras", kind, directory=str(out / kind), kind=kind)
    yield call("import_mesh")
    yield call("add_crop_box")
    yield call("move_crop_face", face="+X", distance=-0.1)
    yield call("write_crop")
    yield call("clean_cloud")
    yield call("remove_cleaning")
    yield call("clean_cloud", "again")
    yield call("apply_cleaning")


def picking(scene: bpy.types.Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    """The mouse moved over the mesh by the tools, and a lasso around a tenth of it; from above the result."""
    from blender_recon3d.scene.find_imports import current_import
    from blender_recon3d.scene.picking import Targets, View, pick, targets_of

    clip = np.array([[0.25, 0, 0, 0], [0, 0.1, 0.25, 0], [0, -0.1, 0.01, 0], [0, 0, 0, 1]])
    clip[:3, 3] = -clip[:3, :3] @ PLACE
    found: list[Targets] = []
    yield "picking: the parts looked up", lambda: found.append(targets_of(current_import(scene)))
    yield "picking: the first mouse move", lambda: pick(found[-1], View(clip, *SIZE), 800, 450)
    yield "picking: a mouse move", lambda: pick(found[-1], View(clip, *SIZE), 810, 450)
    lasso = "700 400 900 400 900 600 700 600"
    words = {"lasso": lasso, "matrix": clip.ravel().tolist(), "size": SIZE}
    yield "delete_lasso", lambda: bpy.ops.recon3d.delete_lasso(**words)


def main() -> int:
    parser = argparse.ArgumentParser(prog="operators", description=(__doc__ or "").splitlines()[0])
    for name, number in (("--cameras", 600), ("--points", 1_000_000), ("--faces", 1_000_000)):
        parser.add_argument(name, type=int, default=number)
    parser.add_argument("--only", default="", help="besides import_result, what contains this in its name")
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    import blender_recon3d

    blender_recon3d.register()
    longest, rows = watch(), ["| operator | longest, ms | all, ms |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        bpy.context.scene.recon3d.workspace = str(make_result(Path(folder) / "w", chosen))
        for name, call in calls(Path(folder) / "out"):
            if chosen.only not in name and name != "import_result":
                continue
            longest.take()
            start = time.thread_time()
            try:
                call()
                bpy.context.view_layer.update()
            except RuntimeError:
                traceback.print_exc()
            whole = 1000 * (time.thread_time() - start)
            rows.append(f"| {name} | {longest.take() or whole:.0f} | {whole:.0f} |")
            print(rows[-1], flush=True)
    table = "\n".join(rows) + "\n"
    if chosen.output:
        chosen.output.write_text(f"# How long operators keep Blender from redrawing\n\n{table}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
