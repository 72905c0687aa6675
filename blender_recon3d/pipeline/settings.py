"""What a job can be told: one typed dataclass a stage, with its documentation, defaults and checks.

The command line, the add-on's panel and `job.json` are all made from these classes.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import UserError
from .models import front_ends

STAGES = ("photos", "pairs", "features", "matches", "sfm", "dense", "mesh", "texture")
# What the stages are called before an artist.
STAGE_TITLES = {
    "photos": "Reading photos",
    "pairs": "Choosing pairs",
    "features": "Finding features",
    "matches": "Matching photos",
    "sfm": "Finding cameras",
    "dense": "Computing depth",
    "mesh": "Building the mesh",
    "texture": "Painting the texture",
}
DEVICES = ("auto", "cpu", "cuda", "mps")
QUALITIES = ("preview", "medium", "high")
PRECISIONS = ("auto", "fp32", "bf16")
PRECISION = "arithmetic of the networks; auto: bf16 where the processor is fast in it"

CAMERA_MODELS = (
    "SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE", "FULL_OPENCV",
    "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "THIN_PRISM_FISHEYE",
)  # fmt: skip


def option(default: Any, text: str, choices: tuple[str, ...] = (), **limits: Any) -> Any:
    """A dataclass field with its documentation, its choices and its limits (`least`, `most`)."""
    metadata = {"help": text, "choices": choices, **limits}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class StageSettings:
    """Base of the settings; checks choices and limits when made."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            choices = item.metadata.get("choices")
            if choices and value not in choices:
                raise UserError(f"{item.name} is {value!r}: choose one of {', '.join(choices)}.", 2)
            least, most = item.metadata.get("least"), item.metadata.get("most")
            if (least is not None and value < least) or (most is not None and value > most):
                raise UserError(
                    f"{item.name} is {value}: it must be from {least} to {most or 'any size'}.", 2
                )


@dataclass(frozen=True)
class PhotosSettings(StageSettings):
    """Which photos are used, and what is known of their cameras."""

    photos: tuple[str, ...] = option((), "folder, files or a video")
    masks: str = option("", "folder of masks named like the photos; black is ignored")
    grouping: str = option(
        "auto", "photos that share one camera: by EXIF and size, all, or none", ("auto", "single", "each")
    )
    camera_model: str = option("SIMPLE_RADIAL", "COLMAP's camera model", CAMERA_MODELS)
    camera_params: str = option("", "known intrinsics in pixels, comma separated, in COLMAP's order")
    frames: int = option(150, "frames to take from a video", least=3, most=5000)
    keep_blurred: bool = option(False, "use badly blurred photos too")


@dataclass(frozen=True)
class PairsSettings(StageSettings):
    """Which pairs of photos are matched."""

    pairs: str = option("auto", "auto, exhaustive, sequential, retrieval, or a file with two names a line")
    neighbours: int = option(20, "retrieval: pairs kept for each photo", least=1, most=1000)
    window: int = option(10, "sequential: photos on either side", least=1, most=1000)
    features: str = option("sift", "the front-end, whose retriever compares photos", front_ends.NAMES)
    weights: str = option("bundled", "bundled, official, or a folder of weights")
    device: str = option("auto", "where networks run", DEVICES)


@dataclass(frozen=True)
class FeaturesSettings(StageSettings):
    """How keypoints are found and described."""

    features: str = option("sift", "learned (SuperPoint) or COLMAP's SIFT", front_ends.NAMES)
    precision: str = option("auto", PRECISION, PRECISIONS)
    max_keypoints: int = option(0, "most keypoints a photo; 0: 8,192 of SIFT, 2,048 of SuperPoint", least=0)
    max_size: int = option(3200, "longest side at which features are found, pixels", least=64)
    weights: str = option("bundled", "bundled, official, or a folder of weights")
    device: str = option("auto", "where networks run", DEVICES)


@dataclass(frozen=True)
class MatchesSettings(StageSettings):
    """How keypoints are matched and the matches verified."""

    features: str = option("sift", "learned (SuperGlue) or COLMAP's SIFT matcher", front_ends.NAMES)
    precision: str = option("auto", PRECISION, PRECISIONS)
    match_threshold: float = option(0.2, "SuperGlue: least score of a match", least=0.0, most=1.0)
    max_error: float = option(4.0, "verification: largest epipolar error, pixels", least=0.1, most=100.0)
    min_inliers: int = option(
        0, "verification: fewest matches of a pair; 0: 15 of SIFT, 30 of SuperGlue", least=0, most=10_000
    )
    seed: int = option(0, "seed of the random sampling", least=0)
    weights: str = option("bundled", "bundled, official, or a folder of weights")
    device: str = option("auto", "where networks run", DEVICES)


@dataclass(frozen=True)
class SfmSettings(StageSettings):
    """How cameras and sparse points are reconstructed."""

    mapper: str = option("incremental", "COLMAP's mapper", ("incremental", "global"))
    refine_intrinsics: bool = option(True, "refine focal length and distortion")
    min_model_size: int = option(3, "fewest photos of a model worth keeping", least=2)
    seed: int = option(0, "seed of the random sampling", least=0)


@dataclass(frozen=True)
class DenseSettings(StageSettings):
    """How depth is estimated and fused."""

    dense: str = option("auto", "COLMAP's PatchMatch (needs CUDA) or ours", ("auto", "colmap", "torch"))
    max_size: int = option(1000, "longest side of the undistorted photos, pixels", least=64)
    views: int = option(4, "source views a photo", least=1, most=50)
    min_views: int = option(3, "fusion: fewest views that must agree on a point", least=2, most=20)
    memory: float = option(4.0, "most memory that depth and fusion take, GB", least=0.5, most=1000.0)
    device: str = option("auto", "where depth is estimated", DEVICES)


@dataclass(frozen=True)
class MeshSettings(StageSettings):
    """How the cloud becomes a mesh."""

    max_size: int = option(200_000, "most faces of the mesh", least=100, most=20_000_000)
    region: str = option(
        "auto", "what is meshed: what the cameras stand round, where they do; or all", ("auto", "all")
    )
    crop: str = option("", "box: the 12 numbers of a 3x4 matrix, or a JSON file (see the manual)")
    clean: str = option("auto", "remove outliers and islands from the cloud first", ("auto", "off"))
    mesh_depth: int = option(0, "depth of Poisson's octree; 0: from the cloud's spacing", least=0, most=13)
    closed: bool = option(False, "leave the surface closed, for printing, instead of trimming it")
    cloud: str = option(
        "", "another cloud (PLY with normals, in the model's frame) instead of dense/fusion.ply"
    )
    memory: float = option(4.0, "most memory that meshing takes, GB", least=0.5, most=1000.0)


@dataclass(frozen=True)
class TextureSettings(StageSettings):
    """How the photos' colours come onto the mesh."""

    max_size: int = option(4096, "side of the texture, pixels", least=256, most=16_384)


# What each quality stands for, by stage (the longest side in pixels of what is looked at, faces of the mesh), and
# the options that say otherwise. It is the stage's `max_size`.
SIZES = {
    "features": {"preview": 1600, "medium": 2400, "high": 3200},
    "dense": {"preview": 640, "medium": 1000, "high": 2000},
    "mesh": {"preview": 50_000, "medium": 200_000, "high": 1_000_000},
    "texture": {"preview": 2048, "medium": 4096, "high": 8192},
}
SIZE_OPTIONS = {"features": "feature_size", "dense": "dense_size", "mesh": "faces", "texture": "texture_size"}


@dataclass(frozen=True)
class JobSettings(StageSettings):
    """A whole job."""

    quality: str = option("medium", "preview, medium or high", QUALITIES)
    until: str = option("dense", "the last stage to run", STAGES)
    photos: PhotosSettings = field(default_factory=PhotosSettings)
    pairs: PairsSettings = field(default_factory=PairsSettings)
    features: FeaturesSettings = field(default_factory=FeaturesSettings)
    matches: MatchesSettings = field(default_factory=MatchesSettings)
    sfm: SfmSettings = field(default_factory=SfmSettings)
    dense: DenseSettings = field(default_factory=DenseSettings)
    mesh: MeshSettings = field(default_factory=MeshSettings)
    texture: TextureSettings = field(default_factory=TextureSettings)

    @classmethod
    def build(cls, quality: str = "medium", until: str = "dense", **options: Any) -> JobSettings:
        """A job from flat options: each goes to every stage that has a field of that name.

        `max_size` differs from stage to stage and comes from `quality`, unless given as `feature_size`,
        `dense_size` or `faces`. `photos` is one path or several. Options that no stage knows raise UserError.
        """
        if quality not in QUALITIES:
            raise UserError(f"quality is {quality!r}: choose one of {', '.join(QUALITIES)}.", 2)
        sizes = {
            stage: options.pop(option, None) or SIZES[stage][quality]
            for stage, option in SIZE_OPTIONS.items()
        }
        options.setdefault("features", default_features(options.get("weights", "bundled")))
        if isinstance(options.get("photos"), str | Path):
            options["photos"] = (str(options["photos"]),)
        stages: dict[str, Any] = {}
        known: set[str] = set()
        for stage in STAGES:
            kind = _stage_type(stage)
            names = {item.name for item in fields(kind)} - {"max_size"}
            known |= names
            chosen = {name: options[name] for name in names if name in options}
            if stage in sizes:
                chosen["max_size"] = sizes[stage]
            stages[stage] = kind(**chosen)
        unknown = sorted(set(options) - known)
        if unknown:
            raise UserError(f"Unknown setting {', '.join(unknown)}.", 2)
        return cls(quality=quality, until=until, **stages)

    def changed(self, **options: Any) -> JobSettings:
        """This job with some flat options changed; see `build`."""
        merged: dict[str, Any] = {"quality": self.quality, "until": self.until}
        for stage in STAGES:
            values = dataclasses.asdict(getattr(self, stage))
            size = values.pop("max_size", None)
            # A size that the quality stands for follows the quality; another was chosen, and stays.
            if size is not None and size != SIZES[stage][self.quality]:
                merged[SIZE_OPTIONS[stage]] = size
            merged.update(values)
        return JobSettings.build(**{**merged, **options})

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any], path: Path) -> JobSettings:
        """The job of `job.json`; UserError naming `path` when it holds something else."""
        try:
            values: dict[str, Any] = {"quality": raw["quality"], "until": raw["until"]}
            for stage in STAGES:
                kind = _stage_type(stage)
                # A job of an earlier version lacks the stages that are newer.
                chosen = {item.name: _typed(item, raw.get(stage, {}).get(item.name)) for item in fields(kind)}
                values[stage] = kind(**{name: value for name, value in chosen.items() if value is not None})
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UserError(f"{path} is not a job ({error}): start again with recon3d run.", 2) from error


def default_features(weights: str) -> str:
    """The learned front-end as soon as weights for all of it are there, else COLMAP's SIFT."""
    return front_ends.default(weights)


def _stage_type(stage: str) -> Any:
    return typing.get_type_hints(JobSettings)[stage]


def _typed(item: Any, value: Any) -> Any:
    if isinstance(value, list):
        value = tuple(str(entry) for entry in value)
    if value is not None and item.default is not None and not isinstance(value, type(item.default)):
        if not (isinstance(item.default, float) and isinstance(value, int)):
            raise ValueError(f"{item.name} is {str(value)[:80]!r}")
        value = float(value)
    return value


LAST_STAGES = tuple(
    stage for stage in ("sfm", "dense", "mesh", "texture") if stage in STAGES
)  # that one may ask for
