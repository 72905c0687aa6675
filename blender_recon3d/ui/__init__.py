"""Panels. They show what is there; whatever is decided is decided elsewhere."""

from __future__ import annotations

from . import panel


def register() -> None:
    panel.register()


def unregister() -> None:
    panel.unregister()
