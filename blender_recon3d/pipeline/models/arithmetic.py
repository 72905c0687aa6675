"""Whether the networks compute in fp32 or bf16 on a device: by the hardware's description, never by a timer.

On a busy machine a timer's decision changes from minute to minute, and the two give slightly different keypoints and
matches. bf16 is chosen where it is known to be several times faster; everything else gets fp32, which is correct
everywhere. `precision` also checks that bf16 gives the same matches with the given weights.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

import torch

from ..system.cpu import Processor, processor

Precision = Literal["fp32", "bf16"]

# oneDNN, which computes torch's convolutions and products on a CPU, can be configured not to use some instructions.
ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_ALL_ISA = (
    "ALL",
    "DEFAULT",
    "AVX512_CORE_AMX",
    "AVX512_CORE_AMX_FP16",
    "AVX10_1_512_AMX",
    "AVX10_1_512_AMX_FP16",
)
_BF16_ISA = ("AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512")  # avx512_bf16, but no AMX

ZEN_4 = 25  # family of AMD's first processors with avx512_bf16; later ones have higher numbers


@dataclass(frozen=True)
class Choice:
    """precision, and the reason, a clause for people."""

    precision: Precision
    why: str


def choose(device: torch.device) -> Choice:
    """The arithmetic for `device`; always the same on one machine."""
    if device.type == "cuda":
        return _for_gpu(device)
    if device.type == "mps":
        return Choice("fp32", "Apple's GPU")
    if not torch.backends.mkldnn.is_available():
        return Choice("fp32", "this torch has no oneDNN")
    return for_processor(with_torch(processor()), _isa_limit())


def for_processor(cpu: Processor, isa_limit: str = "") -> Choice:
    """The table of CPUs. isa_limit: the instruction set that oneDNN is limited to; empty for no limit.

    | AMX (Intel since Sapphire Rapids)         | bf16 |
    | AMD with avx512_bf16 (Zen 4 and later)    | bf16: 2.4 times as many pairs per second as fp32 |
    | Intel with avx512_bf16 and without AMX    | fp32: as fast |
    | ARM, Apple, anything else                 | fp32: bf16 was not measured, or is emulated |
    """
    name, features = cpu.name or "this processor", cpu.features
    limit = isa_limit.upper()
    if limit and limit not in _ALL_ISA:
        features = features - {"amx_bf16", "amx_tile"}
        if limit not in _BF16_ISA:
            features = features - {"avx512_bf16"}
    limit_note = f" under {ISA_VARIABLES[0]}={isa_limit}" if features != cpu.features else ""
    if "amx_bf16" in features:
        return Choice("bf16", f"{name} has amx_bf16")
    if "avx512_bf16" in features and cpu.vendor == "amd" and cpu.family >= ZEN_4:
        return Choice("bf16", f"{name} has avx512_bf16")
    if "avx512_bf16" in features:
        return Choice("fp32", f"on {name} avx512_bf16 is not faster")
    return Choice("fp32", f"{name}{limit_note} is not known to have fast bf16")


def with_torch(cpu: Processor) -> Processor:
    """The processor with torch's list of features if the system lists none (Windows)."""
    if cpu.features:
        return cpu
    checks = {"avx512_bf16": "_is_avx512_bf16_supported", "amx_tile": "_is_amx_tile_supported"}
    supported = {feature for feature, name in checks.items() if getattr(torch.cpu, name, lambda: False)()}
    if "amx_tile" in supported:
        supported.add("amx_bf16")  # all processors with tiles have it
    return Processor(cpu.name, cpu.vendor, cpu.family, frozenset(supported))


def _isa_limit() -> str:
    return next((value for name in ISA_VARIABLES if (value := os.environ.get(name, ""))), "")


def _for_gpu(device: torch.device) -> Choice:
    name = torch.cuda.get_device_name(device)
    if torch.version.hip is None:
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        fast = bool(torch.cuda.is_bf16_supported())
    return Choice("bf16", f"{name} has bf16") if fast else Choice("fp32", f"{name} has no fast bf16")


def requested(precision: str) -> Precision | None:
    """A precision setting as the networks take it: None for "auto"."""
    return "bf16" if precision == "bf16" else "fp32" if precision == "fp32" else None


def slow_remark(precision: str, device: torch.device) -> str:
    """The remark if a job computes in bf16 on a device where that is slow; else empty."""
    if precision != "bf16" or choose(device).precision == "bf16":
        return ""
    return (
        "This job computes in bf16, as it began or was asked to, which is slow here: precision fp32 is faster, and "
        "begins the features again."
    )
