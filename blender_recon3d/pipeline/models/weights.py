"""Reads the networks' weights: safely, checked by sha256 where it is known, and in the right layout.

Files are data: safetensors, or torch files read with `weights_only`, which runs no code. `registry` locates files,
`fetch` downloads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor

from ..errors import UserError
from ..files.regular import read_regular
from .fetch import fetch
from .registry import FILES, find, list_weights

__all__ = ["fetch", "find", "fit_layout", "list_weights", "load", "read_tensors"]


def load(name: str, weights: str) -> dict[str, Tensor]:
    """The tensors of network `name`, float32 on the CPU, in exactly the layout of the network here.

    weights: as in `find`. Raises UserError, one sentence that names the file, if it is missing, damaged, unexpected, or
    belongs to another network.
    """
    path, sha256 = find(name, weights)
    return fit_layout(name, read_tensors(path, sha256), path)


def read_tensors(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """All tensors in a safetensors or torch file by name, floats as float32. Runs no code from the file.

    Raises UserError if the file cannot be read, differs from sha256, or contains anything but finite tensors.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise UserError(f"cannot read the weights {path}: {error.strerror or error}") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise UserError(
            f"the weights {path} are damaged or not the ones expected (their sha256 differs): delete the file "
            "and fetch or install it again"
        )
    tensors = _parse_safetensors(path, data) if path.suffix == ".safetensors" else _parse_torch(path)
    result = {}
    for name, tensor in tensors.items():
        result[name] = tensor.to(torch.float32) if tensor.is_floating_point() else tensor
        if not torch.isfinite(result[name]).all():
            raise UserError(f"the weights {path} hold values that are not finite ({name}): use another file")
    return result


def fit_layout(name: str, tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors that network `name` needs, in its order.

    Tensors unused in inference may be present or not: EfficientNet's classifier, the batch counters of batch
    normalization. Raises UserError if anything else is missing, superfluous or of another shape.
    """
    with torch.device("meta"):
        expected = FILES[name].empty_network(tensors).state_dict()
    result, missing, shapes = {}, [], []
    for key, like in expected.items():
        if key in tensors and tensors[key].shape == like.shape:
            result[key] = tensors[key]
        elif key.endswith("num_batches_tracked"):
            result[key] = torch.zeros((), dtype=torch.long)
        elif key in tensors:
            shapes.append(f"{key} is {list(tensors[key].shape)}, not {list(like.shape)}")
        else:
            missing.append(key)
    extra = [key for key in tensors if key not in expected and not key.startswith("classifier.")]
    if missing or shapes or extra:
        first = shapes[0] if shapes else f"{missing[0]} is missing" if missing else f"{extra[0]} is unknown"
        count = len(missing) + len(shapes) + len(extra)
        raise UserError(
            f"the weights {path} are not {name}'s: {first} ({count} such difference{'s' * (count > 1)}); "
            "use a file of that network"
        )
    return result


def _parse_safetensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return parse_safetensors(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(
            f"the weights {path} are not a whole safetensors file: delete it and install it again"
        ) from error


def _parse_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or malicious pickle can fail in any way
        raise UserError(
            f"the weights {path} are damaged or hold more than tensors, so they are not read: use another file"
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise UserError(f"the weights {path} are not a list of named tensors: use another file")
    return dict(content)
