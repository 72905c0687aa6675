"""A workspace marked as done with one incomplete file, as after a failing disk or a bad copy."""

from __future__ import annotations

from pathlib import Path

from blender_recon3d.pipeline.stage import STAGES

from .bench import Bench, Ended
from .records import Outcome, Run
from .resume import finish

NAME = "torn files"
EXPORT = "export: "  # the mesh is exported directly, without a run in between
MAPS = "dense/stereo/"
FILES = (
    "photos.json", "pairs.txt", "database.db", "registration.json", "placement.json", "job.json", "state.json",
    "images/demo_22.jpg", "sparse/0/cameras.bin", "sparse/0/images.bin", "sparse/0/points3D.bin",
    "dense/images/demo_22.jpg", "dense/sparse/points3D.bin",
    "dense/stereo/depth_maps/demo_22.jpg.geometric.bin", "dense/stereo/normal_maps/demo_22.jpg.geometric.bin",
    "dense/fusion.ply", "mesh/mesh.ply", "mesh/full.ply", "mesh/mesh.json", "report.json", "report.html",
    "texture/texture.png", "texture/mesh.ply", "texture/mesh.obj", EXPORT + "texture/mesh.ply",
    EXPORT + "texture/texture.png",
)  # fmt: skip
WAYS = ("empty", "half", "zeros", "gone")


def attack(number: int, bench: Bench) -> Run:
    """Tear a file, in every way in turn; the same command must rebuild it, or export reject it."""
    return tear(FILES[number % len(FILES)], WAYS[number // len(FILES) % len(WAYS)], number, bench)


def tear(name: str, way: str, number: int, bench: Bench, until: str = STAGES[-1]) -> Run:
    """Tear the file `name` of a finished workspace in one of WAYS; then a run up to `until`."""
    folder = bench.copy("torn")
    path = folder / name.removeprefix(EXPORT)
    damage(path, way)
    if MAPS in name:  # these are read only while there is no cloud
        (folder / "dense" / "fusion.ply").unlink()
    case = f"{name} {way}"
    if name.startswith(EXPORT):
        return _judge_export(number, case, bench.export(folder, bench.scratch / "export" / "asset.glb"))
    return finish(Run(NAME, number, Outcome.SAME, case), folder, bench, until)


def damage(path: Path, way: str) -> None:
    """Replace a file by a torn one; hard links to the original are not affected."""
    content = path.read_bytes()
    path.unlink()
    if way != "gone":
        torn = {"empty": b"", "half": content[: len(content) // 2], "zeros": bytes(len(content))}[way]
        path.write_bytes(torn)


def _judge_export(number: int, case: str, ended: Ended) -> Run:
    """An export of a torn mesh must be rejected in a sentence."""
    if ended.code is None:
        return Run(NAME, number, Outcome.HUNG, case)
    if ended.code == 0:
        return Run(NAME, number, Outcome.SILENT, case, "exported")
    if ended.unexpected or not ended.sentence:
        return Run(NAME, number, Outcome.ESCAPED, case, ended.output.strip()[-200:])
    return Run(NAME, number, Outcome.REFUSED, case, ended.sentence)
