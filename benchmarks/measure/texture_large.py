"""The texture of many large photos: seconds, CPU seconds and peak memory of the stage.

    python -m benchmarks.measure.texture_large [--source build/demo/workspace] [--photos 40] [--megapixels 12]
                              [--size 4096] [--output build/texture_large]
                              [--markdown benchmarks/results/texture_large.md]

SOURCE is a finished workspace with a mesh. Its photos are enlarged to that many megapixels, and its cameras with them;
if there are too few, some are used twice under other names. So the work is that of real large photos, the detail is
not. The stage runs in a separate process.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import cv2

from benchmarks.common.own_process import figures_of, tell
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.files.atomic_files import remove
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.system.cpu import cores
from blender_recon3d.pipeline.system.memory import PeakMemory
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.workspace import Workspace

PHASES = ("reading photos", "unwrapping", "painting")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--source", type=Path, default=ROOT / "build" / "demo" / "workspace")
    add("--photos", type=int, default=40)
    add("--megapixels", type=float, default=12.0)
    add("--size", type=int, default=4096)
    add("--output", type=Path, default=ROOT / "build" / "texture_large")
    add("--markdown", type=Path, help="write the table here too")
    add("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    workspace = Workspace(options.output / "workspace")
    if options.one:
        run_one(workspace, options.size)
        return 0
    make(options, workspace)
    words = ("--output", options.output, "--size", options.size, "--one")
    found = figures_of(__spec__.name, "The texture", *words)
    show_table("A texture of many large photos", table(options, workspace, found), options.markdown)
    return 0


def make(options: argparse.Namespace, workspace: Workspace) -> None:
    """The workspace with large photos, cameras and a mesh."""
    source = Workspace(options.source)
    if not source.mesh_file.exists():
        raise SystemExit(
            f"{source.root} has no mesh: reconstruct it up to the mesh first, for instance by make demo"
        )
    remove(workspace.root)
    for folder in (workspace.images, workspace.mesh_file.parent, workspace.mapped):
        folder.mkdir(parents=True)
    shutil.copy(source.mesh_file, workspace.mesh_file)
    small, large = pycolmap.Reconstruction(source.model), pycolmap.Reconstruction()
    for number, camera in small.cameras.items():
        large.add_camera_with_trivial_rig(_enlarged(camera, options.megapixels, number))
    images = sorted((small.image(number) for number in small.reg_image_ids()), key=lambda image: image.name)
    for number in range(options.photos):
        image = images[number % len(images)]
        camera = large.camera(image.camera_id)
        name = f"{number:03d}.jpg"
        pixels = cv2.imread(str(source.images / image.name), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        cv2.imwrite(
            str(workspace.images / name),
            cv2.resize(pixels, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC),
        )
        made = pycolmap.Image(name=name, camera_id=image.camera_id, image_id=number + 1)
        large.add_image_with_trivial_frame(made, image.cam_from_world())
    large.write_binary(workspace.mapped)


def _enlarged(camera: pycolmap.Camera, megapixels: float, number: int) -> pycolmap.Camera:
    scale = (megapixels * 1e6 / (camera.width * camera.height)) ** 0.5
    made = pycolmap.Camera(camera.todict())
    made.rescale(scale)
    made.camera_id = number
    return made


def run_one(workspace: Workspace, size: int) -> None:
    import os

    remove(workspace.texture)
    start, before = time.monotonic(), os.times()
    began: dict[str, float] = {}

    def note(event: Event) -> None:
        for phase in PHASES:
            if event.message.startswith(phase):
                began.setdefault(phase, time.monotonic() - start)

    with PeakMemory() as peak:  # the system's own figure includes the parent process
        done = stage.run(workspace, TextureSettings(texture_size=size), Progress(note))
    wall = time.monotonic() - start
    times = [began.get(phase, 0.0) for phase in PHASES[1:]] + [wall]
    parts = [end - begin for begin, end in zip([0.0, *times[:-1]], times, strict=True)]
    tell(
        {
            "wall": wall,
            "cpu": sum(os.times()[:4]) - sum(before[:4]),
            "memory_mb": peak.bytes / 2**20,
            "parts": parts,
            "photos": done["photos"],
            "seen": done["seen"],
        }
    )


def table(options: argparse.Namespace, workspace: Workspace, found: dict[str, Any]) -> str:
    here = versions()
    vertices, faces = read_mesh(workspace.mesh_file)
    height, width = cv2.imread(str(workspace.images / "000.jpg")).shape[:2]
    cells = [
        f"{found['photos']} of {width:,} x {height:,}",
        f"{len(faces):,}",
        f"{len(vertices):,}",
        f"{found['wall']:.0f} ({', '.join(f'{part:.0f}' for part in found['parts'])})",
        f"{found['cpu']:.0f}",
        f"{found['memory_mb']:,.0f} MB",
    ]
    return "\n".join(
        [
            f"recon3d {here['recon3d']}, xatlas {here['xatlas']}, numpy {here['numpy']}, {cores()} cores. A texture "
            f"of {options.size} x {options.size} from photos of the demo, enlarged to {options.megapixels:g} "
            "megapixels, some of them used twice. Seconds: all (reading photos, unwrapping, painting and the rest).",
            "",
            "| photos | faces | vertices | seconds | CPU s | peak memory |",
            "|---|---|---|---|---|---|",
            "| " + " | ".join(cells) + " |",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
