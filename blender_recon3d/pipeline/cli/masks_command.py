"""`recon3d masks`: what is masked, pictures of it, and masks drawn from the model."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable

from ..documents.codec import encode
from ..documents.event import Event
from ..events import Progress
from ..files.user_path import user_path
from ..workspace import Workspace
from .console import Console
from .exit_codes import DONE
from .running import errors_as_events, json_sink
from .setting_options import job_settings

# Words for documents/masks_json.py's origins.
ORIGINS = {
    "file": "from your files",
    "painted": "painted",
    "alpha": "from transparency",
    "screen": "before a screen",
    "color": "from the backdrop's color",
    "still": "from a still background",
    "empty": "from the photo of the empty scene",
    "model": "from the model",
    "network": "from a network",
    "laid over": "only what is laid over",
}


def masks(chosen: argparse.Namespace) -> int:
    from ..masking.model_masks import draw_masks
    from ..masking.own_masks import read_masks
    from ..masking.pictures_of_masks import write_pictures

    workspace = Workspace(chosen.output)
    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, workspace.is_cancelled, stage="photos")
    with errors_as_events(progress, chosen.json):
        used = workspace.used_photos()
        if chosen.from_model:
            settings = job_settings(workspace, argparse.Namespace(), only="photos")
            with workspace.locked():
                workspace.clear_cancel()
                drawn = draw_masks(workspace, settings, progress)
            progress.info(
                f"{drawn} masks were drawn from the model: recon3d run with --masks model computes all again with them."
            )
        files = []
        if chosen.pictures:
            files = write_pictures(workspace, user_path(chosen.pictures).absolute(), progress)
        known = read_masks(workspace).masks
    counts = Counter(ORIGINS[entry.origin] for entry in known.values())
    listed = ", ".join(f"{count} {words}" for words, count in counts.items())
    message = f"{len(known)} of {len(used)} photos have a mask" + (f": {listed}" if listed else "")
    progress.emit("done", message, masks=encode(known), pictures=[str(path) for path in files])
    return DONE
