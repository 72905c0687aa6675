"""A clean triangle mesh of the dense cloud: mesh/mesh.ply with limited faces, mesh/full.ply before decimation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..events import Progress
from ..files.regular import content_hash
from ..job_forecast import Facts
from ..results import Damage
from ..stage import Phase, Stage
from ..stage_settings import MeshSettings
from ..wording import Sentence, option
from ..workspace import Workspace

SAME_UP = 0.999999  # cosine: 0.1 degrees

if TYPE_CHECKING:
    from ..meshing.build_mesh import MeshResult, OffGround, Refiner
    from ..texel_density import Density


def inputs(workspace: Workspace, settings: MeshSettings) -> Any:
    from ..meshing.region import read_box

    box = read_box(settings.crop).tolist() if settings.crop else None
    if not settings.cloud:
        return [box]
    content = content_hash(Path(settings.cloud))
    if not content:
        raise UserError(
            Sentence(f"The cloud {settings.cloud} does not exist: check ", option("cloud"), "."), 2
        )
    return [box, content]


def run(workspace: Workspace, settings: MeshSettings, progress: Progress) -> dict[str, Any]:
    from ..alignments.map_offset import map_offset
    from ..files.atomic_files import atomic_folder, remove, write_json
    from ..files.ply_mesh import write_mesh
    from ..meshing.build_mesh import build_mesh

    start = time.monotonic()
    cloud = Path(settings.cloud) if settings.cloud else workspace.fusion
    with atomic_folder(workspace.mesh) as part:
        refiner = _refiner(workspace, settings, progress) if settings.mesh_refinement == "on" else None
        built = build_mesh(
            cloud,
            workspace.model,
            part / "work",
            settings,
            progress,
            refiner,
            map_offset(workspace),
            _off_ground(workspace, settings.ground == "disc") if settings.ground != "keep" else None,
        )
        remove(part / "work")
        write_mesh(part / workspace.mesh_file.name, *built.mesh)
        write_mesh(part / workspace.full_mesh_file.name, *built.full)
        facts = {
            **built.facts,
            "photo_detail": _density(workspace, built).facts(),
            "seconds": round(time.monotonic() - start, 2),
        }
        if settings.ground != "keep":
            facts["up"] = _up(workspace)
        write_json(part / workspace.mesh_json.name, facts)
    return {"message": _message(built), **{key: facts[key] for key in ("faces", "vertices", "watertight")}}


def _off_ground(workspace: Workspace, disc: bool) -> OffGround:
    import numpy as np

    from ..placing.ground_removal import off_ground

    up = _up(workspace)
    return lambda xyz: off_ground(xyz, workspace.model, np.array(up), disc)


def _up(workspace: Workspace) -> list[float]:
    """The unit direction that placement.json has up, in the model's frame, [3]."""
    import numpy as np

    from ..placing.placement_file import read_placement
    from ..wording import run_stage

    axis = read_placement(workspace.placement, run_stage("sfm"))[2, :3]
    return [float(value) for value in axis / np.linalg.norm(axis)]


def look_closer(workspace: Workspace) -> list[Damage]:
    """Where the ground is left out, another up axis makes another mesh."""
    import numpy as np

    from ..files.json_values import MAX_BYTES, mapping, numbers, parse
    from ..files.regular import read_regular

    try:
        used = numbers(mapping(parse(read_regular(workspace.mesh_json, MAX_BYTES))).get("up"), 3)
    except (OSError, ValueError):
        return []  # the ground was kept, or the checksums show the damage
    if float(np.dot(used, _up(workspace))) > SAME_UP:
        return []
    return [Damage(workspace.mesh_json, "was made with another up axis")]


def _density(workspace: Workspace, built: MeshResult) -> Density:
    from ..files.ply import columns
    from ..texturing.photo_detail import density_of

    table, faces = built.mesh
    positions, normals = columns(table, "x", "y", "z"), columns(table, "nx", "ny", "nz")
    assert positions is not None and normals is not None  # of FAR_VERTEX and VERTEX
    return density_of(workspace.model, positions, normals, faces)


def _refiner(workspace: Workspace, settings: MeshSettings, progress: Progress) -> Refiner:
    from ..mesh_refining.refine_mesh import refine_mesh
    from ..models.devices import select_device

    device = select_device(settings.device)
    return lambda mesh: refine_mesh(mesh, workspace.dense, settings.memory, device, progress)


def _message(built: MeshResult) -> str:
    facts = built.facts
    share = facts["cloud"]["used"] / max(1, facts["cloud"]["points"])
    how = "watertight" if facts["watertight"] else "open"
    return f"{facts['faces']} faces ({facts['full_faces']} before decimation), {how}, from {share:.0%} of the cloud"


def forecast(facts: Facts) -> float:
    effort = 2.9 if facts.settings.of(MeshSettings).mesh_refinement == "on" else 1.3
    # The fewer photos, the more of their points are the subject's.
    return 4.0 + effort * facts.megapixels_of_depth


STAGE = Stage(
    name="mesh",
    title="Building the mesh",
    makes="Mesh",
    makes_text="Cameras, cloud, and a mesh with vertex colors",
    version=1,
    needs=("dense",),
    settings=MeshSettings,
    inputs=inputs,
    run=run,
    look_closer=look_closer,
    owns=lambda workspace: (workspace.mesh,),
    leaves=lambda workspace: (workspace.mesh_file, workspace.full_mesh_file, workspace.mesh_json),
    forecast=forecast,
    phases=(  # its events count phases, not items
        Phase("cleaning", 0.02, ends=0.0),
        Phase("Poisson", 0.55, ends=0.0),
        Phase("trimming", 0.14, ends=0.0),
        Phase("decimating", 0.25, ends=0.0),
        Phase("coloring", 0.04, ends=0.0),
    ),
)
