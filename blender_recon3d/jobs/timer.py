"""The add-on's single timer. It persists when another file is loaded, and stops while there is nothing to watch."""

from __future__ import annotations

from collections.abc import Callable

import bpy

INTERVAL = 0.25  # seconds between ticks

# Called at every tick; returns whether the panels need a redraw, and whether to call it again.
Watcher = Callable[[], tuple[bool, bool]]

_watchers: dict[str, Watcher] = {}


def watch(name: str, watcher: Watcher) -> None:
    """Call the watcher at every tick until it returns that it is done. One per name."""
    _watchers[name] = watcher
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=INTERVAL, persistent=True)


def stop() -> None:
    """Remove all watchers."""
    _watchers.clear()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float | None:
    """Called by Blender's event loop."""
    changed = False
    for name, watcher in list(_watchers.items()):
        news, again = watcher()
        changed = changed or news
        if not again and _watchers.get(name) is watcher:
            del _watchers[name]
    if changed:
        redraw()
    return INTERVAL if _watchers else None


def redraw() -> None:
    """Redraw the sidebars, the status bar and the preferences."""
    for window in bpy.context.window_manager.windows:
        if not len(
            getattr(window, "modal_operators", ())
        ):  # a modal operator may show its own text in the status bar
            window.workspace.status_text_set_internal(None)  # redraws it
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
