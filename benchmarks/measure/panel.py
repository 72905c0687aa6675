"""Milliseconds of our Python code per redraw of the sidebar's tab, by panel, with many photos in the scene.

    blender --window-geometry 0 0 1600 1000 --python benchmarks/measure/panel.py -- [--photos 500] [--output FILE.md]

Needs a Blender with a window. Imports the result of an artificial capture from the checkout, with all panels in their
default state, the review filled and a photo chosen. Thread time, median of many redraws.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

REDRAWS = 40


def main() -> None:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    parser = argparse.ArgumentParser(prog="panel.py")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(words)
    steps = play(chosen)

    def tick() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        os._exit(code)

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(tick, first_interval=1.0)


def play(chosen: argparse.Namespace) -> Iterator[float]:
    import blender_recon3d
    from blender_recon3d import api
    from tests.support.made_meshes import dome, write_mesh_files
    from tests.support.made_workspaces import ring, write_workspace

    blender_recon3d.register()
    with tempfile.TemporaryDirectory() as folder:
        root = write_workspace(Path(folder) / "w", ring(chosen.photos, 5000))
        write_mesh_files(root, dome(8), dome(12), texture=16)
        api.import_result(root)
        bpy.context.scene.recon3d.workspace = str(root)
        api.import_result(root)
        times = timed()
        area = next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D")
        area.spaces.active.show_region_ui = True
        yield 1.0
        region = next(region for region in area.regions if region.type == "UI")
        region.active_panel_category = "Recon3D"
        yield 1.0
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(REDRAWS):
            times.clear()
            region.tag_redraw()
            yield 0.1
            for name, seconds in times.items():
                found[name].append(1000 * seconds)
            found["all"].append(1000 * sum(times.values()))
        show(found, chosen)
        blender_recon3d.unregister()


def timed() -> dict[str, float]:
    """Seconds of each panel and list since it was last cleared, measured by wrapping what Blender calls."""
    times: dict[str, float] = defaultdict(float)

    def keep(cls: type, start: float) -> None:
        times[cls.__name__] += time.thread_time() - start

    def wrap(cls: Any, name: str) -> None:
        """Blender checks the number of arguments, so each kind is spelled out."""
        inner = getattr(cls, name)

        def draw(self: Any, context: Any) -> Any:
            start = time.thread_time()
            inner(self, context)
            keep(cls, start)

        def draw_item(self: Any, c: Any, layout: Any, d: Any, item: Any, icon: int, a: Any, p: str) -> Any:
            start = time.thread_time()
            inner(self, c, layout, d, item, icon, a, p)
            keep(cls, start)

        def filter_items(self: Any, context: Any, data: Any, name: str) -> Any:
            start = time.thread_time()
            answer = inner(self, context, data, name)
            keep(cls, start)
            return answer

        setattr(cls, name, {"draw": draw, "draw_item": draw_item, "filter_items": filter_items}[name])

    for base, names in ((bpy.types.Panel, ("draw",)), (bpy.types.UIList, ("draw_item", "filter_items"))):
        for cls in base.__subclasses__():
            if cls.__module__.startswith("blender_recon3d"):
                for name in names:
                    wrap(cls, name)
    return times


def show(found: dict[str, list[float]], chosen: argparse.Namespace) -> None:
    rows = [f"| {name} | {median(values):.2f} | {max(values):.2f} |" for name, values in found.items()]
    table = "\n".join(["| panel | median, ms | largest, ms |", "|---|---|---|", *rows]) + "\n"
    sys.stdout.write(table)
    if chosen.output:
        version = bpy.app.version_string
        head = f"# A redraw of the tab with {chosen.photos} photos\n\n"
        head += f"`benchmarks/measure/panel.py`, Blender {version}.\n\n"
        chosen.output.write_text(head + table, "utf-8")


main()
