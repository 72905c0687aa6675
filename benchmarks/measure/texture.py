"""Textures side by side: held-out photos, rendered from the textured mesh and compared with the photos.

    python -m benchmarks.measure.texture [--data ../shared/data] [--scenes demo saharov] [--size 4096] [--every 7]
                                 [--output build/texture] [--markdown benchmarks/results/texture.md] [--variants demo]
                                 [--pictures DIR]

Every seventh photo is held out from texturing (not from the cameras and the mesh, which are the same for all methods).
Seconds and memory are those of the whole stage with all photos, in a separate process. OUTPUT/SCENE is a workspace with
a mesh; an existing one is used.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.common.own_process import figures_of, tell
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from benchmarks.common.texture_measures import Sight, quality, seam_contrast
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import remove, scratch_folder
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.system.cpu import cores
from blender_recon3d.pipeline.system.memory import PeakMemory
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.texturing.blend import blend
from blender_recon3d.pipeline.texturing.choice import fineness, weights
from blender_recon3d.pipeline.texturing.exposure import gains
from blender_recon3d.pipeline.texturing.inpaint import picture, vertex_colors
from blender_recon3d.pipeline.texturing.paint import CONTRAST
from blender_recon3d.pipeline.texturing.samples import Samples, sample_views
from blender_recon3d.pipeline.texturing.texels import Texels, texels_of
from blender_recon3d.pipeline.texturing.texture_views import TextureView, load_views
from blender_recon3d.pipeline.texturing.unwrap import Unwrapped, unwrap
from blender_recon3d.pipeline.workspace import Workspace

SCENES = ("demo", "saharov")
OURS = "ours"
METHODS = ("the cloud's colors at vertices", "the photos' colors at vertices", "one photo a face", OURS)


class Scene:
    """A mesh, the photos to texture it with, and the held-out ones."""

    def __init__(self, workspace: Workspace, size: int, every: int) -> None:
        table, self.faces = read_mesh(workspace.mesh_file)
        parts = [
            columns(table, *names)
            for names in (("x", "y", "z"), ("nx", "ny", "nz"), ("red", "green", "blue"))
        ]
        self.vertices, self.normals, self.given = (np.asarray(part) for part in parts)
        views = load_views(workspace.model, workspace.images, workspace.masks, size, Progress())
        views.sort(key=lambda view: view.name)
        held = views[every // 2 :: every]
        self.views: list[TextureView] = [view for view in views if view not in held]
        self.sights = [Sight.build(view, self.vertices, self.faces) for view in held]
        self.samples: Samples = sample_views(self.views, self.vertices, self.normals, self.faces, Progress())
        with scratch_folder(workspace.root / "unwrapping") as folder:
            fine = fineness(self.samples, self.faces)
            self.unwrapped: Unwrapped = unwrap(self.vertices, self.faces, fine, folder, Progress())
        self.texels: Texels = texels_of(self.unwrapped.uv, self.unwrapped.faces, size)
        self.drawn: list[np.ndarray] = []  # the first held-out photo, as rendered by each method

    def score(self, draw: Any) -> dict[str, float]:
        """Means over the held-out photos; draw(sight) returns the picture."""
        pictures = [draw(sight) for sight in self.sights]
        self.drawn.append(pictures[0])
        found = [quality(image, sight) for image, sight in zip(pictures, self.sights, strict=True)]
        return {key: float(np.mean([values[key] for values in found])) for key in found[0]}

    def vertex_score(self, colors: np.ndarray) -> dict[str, float]:
        return self.score(lambda sight: sight.with_vertex_colors(colors, self.faces))

    def texture_score(self, weight: np.ndarray, gain: np.ndarray) -> dict[str, float]:
        """For the texture from vertex weights [V, N] and gains [N, 3]."""
        behind = vertex_colors(self.samples, weight, gain, self.faces, self.given)
        return self._painted(self.vertices, self.faces, weight, gain, behind)

    def best_view_score(self) -> dict[str, float]:
        """Each face from the one photo that shows it largest, unchanged."""
        shown = np.where(self.samples.trust > 0, self.samples.faced, 0).astype(np.float32)
        face = shown[self.faces].min(axis=1)  # all corners seen
        best = face.argmax(axis=1)
        weight = np.zeros((3 * len(self.faces), len(self.views)), np.float32)
        weight[np.arange(len(weight)), np.repeat(best, 3)] = np.repeat(face.max(axis=1) > 0, 3)
        apart = np.arange(3 * len(self.faces)).reshape(-1, 3)
        one = np.ones((len(self.views), 3), np.float32)
        corners, given = self.vertices[self.faces].reshape(-1, 3), self.given[self.faces].reshape(-1, 3)
        return self._painted(corners, apart, weight, one, given)

    def _painted(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        weight: np.ndarray,
        gain: np.ndarray,
        behind: np.ndarray,
    ) -> dict[str, float]:
        texels = self.texels
        color, trust = blend(self.views, vertices, faces, texels, weight, gain, Progress())
        image = picture(texels, color, trust, behind, faces)
        uv = self.unwrapped.uv[self.unwrapped.faces]
        found = self.score(lambda sight: sight.with_texture(image, uv))
        return {**found, "seams": seam_contrast(image, self.unwrapped)}


def methods(scene: Scene, variants: bool) -> dict[str, dict[str, float]]:
    samples, faces = scene.samples, scene.faces
    gain = gains(samples)
    one = np.ones_like(gain)
    weight = weights(samples, gain, faces, CONTRAST)
    mixed = vertex_colors(samples, weight, gain, faces, scene.given)
    scores = (
        scene.vertex_score(scene.given),
        scene.vertex_score(mixed),
        scene.best_view_score(),
        scene.texture_score(weight, gain),
    )
    found = dict(zip(METHODS, scores, strict=True))
    if variants:
        found["ours without gains"] = scene.texture_score(weights(samples, one, faces, CONTRAST), one)
        for contrast in (1.0, 2.0, 8.0):
            name = f"ours, contrast {contrast:g} (not {CONTRAST:g})"
            found[name] = scene.texture_score(weights(samples, gain, faces, contrast), gain)
        alike = replace(samples, color=np.full_like(samples.color, 128))
        found["ours without the vote on odd colors"] = scene.texture_score(
            weights(alike, one, faces, CONTRAST), gain
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=ROOT.parent / "shared" / "data")
    add("--output", type=Path, default=ROOT / "build" / "texture")
    add("--scenes", nargs="+", default=list(SCENES))
    add("--size", type=int, default=4096)
    add("--every", type=int, default=7)
    add(
        "--variants",
        nargs="+",
        default=[],
        metavar="SCENE",
        help="also ours with one part left out or changed",
    )
    add("--markdown", type=Path, help="write the table here too")
    add(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="write a held-out photo as rendered by the four methods, and itself",
    )
    add("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(Workspace(options.output / options.one), options.size)
        return 0
    lines = []
    for name in options.scenes:
        workspace = with_mesh(options, name)
        cost = measured(options, name)
        scene = Scene(workspace, options.size, options.every)
        found = methods(scene, name in options.variants)
        photos = f"{len(scene.views)} + {len(scene.sights)}"
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            strip = np.hstack([*scene.drawn[: len(METHODS)], scene.sights[0].photo])
            cv2.imwrite(str(options.pictures / f"{name}.png"), np.clip(strip, 0, 255)[..., ::-1])
        for method, row in found.items():
            spent = [f"{cost['wall']:.0f}", f"{cost['cpu']:.0f}", f"{cost['memory_mb']:,.0f} MB"]
            scores = [f"{row['psnr']:.2f}", f"{row['psnr_levelled']:.2f}", f"{row['ssim']:.3f}"]
            scores += [f"{row['sharpness']:.2f}", f"{row['seams']:.2f}" if "seams" in row else ""]
            cells = [name, photos, method, *scores, *(spent if method == OURS else [""] * 3)]
            lines.append("| " + " | ".join(cells) + " |")
            sys.stderr.write(f"{name}, {method}: {row}\n")
    text = table(lines, options)
    show_table("Textures side by side", text, options.markdown)
    return 0


def with_mesh(options: argparse.Namespace, name: str) -> Workspace:
    workspace = Workspace(options.output / name)
    if not workspace.mesh_file.exists():
        photos = ROOT / "demo" / "photos" if name == "demo" else options.data / "captures" / name / "photos"
        run_job(workspace, JobSettings.build(photos=photos, features="sift", until="mesh"), Progress())
    return workspace


def measured(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Seconds and memory of the stage."""
    words = ("--output", options.output, "--size", options.size, "--one", name)
    return figures_of(__spec__.name, f"The texture of {name}", *words)


def run_one(workspace: Workspace, size: int) -> None:
    import os

    start, before = time.monotonic(), os.times()
    with PeakMemory() as peak:  # the system's own figure includes the parent process
        stage.run(workspace, TextureSettings(texture_size=size), Progress())
    after = os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    tell({"wall": time.monotonic() - start, "cpu": cpu, "memory_mb": peak.bytes / 2**20})
    remove(workspace.texture)


def table(lines: list[str], options: argparse.Namespace) -> str:
    here = versions()
    return "\n".join(
        [
            f"recon3d {here['recon3d']}, xatlas {here['xatlas']}, numpy {here['numpy']}, {cores()} cores. Texture of "
            f"{options.size} x {options.size}. Photos: textured from + held back. PSNR in dB and SSIM of the photos "
            "held back, where the mesh covers and is to be seen; `levelled`: after one gain a channel, since photos "
            "differ in exposure (SSIM too). Sharpness: root of the gradients' energy, relative to the photos'. Seams: "
            "change across the edges between charts, relative to other edges. Seconds and peak memory: the whole "
            "stage with all photos.",
            "",
            "| scene | photos | method | PSNR | levelled | SSIM | sharpness | seams | seconds | CPU s | peak memory |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
