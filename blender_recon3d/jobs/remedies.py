"""Button labels for the engine's remedies after a failed run. No bpy."""

from __future__ import annotations

LABELS = {
    "again": "Try Again",
    "photos": "Choose Other Photos",
    "results": "Choose Another Results Folder",
    "preview": "Retry at Preview Quality",
    "log": "Open the Log",
    "engine": "Set Up Engine",
    "mask network": "Add Mask Network",
}
