"""Do the same photos give the same result, byte for byte? One table, artifact x condition.

    python -m benchmarks.measure.determinism PHOTOS WORK [--features sift] [--until texture] [--conditions ...]
        [--write benchmarks/results/determinism.md] [-- further options of recon3d run]

The other conditions are compared with the first. `busy`: other processes keep all cores busy. `killed`: the run and all
its children are killed once in every stage, and restarted. Uses taskset if available (Linux); WORK is a folder for the
workspaces, which remain there and are not run again.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common.places import ROOT as REPOSITORY
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.files.ply import columns, read_vertices
from blender_recon3d.pipeline.system.cpu import cores, processor
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.workspace import Workspace

CONDITIONS = ("two cores", "again", "one core", "busy", "killed")
KILL_AFTER = 1.0  # seconds into each stage


def digests(workspace: Workspace) -> dict[str, str]:
    """A hash of each existing artifact; for the database, of its content, since SQLite's pages may move."""
    found = {"pairs": _files([workspace.pairs])}
    if workspace.database.exists():
        with open_database(workspace.database) as database:
            found |= _database(database)
    found["sparse model"] = _files(
        [path for path in sorted(workspace.model.glob("*.bin"))] + [workspace.placement]
    )
    found["depth maps"] = _files(sorted((workspace.dense / "stereo" / "depth_maps").glob("*.geometric.bin")))
    found["normal maps"] = _files(
        sorted((workspace.dense / "stereo" / "normal_maps").glob("*.geometric.bin"))
    )
    found["cloud"] = _files([workspace.fusion])
    found["mesh before decimation"] = _files([workspace.full_mesh_file])
    found["mesh"] = _files([workspace.mesh_file])
    found["UVs"] = _files([workspace.texture_obj])
    found["texture"] = _files([workspace.texture_image])
    return {name: value for name, value in found.items() if value}


def _files(paths: list[Path]) -> str:
    there = [path for path in paths if path.exists()]
    return _hash(path.name.encode() + b"\0" + path.read_bytes() for path in there) if there else ""


def _database(database: pycolmap.Database) -> dict[str, str]:
    ids = image_ids(database)
    features, matches, verified = [], [], []
    for name, image in sorted(ids.items()):
        features += [name.encode(), database.read_keypoints(image).tobytes()]
        features.append(database.read_descriptors(image).data.tobytes())
    names = sorted(ids.items())
    for number, (_, first) in enumerate(names):
        for _, second in names[number + 1 :]:
            if database.exists_matches(first, second):
                matches.append(database.read_matches(first, second).tobytes())
            if database.exists_two_view_geometry(first, second):
                geometry = database.read_two_view_geometry(first, second)
                verified += [geometry.inlier_matches.tobytes(), repr(geometry.config).encode()]
    return {"features": _hash(features), "matches": _hash(matches), "verified matches": _hash(verified)}


def _hash(parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:  # type: ignore[attr-defined]
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def how_far(first: Workspace, second: Workspace, artifact: str) -> str:
    """A short description of the difference between two that are not equal."""
    path = {"cloud": "fusion", "mesh": "mesh_file", "mesh before decimation": "full_mesh_file"}.get(artifact)
    if path is None:
        return "differs"
    one, other = (read_vertices(getattr(workspace, path)) for workspace in (first, second))
    if len(one) != len(other):
        return f"{len(one):,} and {len(other):,} points"
    a, b = columns(one, "x", "y", "z"), columns(other, "x", "y", "z")
    assert a is not None and b is not None
    return f"points off by up to {abs(a - b).max():.1g}"


def reconstruct(command: list[str], workspace: Workspace, condition: str) -> float:
    """Run it under the condition; returns seconds."""
    start = time.monotonic()
    if condition == "one core":
        command = ["taskset", "-c", "0", *command]
    with busy() if condition == "busy" else contextlib.nullcontext():
        if condition == "killed":
            _killed_in_each_stage(command, workspace)
        with open(workspace.root.with_suffix(".txt"), "ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=REPOSITORY)
    return time.monotonic() - start


def _killed_in_each_stage(command: list[str], workspace: Workspace) -> None:
    """Start, kill a moment into the first stage that was not killed yet, and so on."""
    met: set[str] = {"job", "report", "photos"}
    while True:
        with open(workspace.root.with_suffix(".txt"), "ab") as log:
            run = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=REPOSITORY,
                start_new_session=True,
            )
        _, offset = read_events(workspace.events)
        stage = ""
        while run.poll() is None and not stage:
            events, offset = read_events(workspace.events, offset)
            stage = next((e.stage for e in events if e.kind == "progress" and e.stage not in met), "")
            time.sleep(0.05)
        if not stage:
            return
        met.add(stage)
        time.sleep(KILL_AFTER)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Twice as many processes as cores, all busy computing."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_spin, daemon=True) for _ in range(2 * cores())]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _spin() -> None:
    while True:
        sum(range(10_000))


def compare(
    work: Path, conditions: list[str], command: Callable[[Path], list[str]]
) -> tuple[list[list[str]], dict[str, float]]:
    """The table's rows (artifact, then a cell for each condition but the first), and seconds by condition."""
    work.mkdir(parents=True, exist_ok=True)
    seconds, found, spaces = {}, {}, {}
    for condition in conditions:
        workspace = spaces[condition] = Workspace(work / condition.replace(" ", "-"))
        seconds[condition] = reconstruct(command(workspace.root), workspace, condition)
        found[condition] = digests(workspace)
        print(condition, f"{seconds[condition]:.0f} s", file=sys.stderr, flush=True)
    first, *rest = conditions
    rows = []
    for artifact, value in found[first].items():
        cells = [
            "equal"
            if found[other].get(artifact) == value
            else how_far(spaces[first], spaces[other], artifact)
            for other in rest
        ]
        rows.append([artifact, *cells])
    return rows, seconds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--features", default="learned")
    parser.add_argument("--until", default="texture")
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
    parser.add_argument("--write", type=Path, help="add the table to this file")
    chosen, further = parser.parse_known_args()
    further = [word for word in further if word != "--"]

    def command(root: Path) -> list[str]:
        words = [
            "run",
            chosen.photos.absolute(),
            "-o",
            root,
            "--features",
            chosen.features,
            "--until",
            chosen.until,
        ]
        return [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, words), *further]

    rows, seconds = compare(chosen.work.absolute(), chosen.conditions, command)
    text = table(
        rows, seconds, chosen.conditions, f"{chosen.photos.name}, {chosen.features} {' '.join(further)}"
    )
    print(text)
    if chosen.write:
        with open(chosen.write, "a", encoding="utf-8") as file:
            file.write("\n" + text)
    return 0 if all(cell == "equal" for row in rows for cell in row[1:]) else 1


def table(rows: list[list[str]], seconds: dict[str, float], conditions: list[str], title: str) -> str:
    first, *rest = conditions
    here = versions()
    lines = [f"## {title.strip()}", "", f"{processor().name}, {cores()} cores; torch {here['torch']}, pycolmap "
             f"{here['pycolmap']}. Compared with the run on {first}, byte for byte.", "",
             "| | " + " | ".join(rest) + " |", "|---" * len(conditions) + "|"]  # fmt: skip
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", "Seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()) + ".", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
