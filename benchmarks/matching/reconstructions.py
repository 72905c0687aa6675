"""Section `captures`: whole captures by `recon3d run`, as a user runs it, up to the cameras: as the mapper found them,
with refined tracks, and with a free principal point as well."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure.captures import NOISE, median, ring
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.model_summaries import model_summary
from blender_recon3d.pipeline.documents.document_files import read_document
from blender_recon3d.pipeline.documents.registration_json import ModelSummary, RegistrationDocument
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.evaluation.evaluate import evaluate
from blender_recon3d.pipeline.files.atomic_files import link_or_copy, remove
from blender_recon3d.pipeline.models.front_ends import (
    NAMES,
    extractor_of,
    has_weights,
    matcher_of,
    retriever_of,
    weights_identity,
)
from blender_recon3d.pipeline.photos.extensions import EXTENSIONS
from blender_recon3d.pipeline.system.versions import engine_version
from blender_recon3d.pipeline.workspace import Workspace

from .methods import WeightSet
from .records import Records, Values
from .sections import Found, table

STAGES = ("photos", "pairs", "features", "matches", "sfm", "refine")
FRONT_END_STAGES = ("pairs", "features", "matches")
QUALITY = "medium"
SIFT = "SIFT of COLMAP"
WORST = 1.5  # times SIFT's camera error, the limit for ours
# What is measured of each workspace: a prefix of the values, and the settings of the stage `refine`.
STEPS = {
    "mapped ": ("--refine", "off"),
    "aligned ": ("--refine", "auto", "--principal-point", "fixed"),
    "": ("--refine", "auto", "--principal-point", "auto"),
}


@dataclass(frozen=True)
class FrontEnd:
    """label; identity: everything its results depend on; options: for `recon3d run`."""

    label: str
    identity: str
    options: tuple[str, ...]


def front_ends(sets: list[WeightSet], device: str, names: Sequence[str] = NAMES) -> list[FrontEnd]:
    """Those of `names` with each set of weights that has all they need; SIFT always."""
    chosen = []
    for name in names:
        parts = (retriever_of(name), extractor_of(name), matcher_of(name))
        if not any(part.weights for part in parts[1:]):
            continue
        for item in sets:
            if not all(has_weights(part, item.weights) for part in parts):
                continue
            known = " ".join(weights_identity(part, item.weights) for part in parts)
            options = ("--features", name, "--weights", item.weights, "--device", device)
            label = f"{name} ({item.label})"
            chosen.append(FrontEnd(label, f"{name} {known}, recon3d {engine_version()}", options))
    version = f"pycolmap {pycolmap.__version__}, recon3d {engine_version()}"
    return [*chosen, FrontEnd(SIFT, version, ("--features", "sift", "--device", device))]


class Reconstructions:
    """data: the folder with the captures; names: captures, or NAME/N for every Nth photo of one; work: folder for the
    workspaces; keep: whether they remain there; repeats: number of runs, of which medians are taken."""

    name = "captures"

    def __init__(self, data: Path, names: list[str], work: Path, keep: bool, repeats: int) -> None:
        for name in names:
            if not (data / name.split("/")[0] / "photos").is_dir():
                raise SystemExit(f"{data / name.split('/')[0]} holds no photos: check --data and --captures.")
        self._data = data
        self._names = names
        self._work = work
        self._keep = keep
        self._repeats = repeats
        self.settings: Values = {"quality": QUALITY, "version": 2}

    def run(self, fronts: list[FrontEnd], records: Records) -> Found:
        """Run what `records` lacks; returns medians by label and capture."""
        found: Found = {front.label: {} for front in fronts}
        for name in self._names:
            for front in fronts:
                runs = []
                for number in range(self._repeats):
                    item = f"{name} #{number}"
                    values = records.get(self.name, front.identity, item, self.settings)
                    if values is None:
                        values = self._measure(front, name)
                        records.put(self.name, front.identity, item, self.settings, values)
                    runs.append(values)
                    sys.stderr.write(f"{self.name} {item}, {front.label}: {values}\n")
                common = set.intersection(*map(set, runs))  # without a camera error if a run has none
                found[front.label][name] = median(
                    [{key: run[key] for key in run if key in common} for run in runs]
                )
        return found

    def _measure(self, front: FrontEnd, name: str) -> Values:
        capture, _, step = name.partition("/")
        photos = self._data / capture / "photos"
        if step:
            photos = thinned(photos, int(step), self._work / "photos" / name.replace("/", "-"))
        out = self._work / "workspaces" / f"{name.replace('/', '-')} {front.label}"
        remove(out)
        command = ["run", str(photos), "-o", str(out), "--until", "sfm", "--quality", QUALITY, *front.options]
        said, workspace = run(*command)[0], Workspace(out)
        if said and not workspace.registration.exists():
            raise SystemExit(f"recon3d failed on {name}, {front.label}: {said}")
        values: Values = {}
        for prefix, options in STEPS.items():
            said, seconds = run("refine", str(out), *options) if workspace.sparse.exists() else ("", 0.0)
            if said:
                raise SystemExit(f"recon3d refine failed on {name}, {front.label}: {said}")
            found = figures(workspace, self._data / capture / "truth")
            values |= {prefix + key: value for key, value in found.items()}
        values["refine seconds per 1,000"] = 1000 * seconds / max(values["mapped observations"], 1)
        if not self._keep:
            remove(out)
        return values

    def text(self, found: Found) -> str:
        header = [
            "capture", "front-end", "registered", "models", "points", "photos a point", "reprojection: mapped, refined",
            "camera center, mean (max): mapped", "tracks refined", "principal point freed as well", "rotation",
            "refining, CPU s per 1,000 observations", "pairs, features and matches, s",
        ]  # fmt: skip
        rows = [[name, label, *_cells(items[name])] for name in self._names for label, items in found.items()]
        runs = "One run" if self._repeats == 1 else f"Medians of {self._repeats} runs"
        intro = (
            f"## Captures\n\n{runs} of `recon3d run --until refine --quality {QUALITY}`; NAME/N: every Nth photo "
            "alone. "
            f"COLMAP's RANSAC with several threads makes camera errors differ by a factor of {NOISE:g} from run to "
            "run.\n\n"
        )
        return intro + table(header, rows) + verdict(found)


def run(*arguments: str) -> tuple[str, float]:
    """recon3d's message if it failed, else nothing, and the CPU seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return (done.stderr.strip()[-800:] or "nothing") if done.returncode else "", seconds


def thinned(photos: Path, step: int, folder: Path) -> Path:
    """Fills `folder` with every `step`th photo, in order of the names."""
    files = sorted(path for path in photos.iterdir() if path.suffix.lower() in EXTENSIONS)
    remove(folder)
    folder.mkdir(parents=True)
    for path in files[::step]:
        link_or_copy(path, folder / path.name)
    return folder


def figures(workspace: Workspace, truth: Path) -> Values:
    """The results of a run; registered 0 if no camera was placed. Lengths: mm, or % of the ring's radius if the truth
    has no unit."""
    models = read_document(RegistrationDocument, workspace.registration, "run recon3d sfm").models
    first = model_summary(pycolmap.Reconstruction(workspace.model)) if models else ModelSummary()
    state = workspace.read_state()
    values: Values = {
        "photos": len(workspace.used_photos()),
        "registered": first.photos,
        "models": len(models),
        "points": first.points,
        "track": first.track_length,
        "reprojection": first.error,
        "observations": first.points * first.track_length,
        **{f"seconds {stage}": state.stage(stage).seconds or 0.0 for stage in STAGES},
    }
    if not truth.is_dir() or not models:
        return values
    try:
        errors = evaluate(workspace, truth)
    except UserError:  # fewer than three cameras
        return values
    meters = errors["units"] == "m"
    scale = 1000.0 if meters else 100.0 / ring(truth)
    center = errors["cameras"]["centre"]
    return {
        **values,
        "unit": "mm" if meters else "% of the ring's radius",
        "centre": scale * center["mean"],
        "centre_max": scale * center["max"],
        "degrees": errors["cameras"]["rotation_degrees"]["mean"],
    }


def _cells(values: Values) -> list[str]:
    centers = [
        f"{values[prefix + 'centre']:.2f} ({values[prefix + 'centre_max']:.2f}) {values['unit']}"
        if prefix + "unit" in values and "unit" in values
        else ""
        for prefix in STEPS
    ]
    angle = f"{values['degrees']:.3f}°" if values.get("degrees") is not None else ""
    return [
        f"{values['registered']:g} of {values['photos']:g}",
        f"{values['models']:g}",
        f"{values['points']:,.0f}",
        f"{values['track']:.2f}",
        f"{values['mapped reprojection']:.3f}, {values['reprojection']:.3f} px",
        *centers,
        angle,
        f"{values['refine seconds per 1,000']:.2f}",
        f"{sum(values.get(f'seconds {stage}', 0.0) for stage in FRONT_END_STAGES):.1f}",
    ]


def verdict(found: Found) -> str:
    """Where a learned front-end registers fewer photos than SIFT, or has WORST times its camera error."""
    lines = []
    for label, items in found.items():
        if label == SIFT:
            continue
        worse = []
        for name, ours in items.items():
            other = found[SIFT][name]
            if ours["registered"] < other["registered"]:
                worse.append(
                    f"{name}: {ours['registered']:g} photos registered against {other['registered']:g}"
                )
            if "unit" in ours and "unit" in other and ours["centre"] > WORST * other["centre"]:
                worse.append(f"{name}: camera error {ours['centre']:.2f} against {other['centre']:.2f}")
        lines.append(
            f"Fewer photos than SIFT, or more than {WORST:g} times its camera error, {label}: "
            f"{'; '.join(worse) or 'nowhere'}.\n"
        )
    return "".join(lines)
