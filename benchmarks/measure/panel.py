"""Milliseconds of our Python code per redraw of the sidebar's tab, by panel, with many photos in the scene.

    blender --window-geometry 0 0 1600 1000 --python benchmarks/measure/panel.py -- [--photos 500] [--output FILE.md]

Needs a Blender with a window. Imports the result of an artificial capture from the checkout, with all panels open,
the review filled and a photo chosen. CPU time of the thread, median of many redraws; a list is not counted in its panel
again. Python's garbage collector is off meanwhile: a pass over all of Blender's objects takes 70 ms, now and then, and
in whatever code it falls. --profile FILE: write the profile of these redraws to a file.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402

REDRAWS = 100


def main() -> None:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    parser = argparse.ArgumentParser(prog="panel.py")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--profile", type=Path)
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
    open_all()
    with tempfile.TemporaryDirectory() as folder:
        root = write_workspace(Path(folder) / "w", ring(chosen.photos, 5000))
        write_mesh_files(root, dome(8), dome(12), texture=16)
        api.import_result(root)
        bpy.context.scene.recon3d.workspace = str(root)
        api.import_result(root)
        bpy.context.scene.recon3d.review_index = 3
        times = timed(cProfile.Profile(time.thread_time) if chosen.profile else None)
        area = next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D")
        area.spaces.active.show_region_ui = True
        yield 1.0
        region = next(region for region in area.regions if region.type == "UI")
        region.active_panel_category = "Recon3D"
        yield 1.0
        found: dict[str, list[float]] = defaultdict(list)
        gc.collect()
        gc.disable()
        for _ in range(REDRAWS):
            times.clear()
            region.tag_redraw()
            yield 0.1
            for name, seconds in times.items():
                found[name].append(1000 * seconds)
            found["all"].append(1000 * sum(times.values()))
        if chosen.profile:
            with open(chosen.profile, "w") as file:
                pstats.Stats(times.profile, stream=file).sort_stats("tottime").print_stats(40)
        show(found, chosen)
        blender_recon3d.unregister()


def open_all() -> None:
    """Open the panels that are closed by default; Blender knows by a panel's name whether it has been closed."""
    panels = [
        cls for cls in subclasses(bpy.types.Panel) if "DEFAULT_CLOSED" in getattr(cls, "bl_options", ())
    ]
    for cls in panels:
        bpy.utils.unregister_class(cls)
        cls.bl_options = cls.bl_options - {"DEFAULT_CLOSED"}
        bpy.utils.register_class(cls)


def subclasses(base: type) -> list[Any]:
    return [cls for cls in base.__subclasses__() if cls.__module__.startswith("blender_recon3d")]


class Times(defaultdict[str, float]):
    """Seconds of each panel and list since it was last cleared. inner: of what has been called within each call."""

    def __init__(self, profile: Any) -> None:
        super().__init__(float)
        self.inner, self.profile = [0.0], profile

    @contextmanager
    def of(self, cls: type) -> Iterator[None]:
        self.inner.append(0.0)
        if self.profile and len(self.inner) == 2:
            self.profile.enable()
        start = time.thread_time()
        yield
        spent = time.thread_time() - start
        if self.profile and len(self.inner) == 2:
            self.profile.disable()
        self[cls.__name__] += spent - self.inner.pop()
        self.inner[-1] += spent


def timed(profile: Any) -> Times:
    """Kept by wrapping what Blender calls, which counts a function's arguments: each kind is spelled out."""
    times = Times(profile)

    def wrap(cls: Any, name: str) -> None:
        inner = getattr(cls, name)

        def draw(self: Any, context: Any) -> Any:
            with times.of(cls):
                inner(self, context)

        def draw_item(self: Any, c: Any, layout: Any, d: Any, item: Any, icon: int, a: Any, p: str) -> Any:
            with times.of(cls):
                inner(self, c, layout, d, item, icon, a, p)

        def filter_items(self: Any, context: Any, data: Any, name: str) -> Any:
            with times.of(cls):
                return inner(self, context, data, name)

        setattr(cls, name, {"draw": draw, "draw_item": draw_item, "filter_items": filter_items}[name])

    for base, names in ((bpy.types.Panel, ("draw",)), (bpy.types.UIList, ("draw_item", "filter_items"))):
        for cls in subclasses(base):
            for name in names:
                wrap(cls, name)
    return times


def show(found: dict[str, list[float]], chosen: argparse.Namespace) -> None:
    rows = [
        f"| {name} | {median(values):.2f} | {quantiles(values, n=20)[-1]:.2f} | {max(values):.2f} |"
        for name, values in found.items()
    ]
    table = (
        "\n".join(["| panel | median, ms | 19 of 20 below, ms | largest, ms |", "|---|---|---|---|", *rows])
        + "\n"
    )
    sys.stdout.write(table)
    if chosen.output:
        version = bpy.app.version_string
        head = f"# A redraw of the tab with {chosen.photos} photos\n\n"
        head += f"`benchmarks/measure/panel.py`, Blender {version}.\n\n"
        chosen.output.write_text(head + table, "utf-8")


main()
