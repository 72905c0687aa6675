"""Settings that several stages share: one option sets them in all of these. Standard library only."""

from __future__ import annotations

from typing import Any

from .models.front_ends import FRONT_ENDS
from .setting_field import Choice, setting

DEVICES = {
    "auto": Choice("Automatic", "The fastest device that the engine finds"),
    "cpu": Choice("CPU", "Works everywhere"),
    "cuda": Choice("NVIDIA CUDA", "An NVIDIA graphics card"),
    "mps": Choice("Apple Metal", "The GPU of an Apple silicon Mac"),
}
PRECISIONS = {
    "auto": Choice("Automatic", "bf16 where the processor is fast in it, else fp32"),
    "fp32": Choice("fp32", "Exact everywhere"),
    "bf16": Choice("bf16", "Several times faster on processors made for it"),
}
FRONT_END_CHOICES = {
    "auto": Choice(
        "Automatic", "Combined if its weights are there; what has features keeps its front-end", 0
    ),
    **{each.name: Choice(each.title, each.text, each.number) for each in FRONT_ENDS},
}


def alignment() -> Any:
    return setting(
        "", "Project of another program whose cameras are taken instead of being found", "Alignment", path="file",
        later=True, not_in_panel="Import Alignment sets it",
    )  # fmt: skip


def device() -> Any:
    return setting(
        "auto", "What networks and depth are computed on", "Device", choices=DEVICES,
        not_in_panel="it belongs to the machine, and is in the add-on's preferences",
    )  # fmt: skip


def weights() -> Any:
    choices = {
        "bundled": Choice("Bundled", "Those that come with Recon3D"),
        "official": Choice("Official", "The published ones, once they have been fetched"),
    }
    return setting(
        "bundled", "Weights of the networks", "Weights", choices=choices, other="a folder", path="folder"
    )


def front_end() -> Any:
    return setting(
        "auto", "How features are found and matched", "Features", choices=FRONT_END_CHOICES, option="features",
        first_name="features",
    )  # fmt: skip


def precision() -> Any:
    return setting("auto", "Arithmetic of the networks", "Precision", choices=PRECISIONS)


def feature_size() -> Any:
    return setting(
        2400, "Longest side at which features are found", "Feature Image Size", unit="px", low=64,
        by_quality={"preview": 1600, "medium": 2400, "high": 3200}, option="feature_size",
    )  # fmt: skip


def refine_intrinsics() -> Any:
    return setting(
        True, "Refine focal length and distortion; switch it off for calibrated cameras", "Refine Intrinsics",
        off="fixed_intrinsics",
    )  # fmt: skip


def memory() -> Any:
    text = "Maximum memory for depth, fusion and meshing"
    return setting(4.0, text, "Memory", unit="GB", low=0.5, high=1000.0)


def seed() -> Any:
    return setting(0, "Seed of the random sampling in matching and in the mapper", "Seed", low=0)


def scheduler() -> Any:
    return setting(
        "",
        "Address of a Dask scheduler, host:port, whose workers share the work; they need the same storage",
        "Scheduler", later=True,
    )  # fmt: skip
