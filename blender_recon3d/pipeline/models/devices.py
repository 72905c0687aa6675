"""Selects the device that the networks run on."""

from __future__ import annotations

import torch

from ..errors import UserError
from ..wording import Sentence, use


def select_device(name: str = "auto") -> torch.device:
    """The torch device for "auto", "cpu", "cuda" (or "cuda:1") or "mps".

    "auto" is CUDA if available, else Apple's GPU, else the CPU. Raises UserError if the requested device is not
    available.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, ValueError):
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"unknown device {name!r}: use auto, cpu, cuda or mps", exit_code=2)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        hint = "torch was built without CUDA" if torch.version.cuda is None else "torch finds no such GPU"
        raise UserError(
            Sentence(f"device {name!r} is not available ({hint}); ", use("device", "cpu"), " or auto"),
            exit_code=2,
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            Sentence(
                "device 'mps' is not available (it needs a Mac with Apple silicon); ",
                use("device", "cpu"),
                " or auto",
            ),
            exit_code=2,
        )
    return device
