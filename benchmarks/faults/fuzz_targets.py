"""Every reader of files from outside, each with a damaged file for it.

A target is a function `target(seeds, chance) -> Case`: the files to write, and their reader. A reader may return, or
raise UserError; anything else is a fault.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blender_recon3d.jobs.engine_job import FoundJob
from blender_recon3d.jobs.job_view import JobView, follow
from blender_recon3d.jobs.resume_state import workspace_choices, workspace_state
from blender_recon3d.pipeline.cli.console import Console
from blender_recon3d.pipeline.documents.codec import encode
from blender_recon3d.pipeline.documents.state_json import StateDocument
from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.exporting.export_mesh import world_from_model
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.meshing.region import read_box
from blender_recon3d.pipeline.models.feature_files import load_features
from blender_recon3d.pipeline.models.registry import read_card
from blender_recon3d.pipeline.models.weights import read_tensors
from blender_recon3d.pipeline.mvs.depth_maps import read_map
from blender_recon3d.pipeline.mvs.fusion import read_visibility
from blender_recon3d.pipeline.photos.photo_entries import photo_entry
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.placing.placement_file import read_placement
from blender_recon3d.pipeline.report.facts import problems
from blender_recon3d.pipeline.report.thumbnails import _thumbnail
from blender_recon3d.pipeline.settings_file import job_of
from blender_recon3d.pipeline.texturing.textured_mesh import read_textured
from blender_recon3d.pipeline.workspace import Workspace
from blender_recon3d.scene.importing import colmap_files, find_source, mesh_files
from blender_recon3d.scene.importing import ply_points as scene_ply
from blender_recon3d.scene.reviewing import report_reader as scene_report

from .fuzz_seeds import MODEL, Seeds
from .mutations import damaged, damaged_json


@dataclass(frozen=True)
class Case:
    """files: contents by path in an empty folder; read: takes that folder."""

    files: dict[str, bytes]
    read: Callable[[Path], object]


Target = Callable[[Seeds, random.Random], Case]


def _file(kind: str, name: str, read: Callable[[Path], object]) -> Target:
    """One damaged file of a kind of seed, and its reader, called with its path."""

    def target(seeds: Seeds, chance: random.Random) -> Case:
        content = damaged(chance.choice(getattr(seeds, kind)), chance)
        return Case({name: content}, lambda folder: read(folder / name))

    return target


def _document(name: str, read: Callable[[Path], object], rate: float = 0.08) -> Target:
    """One damaged JSON document of a workspace whose other documents are valid."""

    def target(seeds: Seeds, chance: random.Random) -> Case:
        files = {other: json.dumps(value).encode() for other, value in seeds.documents.items()}
        files[name] = damaged_json(seeds.documents[name], chance, rate)
        return Case(files, read)

    return target


def _model(name: str) -> Target:
    """A COLMAP model with one damaged file."""

    def target(seeds: Seeds, chance: random.Random) -> Case:
        ending = Path(name).suffix
        files = {part + ending: seeds.model[part + ending] for part in MODEL}
        files[name] = damaged(files[name], chance)
        return Case(files, _read_model)

    return target


def _read_model(folder: Path) -> None:
    for camera in colmap_files.read_model(folder).cameras.values():
        camera.intrinsics()
    colmap_files.read_points(folder)


def _surface(seeds: Seeds, chance: random.Random) -> Case:
    sound, torn = seeds.mesh[0], damaged(seeds.mesh[0], chance)
    plain = torn if chance.random() < 0.5 else sound
    files = {"mesh/mesh.ply": plain, "texture/mesh.ply": torn, "texture/texture.png": b"x"}
    return Case(files, mesh_files.read_surface)


def _events(seeds: Seeds, chance: random.Random) -> Case:
    lines = [damaged_json(event, chance, 0.15) for event in chance.sample(seeds.events, 6)]
    content = b"\n".join([*lines, b""])
    return Case(
        {"events.jsonl": damaged(content, chance) if chance.random() < 0.4 else content}, _read_events
    )


def _read_events(folder: Path) -> None:
    events, _ = read_events(folder / "events.jsonl")
    view, console = JobView(), Console(io.StringIO())
    for event in events:
        view = follow(view, event)
        _ = view.seconds_left_at(0), view.fraction, view.fraction_at(0)
        console(event)
    job = FoundJob(Workspace(folder))
    job.poll()
    problems(Workspace(folder), StateDocument())


def _read_state(folder: Path) -> None:
    workspace_state(folder)
    Workspace(folder).read_state()


def _read_job(folder: Path) -> None:
    workspace_state(folder)
    workspace_choices(folder)
    path = Workspace(folder).job
    job_of(read_json(path, "choose another"), path).changed(quality="high")


def _read_placement(folder: Path) -> None:
    read_placement(folder / "placement.json", "choose another")
    world_from_model(Workspace(folder))


def _photo(seeds: Seeds, chance: random.Random) -> Case:
    content = damaged(chance.choice(seeds.photos), chance)
    name = "photo" + chance.choice((".jpg", ".png", ".tif", ".heic", ".webp"))
    return Case({name: content}, lambda folder: _examine(folder / name))


def _examine(path: Path) -> None:
    info = examine(path)
    if info.exif:
        json.dumps(encode(photo_entry(info, path.parent, set())))
    _thumbnail(path, 128)


def _card(seeds: Seeds, chance: random.Random) -> Case:
    card = {"sha256": "a" * 64, "licence": "x", "commercial_use": True}
    content = damaged_json(card, chance, 0.3)
    return Case({"w.json": content}, lambda folder: read_card(folder / "w.safetensors"))


def _box(seeds: Seeds, chance: random.Random) -> Case:
    """A box as arguments of the command line, or as a file."""
    if chance.random() < 0.5:
        words = damaged(chance.choice(seeds.box), chance).decode("latin1")
        return Case({}, lambda folder: read_box(words))
    content = damaged_json({"matrix": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]}, chance, 0.2)
    return Case({"box.json": content}, lambda folder: read_box(str(folder / "box.json")))


def _truth(seeds: Seeds, chance: random.Random) -> Case:
    camera = {"a.jpg.camera": seeds.strecha[0]}
    about: dict[str, Any] = {"units": "m", "size": 1.0, "centre": [0, 0, 0], "radius_of_interest": 2.0}
    files = chance.choice(
        (
            {"a.jpg.camera": damaged(seeds.strecha[0], chance)},
            {"bundle.out": damaged(seeds.bundler[0], chance), "list.txt": b"a.jpg\nb.jpg\n"},
            {**camera, "truth.json": damaged_json(about, chance, 0.2)},
            {**camera, "surface.ply": damaged(seeds.cloud[2], chance)},
        )
    )
    return Case(files, read_truth)


TARGETS: dict[str, Target] = {
    "cloud": _file("cloud", "x.ply", read_vertices),
    "cloud in Blender": _file("cloud", "x.ply", scene_ply.read_points),
    "mesh": _file("mesh", "x.ply", read_mesh),
    "textured mesh": _file("mesh", "x.ply", lambda path: read_textured(path).welded()),
    "surface in Blender": _surface,
    **{name: _model(name) for name in (part + ending for ending in (".bin", ".txt") for part in MODEL)},
    "events": _events,
    "state.json": _document("state.json", _read_state),
    "job.json": _document("job.json", _read_job),
    "photos.json": _document("photos.json", lambda folder: find_source._titles(folder / "photos.json")),
    "placement.json": _document("placement.json", _read_placement, 0.03),
    "report.json": _document("report.json", lambda folder: scene_report.read_review(folder / "report.json")),
    "features": _file("features", "x.npz", load_features),
    "map": _file("map", "x.bin", read_map),
    "visibility": _file("visibility", "x.vis", read_visibility),
    "photo": _photo,
    "safetensors": _file("safetensors", "x.safetensors", read_tensors),
    "pickled weights": _file("pickled", "x.pth", read_tensors),
    "card": _card,
    "box": _box,
    "truth": _truth,
}
