"""The settings of each stage, declared once, with default, range, choices and help.

Command line, panel, settings files, translations and the manual's tables are made from these declarations
(`setting_field.py`). To add a setting, add a field here. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from . import shared_settings
from .files.texture_files import MAX_TILES
from .setting_field import FOLLOW_QUALITY, Automatic, Choice, Settings, setting, settings_of

CAMERA_MODELS = (
    "SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE", "FULL_OPENCV",
    "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "THIN_PRISM_FISHEYE",
)  # fmt: skip


@dataclass(frozen=True)
class PhotosSettings(Settings):
    """Which photos are used, and what is known about their cameras."""

    stage: ClassVar[str] = "photos"
    heading: ClassVar[str] = "Photos"

    sources: tuple[str, ...] = setting(
        (), "Folder, files or a video", "Photos", option="photos", first_name="photos", path="file",
        not_in_panel="it is at the top of the panel", no_option="it is the argument PHOTOS",
    )  # fmt: skip
    masks: str = setting(
        "auto", "Where the masks come from, which leave the background out of features, depth and texture", "Masks",
        choices={
            "auto": Choice("Automatic", "From transparency, a green or blue screen, or a background that stands still"),
            "off": Choice("Off", "None: all of every photo is used"),
            "alpha": Choice("Transparency", "From the photos' alpha channels"),
            "still": Choice("Still Background", "From what stands still in photos of a fixed camera"),
            "color": Choice("Backdrop Color", "From a backdrop of one color: white, black, green or any other"),
            "model": Choice("Model", "From a first model, which is drawn into every photo; then all is computed again"),
            "network": Choice("Network", "From a small network that finds what stands out (an optional package)"),
        },
        other="a folder of masks named like the photos, or a photo of the empty scene", path="file",
    )  # fmt: skip
    grouping: str = setting(
        "auto", "Which photos share one camera", "Camera Grouping",
        choices={
            "auto": Choice("Automatic", "Those of one make, model, focal length and size"),
            "single": Choice("Single", "All of one size"),
            "each": Choice("Each", "None: every photo has its own camera"),
        },
    )  # fmt: skip
    camera_model: str = setting(
        "SIMPLE_RADIAL", "COLMAP's camera model", "Camera Model",
        choices={name: Choice(name) for name in CAMERA_MODELS},
    )  # fmt: skip
    camera_params: str = setting(
        "",
        "Known intrinsics in pixels, with commas, in COLMAP's order: 1200,1200,800,600",
        "Known Intrinsics",
    )
    frames: int = setting(
        150, "Frames to take from a video: sharp ones, evenly spaced by how far the view moves", "Video Frames",
        low=3, high=5000,
    )  # fmt: skip
    keep_blurred: bool = setting(False, "Use badly blurred photos too", "Keep Blurred Photos")
    keep_copies: bool = setting(
        False,
        "Use all photos of one view too: copies, brackets, bursts from a tripod",
        "Keep Copies",
        later=True,
    )

    @property
    def mask_files(self) -> str:
        """The folder of masks, or the photo of the empty scene; empty if `masks` is one of its choices."""
        choices = next(each.choices for each in settings_of(type(self)) if each.name == "masks")
        return "" if self.masks in choices else self.masks

    def recorded(self) -> dict[str, Any]:
        # In 0.1.0 `masks` was only a folder, and empty by default.
        return {**super().recorded(), "masks": "" if self.masks == "auto" else self.masks}


@dataclass(frozen=True)
class PairsSettings(Settings):
    """Which pairs of photos are matched."""

    stage: ClassVar[str] = "pairs"
    heading: ClassVar[str] = "Matching"

    strategy: str = setting(
        "auto", "Which photos are matched with which", "Pairs",
        choices={
            "auto": Choice("Automatic", "Exhaustive for small captures, else retrieval where its weights are there"),
            "exhaustive": Choice("Exhaustive", "Each with every other"),
            "sequential": Choice("Sequential", "Each with those before and after it"),
            "retrieval": Choice("Retrieval", "Each with those that look most alike"),
        },
        other="a file with two names a line", path="file", option="pairs", first_name="pairs",
    )  # fmt: skip
    neighbors: int = setting(
        20, "Retrieval: how many of the most similar photos each is matched with", "Neighbors", unit="photos",
        low=1, high=1000, was=("neighbours",), first_name="neighbours",
    )  # fmt: skip
    window: int = setting(
        10, "Sequential: photos on either side that each is matched with", "Window", unit="photos", low=1, high=1000
    )  # fmt: skip
    front_end: str = shared_settings.front_end()
    weights: str = shared_settings.weights()
    device: str = shared_settings.device()
    alignment: str = shared_settings.alignment()


@dataclass(frozen=True)
class FeaturesSettings(Settings):
    """How keypoints are found and described."""

    stage: ClassVar[str] = "features"
    heading: ClassVar[str] = "Matching"

    front_end: str = shared_settings.front_end()
    precision: str = shared_settings.precision()
    max_keypoints: int = setting(
        0,
        "Maximum number of keypoints in a photo",
        "Max Keypoints",
        low=0,
        automatic=Automatic("8,192 of SIFT, 2,048 of SuperPoint", 2048),
    )
    max_size: int = shared_settings.feature_size()
    nms_radius: int = setting(
        4, "SuperPoint: no two keypoints are closer than this in x and in y", "Suppression Radius", unit="px",
        low=1, high=100, later=True,
    )  # fmt: skip
    detection_threshold: float = setting(
        0.005,
        "SuperPoint: lowest probability of a keypoint",
        "Detection Threshold",
        low=0.0,
        high=1.0,
        later=True,
    )
    border: int = setting(
        4,
        "SuperPoint: edge of the image without keypoints",
        "Border",
        unit="px",
        low=0,
        high=1000,
        later=True,
    )
    weights: str = shared_settings.weights()
    device: str = shared_settings.device()
    scheduler: str = shared_settings.scheduler()
    alignment: str = shared_settings.alignment()


@dataclass(frozen=True)
class MatchesSettings(Settings):
    """How keypoints are matched and the matches verified."""

    stage: ClassVar[str] = "matches"
    heading: ClassVar[str] = "Matching"

    front_end: str = shared_settings.front_end()
    precision: str = shared_settings.precision()
    match_threshold: float = setting(
        0.2, "SuperGlue: lowest score of a match; a higher one loses wide baselines", "Min Match Score",
        low=0.0, high=1.0,
    )  # fmt: skip
    first_keypoints: int = setting(
        512,
        "LightGlue: how many of the strongest keypoints decide whether a pair is matched with all of them",
        "First Keypoints", low=0, zero="all pairs with all keypoints", later=True,
    )  # fmt: skip
    max_error: float = setting(
        0.0, "Largest epipolar error of a verified match", "Max Epipolar Error", unit="px", low=0.0, high=100.0,
        automatic=Automatic("4 px of SIFT and LightGlue, 3 px of SuperGlue", 4.0),
    )  # fmt: skip
    min_inliers: int = setting(
        0, "Fewest verified matches of a pair", "Min Inliers", low=0, high=10_000,
        automatic=Automatic("15 of SIFT and LightGlue, 30 of SuperGlue", 15),
    )  # fmt: skip
    seed: int = shared_settings.seed()
    weights: str = shared_settings.weights()
    device: str = shared_settings.device()
    scheduler: str = shared_settings.scheduler()
    alignment: str = shared_settings.alignment()


GLOBAL_FROM = 300  # photos, from which the global mapper is clearly faster


@dataclass(frozen=True)
class SfmSettings(Settings):
    """How cameras and sparse points are reconstructed."""

    stage: ClassVar[str] = "sfm"
    heading: ClassVar[str] = "Cameras"

    mapper: str = setting(
        "auto", "COLMAP's mapper", "Mapper",
        choices={
            "auto": Choice("Automatic", f"Global from {GLOBAL_FROM} photos, incremental for fewer", number=2),
            "incremental": Choice("Incremental", "One camera after the other", number=0),
            "global": Choice("Global", "All cameras at once", number=1),
        },
    )  # fmt: skip
    refine_intrinsics: bool = shared_settings.refine_intrinsics()
    min_model_size: int = setting(
        3, "Fewest photos of a model worth keeping", "Min Model Size", unit="photos", low=2
    )
    seed: int = shared_settings.seed()
    alignment: str = shared_settings.alignment()


@dataclass(frozen=True)
class RefineSettings(Settings):
    """How cameras and sparse points are refined."""

    stage: ClassVar[str] = "refine"
    heading: ClassVar[str] = "Cameras"

    refine: str = setting(
        "auto", "How the cameras are refined after the mapper", "Refine",
        choices={
            "auto": Choice("Automatic", "Align every observation in the photos and adjust the cameras again"),
            "off": Choice("Off", "Leave the cameras as the mapper left them"),
        },
    )  # fmt: skip
    principal_point: str = setting(
        "auto", "Where the optical axis meets the photo", "Principal Point",
        choices={
            "auto": Choice("Automatic", "Found for each camera whose photos determine it"),
            "fixed": Choice("Fixed", "In the middle, or where it was given"),
        },
    )  # fmt: skip
    refine_intrinsics: bool = shared_settings.refine_intrinsics()
    max_size: int = shared_settings.feature_size()


@dataclass(frozen=True)
class DenseSettings(Settings):
    """How depth is estimated and fused."""

    stage: ClassVar[str] = "dense"
    heading: ClassVar[str] = "Depth"

    method: str = setting(
        "auto", "How depth is estimated", "Method",
        choices={
            "auto": Choice("Automatic", "COLMAP's where it has CUDA, else ours"),
            "colmap": Choice("COLMAP", "COLMAP's PatchMatch, which needs COLMAP with CUDA"),
            "torch": Choice("Torch", "Ours, on any device"),
        },
        option="dense_method", was=("dense",), first_name="dense",
    )  # fmt: skip
    max_size: int = setting(
        1000, "Longest side at which depth is estimated", "Depth Image Size", unit="px", low=64,
        by_quality={"preview": 640, "medium": 1000, "high": 2000}, option="dense_size",
    )  # fmt: skip
    views: int = setting(
        4, "How many photos each is compared with for depth", "Source Views", unit="photos", low=1, high=50
    )
    min_views: int = setting(
        3, "Fewest photos that must agree on a point of the cloud", "Min Views", unit="photos", low=2, high=20
    )
    point_spacing: float = setting(
        1.0, "Points of the cloud closer together than this, in the photos' pixels, are merged", "Point Spacing",
        unit="px", low=0.5, high=20.0, later=True,
    )  # fmt: skip
    memory: float = shared_settings.memory()
    device: str = shared_settings.device()
    scheduler: str = shared_settings.scheduler()


@dataclass(frozen=True)
class MeshSettings(Settings):
    """How the cloud becomes a mesh."""

    stage: ClassVar[str] = "mesh"
    heading: ClassVar[str] = "Mesh"

    max_faces: int = setting(
        200_000, "Maximum number of faces of the mesh", "Max Faces", unit="faces", low=100, high=20_000_000,
        by_quality={"preview": 50_000, "medium": 200_000, "high": 1_000_000}, was=("faces",), first_name="max_size",
    )  # fmt: skip
    region: str = setting(
        "auto", "What is meshed", "Region",
        choices={
            "auto": Choice("Automatic", "The subject that the cameras orbit, where they orbit one; else all"),
            "all": Choice("All", "Everything in the cloud"),
        },
    )  # fmt: skip
    crop: str = setting(
        "", "Mesh only what is in a box: the 12 numbers of a 3x4 matrix, or a JSON file", "Crop Box", path="file",
        not_in_panel="the crop box in the scene is used",
    )  # fmt: skip
    clean: str = setting(
        "auto", "Remove outliers and small clusters from the cloud before meshing", "Clean the Cloud",
        choices={
            "auto": Choice("Automatic", "Remove what does not belong to the surface"),
            "off": Choice("Off", "Mesh the cloud as it is"),
        },
    )  # fmt: skip
    mesh_depth: int = setting(
        0, "Depth of Poisson's octree", "Octree Depth", low=0, high=13,
        automatic=Automatic("from the cloud's spacing", 10),
    )  # fmt: skip
    closed: bool = setting(
        False, "Leave the surface closed, for printing, instead of trimming it", "Watertight"
    )
    cloud: str = setting(
        "", "Another cloud (PLY with normals, in the model's frame) instead of dense/fusion.ply", "Cloud",
        path="file", not_in_panel="what the cleaning in the scene leaves is used",
    )  # fmt: skip
    mesh_refinement: str = setting(
        FOLLOW_QUALITY, "Whether the mesh's vertices move to where the photos agree on its surface", "Mesh Refinement",
        later=True, by_quality={"preview": "off", "medium": "off", "high": "on"},
        choices={
            FOLLOW_QUALITY: Choice("Auto", "At high quality"),
            "on": Choice("On", "Finer relief; the mesh takes several times as long"),
            "off": Choice("Off", "The mesh stays as it was built from the cloud"),
        },
    )  # fmt: skip
    ground: str = setting(
        "keep", "What becomes of the ground that the subject stands on", "Ground", later=True,
        choices={
            "keep": Choice("Keep", "The ground stays in the mesh"),
            "disc": Choice("Disc", "A disc of ground around the subject stays"),
            "remove": Choice("Remove", "The mesh ends where the subject meets the ground"),
        },
    )  # fmt: skip
    memory: float = shared_settings.memory()
    device: str = shared_settings.device()


@dataclass(frozen=True)
class TextureSettings(Settings):
    """How the mesh gets its colors from the photos."""

    stage: ClassVar[str] = "texture"
    heading: ClassVar[str] = "Mesh"

    texture_size: int = setting(
        4096, "Side of the texture", "Texture Size", unit="px", low=256, high=16_384,
        by_quality={"preview": 2048, "medium": 4096, "high": 8192}, was=("texture",), first_name="max_size",
    )  # fmt: skip
    texture_format: str = setting(
        "png", "File format of the texture: more than 8 bits per channel are taken from the original photos",
        "Texture Format", later=True,
        choices={
            "png": Choice("PNG, 8 Bits", "For screens, games and the web"),
            "png16": Choice("PNG, 16 Bits", "For grading, from RAW photos and others with 16 bits"),
            "exr": Choice("OpenEXR", "Linear light, brighter than white where photos are HDR; a PNG is beside it"),
        },
    )  # fmt: skip
    texture_tiles: int = setting(
        1, "Number of tiles (UDIM) of the texture, each of the texture's size", "Texture Tiles", low=0,
        high=MAX_TILES, automatic=Automatic("as many as the photos' detail needs", 1), later=True,
    )  # fmt: skip
    normal_map: bool = setting(
        False, "Also make a normal map of the mesh before decimation", "Normal Map", later=True
    )
    occlusion_map: bool = setting(
        False, "Also make an ambient occlusion map of the mesh", "Occlusion Map", later=True
    )
    delight: float = setting(
        0.0, "How much of the soft light is taken out of the texture: 0 for none, 1 for all", "Delight", low=0.0,
        high=1.0, later=True,
    )  # fmt: skip
