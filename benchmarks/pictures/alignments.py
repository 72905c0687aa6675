"""Points of alignments on a photo: where they were seen (circles), and where the cameras put them (crosses).

    .venv/bin/recon3d import PROJECT --photos PHOTOS -o OUT --until sfm      for each project of another program
    .venv/bin/python -m benchmarks.pictures.alignments OUT... --output PICTURE.jpg [--written] [--photo NAME]

A tile for each workspace and, with --written, one for each format that the first one's cameras are written in and read
back from. Their median reprojection errors, in pixels, are printed and stand in the tiles.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.photo_names import PhotoNames
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.alignments.readers.read_colmap import from_model
from blender_recon3d.pipeline.alignments.to_model import match_photos
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.workspace import Workspace

FILES = {"metashape": "a.xml", "realityscan": "xmp", "meshroom": "a.sfm", "nerfstudio": "transforms.json",
         "instant-ngp": "transforms.json", "bundler": "bundle.out", "nvm": "a.nvm"}  # fmt: skip
SHOWN = 150  # points in a tile, of those that two photos and more see


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspaces", nargs="+", type=Path, metavar="OUT")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--written", action="store_true")
    parser.add_argument("--photo", default="", help="part of its name; default: the first")
    parser.add_argument("--width", type=int, default=420, help="pixels of a tile")
    parser.add_argument("--columns", type=int, default=3)
    options = parser.parse_args()
    tiles = []
    for path in options.workspaces:
        workspace = Workspace(path)
        program = str(workspace.read_state().stage("sfm").summary.get("program", path.name))
        model = read_model(workspace.model)
        poses = {image.name: (model.camera(image.camera_id), image.cam_from_world().matrix())
                 for image in model.images.values() if image.has_pose}  # fmt: skip
        tiles.append(tile(workspace, model, poses, program, options))
    for kind in FILES if options.written else ():
        workspace = Workspace(options.workspaces[0])
        model = read_model(workspace.model)
        tiles.append(
            tile(workspace, model, written_and_read(workspace, model, kind), f"{kind}, written", options)
        )
    while len(tiles) % options.columns:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.hstack(tiles[n : n + options.columns]) for n in range(0, len(tiles), options.columns)]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.output), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return 0


def written_and_read(workspace: Workspace, model: Any, kind: str) -> dict[str, Any]:
    """Camera and pose [3, 4] of each photo, by way of another program's file."""
    photos = workspace.used_photos()
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[kind](Path(folder) / FILES[kind], from_model(model))
        found = match_photos(read_alignment(Path(folder) / FILES[kind], PhotoNames(photos).size), photos)
    return {
        each.entry.name: (
            pycolmap.Camera(
                model=each.lens.model, width=each.lens.width, height=each.lens.height, params=list(each.lens.params)
            ),
            each.cam_from_world,
        )
        for each in found.photos
    }  # fmt: skip


def tile(
    workspace: Workspace, model: Any, poses: dict[str, Any], title: str, options: argparse.Namespace
) -> np.ndarray:
    errors = []
    drawn = None
    chosen = next(name for name in sorted(poses) if options.photo.lower() in name.lower())
    for image in model.images.values():
        if image.name not in poses:
            continue
        camera, pose = poses[image.name]
        seen = [point for point in image.points2D if point.has_point3D()]
        xyz = np.array([model.point3D(point.point3D_id).xyz for point in seen]).reshape(-1, 3)
        pixels = np.array([point.xy for point in seen]).reshape(-1, 2)
        projected = np.asarray(camera.img_from_cam(xyz @ pose[:, :3].T + pose[:, 3]))
        errors.append(np.linalg.norm(projected - pixels, axis=1))
        if image.name == chosen:
            drawn = pixels, projected
    median = float(np.median(np.concatenate(errors)))
    print(f"{title:<24} {len(poses):>4} photos  {median:.3f} px")
    photo = cv2.imread(str(workspace.images / chosen))
    scale = options.width / photo.shape[1]
    picture = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    step = max(1, len(drawn[0]) // SHOWN)
    for pixel, put in zip(drawn[0][::step] * scale, drawn[1][::step] * scale, strict=True):
        cv2.circle(picture, tuple(np.round(pixel).astype(int).tolist()), 5, (0, 220, 255), 1, cv2.LINE_AA)
        cv2.drawMarker(
            picture, tuple(np.round(put).astype(int).tolist()), (60, 60, 255), cv2.MARKER_CROSS, 6, 1
        )
    cv2.rectangle(picture, (0, 0), (picture.shape[1], 22), (0, 0, 0), -1)
    text = f"{title}: {median:.2f} px"
    cv2.putText(picture, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


if __name__ == "__main__":
    sys.exit(main())
