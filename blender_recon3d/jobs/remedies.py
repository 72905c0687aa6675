"""What may be done about a failed run: the words on the button for each of the engine's remedies. No bpy."""

from __future__ import annotations

LABELS = {
    "again": "Try Again",
    "photos": "Choose Other Photos",
    "results": "Choose Another Results Folder",
    "preview": "Retry at Preview Quality",
    "log": "Open the Log",
    "engine": "Set Up Engine",
}
