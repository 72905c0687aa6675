"""Choose the torch build for this machine, and its source.

PyPI has torch for CUDA 13.0 on Linux, for the CPU on Windows and with MPS on Apple silicon; all other builds are at
download.pytorch.org, under a "backend" name, with local versions such as 2.13.0+cpu. Torch 2.13 is built for CUDA 12.6
and 13.0 (and 13.2, experimental): pytorch's RELEASE.md. CUDA 13 needs driver 580 or later and a card of compute
capability 7.5 (Turing) or later; CUDA 12.6 supports earlier ones.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..pipeline.errors import UserError
from ..pipeline.system.programs import find_program

NAMES = ("auto", "cuda", "mps", "cpu")
PYTORCH = "https://download.pytorch.org/whl"
_NEW_CUDA, _OLD_CUDA = "cu130", "cu126"
_MIN_DRIVER = 525  # for CUDA 12
_NEW_DRIVER = 580  # for CUDA 13
_MIN_CAPABILITY = 7.5  # for CUDA 13
_PROC = Path("/proc/driver/nvidia/version")
_WSL = Path("/usr/lib/wsl/lib/libcuda.so.1")


@dataclass(frozen=True)
class Variant:
    """A build of torch.

    name: "cuda", "mps" or "cpu". backend: pytorch.org's name of the build; empty for PyPI's.
    reason: why it was chosen, for display.
    """

    name: str
    backend: str
    reason: str

    @property
    def index(self) -> str:
        """The index for torch other than PyPI; empty for PyPI."""
        return f"{PYTORCH}/{self.backend}" if self.backend else ""


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver. cuda: the major version of CUDA that it supports; 0 if unknown."""

    cuda: int
    text: str


def choose(name: str = "auto", driver: Driver | str | None = "look", system: str = sys.platform) -> Variant:
    """The build for a name. Starts no process. driver: None for no NVIDIA card, or "look".

    Raises UserError for a build that is not available on this system.
    """
    if name not in NAMES:
        raise UserError(f"{name} is not a build of torch: choose one of {', '.join(NAMES)}.", 2)
    if system == "darwin":
        if name == "cuda":
            raise UserError("There is no CUDA on a Mac: choose auto, mps or cpu.", 2)
        return Variant("cpu" if name == "cpu" else "mps", "", "Apple's GPU (MPS) and CPU")
    if name == "mps":
        raise UserError("MPS exists only on Macs: choose auto, cuda or cpu.", 2)
    present = find_driver(system) if driver == "look" else driver
    assert not isinstance(present, str)
    if name == "auto":
        usable = present is not None and (present.cuda == 0 or present.cuda >= 12)
        name = "cuda" if usable else "cpu"
    if name == "cuda":
        old = present is not None and 0 < present.cuda < 13
        return _cuda(old, system, present.text if present else "CUDA was chosen")
    if present is not None and present.cuda and present.cuda < 12:
        why = f"{present.text} is too old for CUDA 12: update it to use the card"
    else:
        why = "no NVIDIA card was found" if present is None else "the CPU was chosen"
    return Variant("cpu", "cpu" if system.startswith("linux") else "", why)


def _cuda(old: bool, system: str, why: str) -> Variant:
    if old:
        return Variant("cuda", _OLD_CUDA, f"{why}: CUDA 12.6")
    return Variant("cuda", "" if system.startswith("linux") else _NEW_CUDA, f"{why}: CUDA 13.0")


def refine(variant: Variant, system: str = sys.platform) -> Variant:
    """The same build, or the one for older cards if nvidia-smi reports one. Takes a second."""
    if variant.name != "cuda" or variant.backend == _OLD_CUDA:
        return variant
    capabilities = _capabilities()
    if capabilities and max(capabilities) < _MIN_CAPABILITY:
        return _cuda(True, system, f"a card of compute capability {max(capabilities)}")
    return variant


def find_driver(system: str = sys.platform) -> Driver | None:
    """NVIDIA's driver, found without torch or a process; None if there is none."""
    if system == "win32":
        return _windows_driver()
    try:
        match = re.search(r"Kernel Module.*?\s(\d+)(\.[\d.]+)", _PROC.read_text("utf-8", "replace"))
    except OSError:
        match = None
    if match:
        major = int(match.group(1))
        cuda = 13 if major >= _NEW_DRIVER else 12 if major >= _MIN_DRIVER else 11
        return Driver(cuda, f"NVIDIA driver {match.group(1)}{match.group(2)}")
    if (
        _WSL.exists()
    ):  # Windows' driver; nvidia-smi alone is not enough, since containers have it without a card
        return Driver(0, "an NVIDIA driver")
    return None


def _windows_driver() -> Driver | None:
    library = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32", "nvcuda.dll")
    if not library.is_file():
        return None
    number = ctypes.c_int(0)
    try:
        # Does not need cuInit, so it is quick and takes no GPU memory: 13000 is CUDA 13.0.
        if ctypes.CDLL(str(library)).cuDriverGetVersion(ctypes.byref(number)) != 0:
            number.value = 0
    except (OSError, AttributeError):
        number.value = 0
    return Driver(number.value // 1000, "an NVIDIA driver")


def _capabilities() -> list[float]:
    program = find_program("nvidia-smi")
    if program is None:
        return []
    try:
        output = subprocess.run(
            [program, "--query-gpu=compute_cap", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    return [float(line) for line in output.split() if re.fullmatch(r"\d+\.\d+", line)]


def platform_key(system: str = sys.platform, machine: str = "") -> str:
    """Name of system and processor, as in the table of sizes: linux-x86_64, darwin-arm64, win32-amd64."""
    machine = (machine or platform.machine()).lower()
    spelling = {"amd64": "x86_64", "aarch64": "arm64"}
    machine = spelling.get(machine, machine)
    if system == "win32":
        machine = machine.replace("x86_64", "amd64")
    return f"{'linux' if system.startswith('linux') else system}-{machine}"
