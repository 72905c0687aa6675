"""Runs inside a Blender that has a window: steps of a scenario, with pictures of the screen.

    blender --enable-event-simulate --window-geometry 0 0 1600 1000 --python driver.py -- SCENARIO.py OUT [WORDS ...]

A scenario is a Python file with a generator `scenario(ui, *words)`; it yields the seconds for which Blender's
event loop may run. The process ends with 0 when it returns, with 5 and `failed.png` when it raises.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator

import bpy

_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


class Ui:
    """The first window, as a person uses it. out: folder for pictures."""

    def __init__(self, out: str) -> None:
        self.out = out
        self.clicks = 0
        os.makedirs(out, exist_ok=True)

    def view(self) -> tuple[bpy.types.Window, bpy.types.Area, dict[str, bpy.types.Region]]:
        """The window, its 3D view, and the view's regions by type."""
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
        return window, area, {region.type: region for region in area.regions}

    def open_tab(self, tab: str, width: int = 0) -> Iterator[float]:
        """Show the sidebar on a tab."""
        _, area, _ = self.view()
        area.spaces.active.show_region_ui = True
        yield 0.5  # the region must have been drawn once
        _, area, regions = self.view()
        regions["UI"].active_panel_category = tab
        area.tag_redraw()
        yield 0.5

    def click(self, x: int, y: int) -> Iterator[float]:
        """Window pixels, origin bottom left."""
        self.clicks += 1
        window = bpy.context.window_manager.windows[0]
        for kind, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
            window.event_simulate(type=kind, value=value, x=x, y=y)
            self.mouse = (x, y)
            yield 0.15

    def drag(self, places: list[tuple[int, int]], release: bool = True) -> Iterator[float]:
        """Hold the left button along these window pixels."""
        window = bpy.context.window_manager.windows[0]
        yield from self.move(*places[0], 0.3)
        window.event_simulate(type="LEFTMOUSE", value="PRESS", x=places[0][0], y=places[0][1])
        yield 0.2
        for place in places[1:]:
            yield from self.move(*place, 0.2)
        if release:
            yield from self.release()

    def release(self) -> Iterator[float]:
        """Let go of the left button where the mouse is."""
        window = bpy.context.window_manager.windows[0]
        window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=self.mouse[0], y=self.mouse[1])
        yield 0.2

    def type(self, text: str) -> Iterator[float]:
        """Type digits and points where the mouse is."""
        names = {".": "PERIOD", **dict(zip("0123456789", _DIGITS, strict=True))}
        window = bpy.context.window_manager.windows[0]
        for letter in text:
            x, y = self.mouse
            window.event_simulate(type=names[letter], value="PRESS", unicode=letter, x=x, y=y)
            window.event_simulate(type=names[letter], value="RELEASE", x=x, y=y)
            yield 0.15

    def key(self, key: str) -> Iterator[float]:
        """Press a key where the mouse is."""
        window = bpy.context.window_manager.windows[0]
        for value in ("PRESS", "RELEASE"):
            window.event_simulate(type=key, value=value, x=self.mouse[0], y=self.mouse[1])
            yield 0.2

    def find(self, command: str) -> Iterator[float]:
        """Move the mouse onto the sidebar's button that runs this command; `found` is its position, or None.

        Blender does not expose the positions of its buttons, only what the one under the mouse does.
        """
        self.found = None
        region = self.view()[2]["UI"]
        for y in range(region.y + region.height - 8, region.y + 8, -8):
            for x in (region.x + 60, region.x + region.width - 80):
                yield from self.move(x, y, 0.05)
                if not self.hovered().startswith(command):
                    continue
                yield from self.move(x + 2, y, 0.3)  # the previous button may still be reported
                if self.hovered().startswith(command):
                    self.found = (x + 2, y)
                    return

    def move(self, x: int, y: int, seconds: float) -> Iterator[float]:
        """Move the mouse there and wait."""
        window = bpy.context.window_manager.windows[0]
        window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)
        self.mouse = (x, y)
        yield seconds

    def hovered(self) -> str:
        """The command of the sidebar's button under the mouse; empty if there is none."""
        window, area, regions = self.view()
        manager = bpy.context.window_manager
        manager.clipboard = ""
        with bpy.context.temp_override(window=window, area=area, region=regions["UI"]):
            if bpy.ops.ui.copy_python_command_button.poll():
                bpy.ops.ui.copy_python_command_button()
        return manager.clipboard

    def press(self, command: str) -> Iterator[float]:
        """Click on the sidebar's button that runs this command, like bpy.ops.recon3d.reconstruct."""
        yield from self.find(command)
        assert self.found, f"there is no button for {command}"
        yield from self.click(*self.found)

    def until(self, ended: Callable[[], bool], seconds: float, what: str) -> Iterator[float]:
        """Let Blender run until `ended`."""
        deadline = time.monotonic() + seconds
        while not ended():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
            yield 0.2

    def idle(self, seconds: float = 60) -> Iterator[float]:
        """Let Blender run until no operator holds the window."""
        window = bpy.context.window_manager.windows[0]
        yield from self.until(lambda: not len(window.modal_operators), seconds, "the operator ends")

    def invoke(self, operator: object, **arguments: object) -> set[str]:
        """Call an operator like a button."""
        window, area, regions = self.view()
        with bpy.context.temp_override(
            window=window, screen=window.screen, area=area, region=regions["WINDOW"]
        ):
            return operator("INVOKE_DEFAULT", **arguments)

    def redraw(self) -> None:
        window = bpy.context.window_manager.windows[0]
        for area in window.screen.areas:
            area.tag_redraw()
        with bpy.context.temp_override(window=window, screen=window.screen):
            bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)

    def shot(self, name: str) -> None:
        """A screenshot, if the system has scrot: Blender's own is black under software GL."""
        self.redraw()
        if shutil.which("scrot"):
            subprocess.run(["scrot", "-o", os.path.join(self.out, name)], check=True)


def main() -> None:
    script, out, *words = sys.argv[sys.argv.index("--") + 1 :]
    ui = Ui(out)
    steps = runpy.run_path(script)["scenario"](ui, *words)

    def tick() -> float:
        try:
            return next(steps)
        except StopIteration:
            code = 0
        except BaseException:
            traceback.print_exc()
            ui.shot("failed.png")
            code = 5
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # an exception in a timer does not reach --python-exit-code

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(tick, first_interval=0.5, persistent=True)


main()
