"""Section `captures`: whole captures by `recon3d run`, as a user runs it, up to the cameras: as the mapper found them,
with refined tracks, and with a free principal point as well."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure.captures import NOISE, median, ring
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.model_summaries import model_summary
from blender_recon3d.pipeline.documents.document_files import read_document
from blender_recon3d.pipeline.documents.registration_json import ModelSummary, RegistrationDocument
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.evaluation.alignment import errors, robust_similarity
from blender_recon3d.pipeline.evaluation.evaluate import evaluate, match_names
from blender_recon3d.pipeline.evaluation.truth import read_truth
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
QUALITY = "preview"
SIFT = "SIFT of COLMAP"
TRUE_WIDTH = 3072  # of the photos that the K.txt of fountain-p11 and herz-jesu-p25 was measured for, pixels
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
    workspaces; keep: whether they remain there; repeats: number of runs, of which medians are taken; quality: the
    setting."""

    name = "captures"

    def __init__(
        self, data: Path, names: list[str], work: Path, keep: bool, repeats: int, quality: str = QUALITY
    ) -> None:
        for name in names:
            if not (data / name.split("/")[0] / "photos").is_dir():
                raise SystemExit(f"{data / name.split('/')[0]} holds no photos: check --data and --captures.")
        self._data = data
        self._names = names
        self._work = work
        self._keep = keep
        self._repeats = repeats
        self._quality = quality
        self.settings: Values = {"quality": quality, "version": 3}

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
        workspace = Workspace(out)
        values: Values = {}
        for key, until in (("to photos", "photos"), ("to matches", "matches"), ("to cameras", "sfm")):
            command = ["run", str(photos), "-o", str(out), "--until", until, "--quality", self._quality]
            said, values[f"CPU seconds {key}"] = run(*command, *front.options)
        if said and not workspace.registration.exists():
            raise SystemExit(f"recon3d failed on {name}, {front.label}: {said}")
        for prefix, options in STEPS.items():
            said, seconds = run("refine", str(out), *options) if workspace.sparse.exists() else ("", 0.0)
            if said:
                raise SystemExit(f"recon3d refine failed on {name}, {front.label}: {said}")
            found = figures(workspace, self._data / capture / "truth")
            values |= {prefix + key: value for key, value in found.items()}
        values["refine seconds per 1,000"] = 1000 * seconds / max(values["mapped observations"], 1)
        values |= with_true_intrinsics(workspace, self._data / capture / "truth")
        if not self._keep:
            remove(out)
        return values

    def text(self, found: Found) -> str:
        header = [
            "capture", "front-end", "registered", "models", "points", "photos a point", "reprojection: mapped, refined",
            "camera center, mean (max): mapped", "tracks refined", "principal point freed as well",
            "K known", "rotation", "refining, CPU s per 1,000 observations", "pairs, features and matches, CPU s",
            "mapping, CPU s",
        ]  # fmt: skip
        rows = [[name, label, *_cells(items[name])] for name in self._names for label, items in found.items()]
        runs = "One run" if self._repeats == 1 else f"Medians of {self._repeats} runs"
        intro = (
            f"## Captures\n\n{runs} of `recon3d run --until refine --quality {self._quality}`; NAME/N: every Nth photo "
            "alone. K known: the refined model adjusted once more with the true intrinsics. CPU seconds include the "
            "start of the program. "
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
        found = evaluate(workspace, truth)
    except UserError:  # fewer than three cameras
        return values
    meters = found["units"] == "m"
    scale = 1000.0 if meters else 100.0 / ring(truth)
    center = found["cameras"]["centre"]
    return {
        **values,
        "unit": "mm" if meters else "% of the ring's radius",
        "centre": scale * center["mean"],
        "centre_max": scale * center["max"],
        "degrees": found["cameras"]["rotation_degrees"]["mean"],
    }


def with_true_intrinsics(workspace: Workspace, truth: Path) -> Values:
    """The camera error after the refined model was adjusted with the true intrinsics; nothing if they are unknown."""
    if not (truth / "K.txt").exists() or not workspace.model.exists():
        return {}
    known = [float(number) for number in (truth / "K.txt").read_text("utf-8").split()]
    model = pycolmap.Reconstruction(workspace.model)
    for camera in model.cameras.values():
        reduced = camera.width / TRUE_WIDTH
        camera.model = pycolmap.CameraModelId.PINHOLE
        camera.params = [reduced * known[index] for index in (0, 4, 2, 5)]
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_focal_length = options.refine_principal_point = options.refine_extra_params = False
    options.print_summary = False
    pycolmap.bundle_adjustment(model, options)
    true = read_truth(truth)
    sources = {photo.name: photo.source for photo in workspace.used_photos()}
    matched = match_names(list(sources.values()), list(true.centers))
    placed = [model.image(number) for number in model.reg_image_ids()]
    placed = [image for image in placed if sources[image.name] in matched]
    if len(placed) < 3:
        return {}
    ours = np.stack([image.projection_center() for image in placed])
    centers = np.stack([true.centers[matched[sources[image.name]]] for image in placed])
    distances = errors(robust_similarity(ours, centers)[0], ours, centers)
    return {"K known centre": 1000.0 * float(distances.mean())}  # both captures are in meters


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
        f"{values['K known centre']:.2f} {values['unit']}" if "K known centre" in values else "",
        angle,
        f"{values['refine seconds per 1,000']:.2f}",
        f"{values['CPU seconds to matches']:.0f}",
        f"{values['CPU seconds to cameras']:.0f}",
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
