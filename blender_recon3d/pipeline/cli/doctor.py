"""`recon3d doctor`: what works on this machine, and how to fix what does not.

Runs wherever Python runs: every check does its own imports, and a failed import is a finding.
"""

from __future__ import annotations

import dataclasses
import platform
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..documents.answers_json import DoctorAnswer, DoctorFinding
from ..errors import UserError
from ..system.cpu import cores
from ..system.versions import engine_version
from ..text import duration, printable
from .answers import print_answer

OK, WARNING, MISSING = "ok", "warning", "missing"
MIN_PYTHON = (3, 11)
MIN_COLMAP = (4, 1, 1)  # earlier versions match four to six times slower
MIN_DISK_GB = 5.0
MIN_MEMORY_GB = 8.0
DEPTH_PHOTOS = 30
MIN_COLUMN = 30  # min width for text beside the names; otherwise continuation lines are indented less
UNFOLDED = 10_000  # columns if the output is a file or a pipe: scripts expect whole lines
HEAVY_FAILURES = (RuntimeError, OSError, AttributeError, ValueError)  # from a build for another system


@dataclass(frozen=True)
class Finding:
    """One line. state: "ok", "warning" or "missing". needed: whether nothing runs without it."""

    name: str
    state: str
    found: str
    advice: str = ""
    needed: bool = False


def main(as_json: bool) -> int:
    """Print the findings; returns 0 if a reconstruction can run on this machine, otherwise 1."""
    findings = examine()
    able = can_run(findings)
    if as_json:
        listed = [DoctorFinding(**dataclasses.asdict(finding)) for finding in findings]
        print_answer(DoctorAnswer(able=able, findings=listed))
    else:
        sys.stdout.write(_table(findings, able))
    return 0 if able else 1


def examine() -> list[Finding]:
    """All findings, in setup order."""
    checks: list[Callable[[], list[Finding]]] = [
        _python, _processor, _memory, _disk, _numpy, _opencv, _pillow, _heif, _scipy, _xatlas, _psutil, _jinja2,
        _pycolmap, _torch, _torchvision, _safetensors, _weights, _depth,
    ]  # fmt: skip
    findings = []
    for check in checks:
        findings += check()
    return findings


def can_run(findings: list[Finding]) -> bool:
    """Whether everything that a reconstruction needs is available."""
    return not any(finding.needed and finding.state == MISSING for finding in findings)


def _python() -> list[Finding]:
    version = platform.python_version()
    text = f"{version} ({sys.executable})"
    engine = Finding("recon3d", OK, engine_version())
    if sys.version_info < MIN_PYTHON:
        advice = "use Python 3.11 or later"
        return [engine, Finding("python", MISSING, text, advice, needed=True)]
    return [engine, Finding("python", OK, text, needed=True), Finding("platform", OK, platform.platform())]


def _processor() -> list[Finding]:
    return [Finding("processor", OK, f"{cores()} cores, {platform.machine()}")]


def _memory() -> list[Finding]:
    try:
        from ..system.memory import memory_gb
    except ImportError:  # psutil is missing, which has its own line
        return []
    total, free = memory_gb()
    text = f"{total:.1f} GB, {free:.1f} GB free"
    if free < MIN_MEMORY_GB / 2 or total < MIN_MEMORY_GB * 0.9:
        advice = "large captures need 8 GB or more: close other programs, or reconstruct at preview quality"
        return [Finding("memory", WARNING, text, advice)]
    return [Finding("memory", OK, text)]


def _disk() -> list[Finding]:
    import tempfile

    findings = []
    for name, folder in (("disk, current", Path.cwd()), ("disk, temporary", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free / 2**30
        advice = (
            ""
            if free >= MIN_DISK_GB
            else ("a dense reconstruction of 100 photos takes several GB: free some space")
        )
        findings.append(Finding(name, WARNING if advice else OK, f"{free:.1f} GB free in {folder}", advice))
    return findings


def _numpy() -> list[Finding]:
    return _import("numpy", "numpy", "numpy")


def _scipy() -> list[Finding]:
    return _import("scipy", "scipy", "scipy")


def _psutil() -> list[Finding]:
    return _import("memory figures", "psutil", "psutil")


def _jinja2() -> list[Finding]:
    return _import("report page", "jinja2", "jinja2")


def _xatlas() -> list[Finding]:
    return _import("UVs", "xatlas", "xatlas", lost="a mesh cannot be UV-unwrapped for its texture")


def _safetensors() -> list[Finding]:
    return _import(
        "safetensors", "safetensors", "safetensors", lost="only SIFT works, since no weights can be read"
    )


def _pillow() -> list[Finding]:
    return _import("pillow", "PIL", "pillow")


def _heif() -> list[Finding]:
    return _import("HEIC photos", "pillow_heif", "pillow-heif")


def _opencv() -> list[Finding]:
    findings = _import("opencv", "cv2", "opencv-python-headless")
    if findings[0].state != OK:
        return findings
    import cv2

    line = next((text for text in cv2.getBuildInformation().splitlines() if "FFMPEG:" in text), "")
    if "YES" in line:
        return [*findings, Finding("video (ffmpeg)", OK, "in OpenCV")]
    advice = f"photos work, videos do not: {_pip('--force-reinstall opencv-python-headless')}"
    return [*findings, Finding("video (ffmpeg)", WARNING, "not in this OpenCV", advice)]


def _pycolmap() -> list[Finding]:
    findings = _import("pycolmap", "pycolmap", "pycolmap")
    if findings[0].state != OK:
        return findings
    import zlib  # noqa: F401  pycolmap aborts the process when imported before zlib

    import pycolmap

    version = str(pycolmap.__version__)
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    if numbers < MIN_COLMAP:
        advice = f"4.1.1 or later is needed: {_pip('--upgrade pycolmap')}"
        return [Finding("pycolmap", MISSING, version, advice, needed=True)]
    if pycolmap.has_cuda:
        return [Finding("pycolmap", OK, f"{version}, with CUDA", needed=True)]
    return [Finding("pycolmap", OK, f"{version}, without CUDA: depth is estimated with torch", needed=True)]


def _torch() -> list[Finding]:
    findings = _import("torch", "torch", "torch")
    if findings[0].state != OK:
        return findings
    import torch

    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
        text = ", ".join(f"{card.name} ({card.total_memory / 2**30:.0f} GB)" for card in cards)
        findings.append(Finding("CUDA", OK, text))
    elif torch.version.cuda:
        advice = "if there is an NVIDIA card, update its driver"
        findings.append(Finding("CUDA", WARNING, f"torch is built for {torch.version.cuda}, no card", advice))
    else:
        findings.append(Finding("CUDA", OK, "not in this torch: the CPU is used"))
    if sys.platform == "darwin":
        there = torch.backends.mps.is_available()
        findings.append(Finding("MPS (Apple GPU)", OK, "available" if there else "not available"))
    from ..models.arithmetic import choose
    from ..models.devices import select_device

    choice = choose(select_device())
    return [*findings, Finding("arithmetic", OK, f"{choice.precision} for the networks: {choice.why}")]


def _torchvision() -> list[Finding]:
    """The learned front-end uses its EfficientNet, which does not need its compiled operators."""
    lost = "pairs cannot be chosen by similarity"
    findings = _import("torchvision", "torchvision", "torchvision", lost=lost)
    if findings[0].state == OK or "operator torchvision::" not in findings[0].found:
        return findings
    try:
        from ..models.efficientnet import declare_missing_operators

        declare_missing_operators()
        from torchvision.models import efficientnet_b0  # noqa: F401
    except (ImportError, *HEAVY_FAILURES):
        return findings
    import torchvision

    text = f"{torchvision.__version__}; its compiled operators do not match torch, but are not used"
    return [Finding("torchvision", OK, text)]


def _weights() -> list[Finding]:
    from ..models.registry import list_weights

    try:
        rows = list_weights()
    except UserError as error:
        return [Finding("weights", WARNING, str(error), "SIFT works without")]
    findings = []
    for network in sorted({row["network"] for row in rows}):
        there = [row for row in rows if row["network"] == network and row["where"]]
        if there:
            text = "; ".join(f"{row['set']} ({row['where']})" for row in there)
            findings.append(Finding(f"weights, {network}", OK, text))
        else:
            advice = f"SIFT works without; or: recon3d weights fetch {network}"
            findings.append(Finding(f"weights, {network}", WARNING, "none", advice))
    return findings


def _depth() -> list[Finding]:
    """Which dense stereo is used, and how long it takes for DEPTH_PHOTOS photos."""
    try:
        import zlib  # noqa: F401  before pycolmap

        import pycolmap

        from ..models.devices import select_device
        from ..mvs import cascade  # noqa: F401
        from ..mvs.depth_forecast import forecast, plan
        from ..mvs.depth_speed import seconds_per_megapixel
        from ..settings import QUALITIES, size_for
        from ..stage_settings import DenseSettings
    except (ImportError, *HEAVY_FAILURES):
        return []  # missing packages have their own lines
    device, settings = select_device(), DenseSettings()
    if pycolmap.has_cuda and device.type == "cuda":
        return [Finding("depth", OK, "COLMAP's PatchMatch (CUDA); ours on request")]
    times = []
    for quality in QUALITIES:
        side = size_for("dense_size", quality)
        sizes = [(side * 3 // 4, side)] * DEPTH_PHOTOS
        chosen = plan(sizes, str(device), settings.memory * 2**30)
        seconds = forecast(sizes, chosen, seconds_per_megapixel(str(device), settings.views))
        times.append(f"{duration(seconds)} at {quality}")
    text = f"ours on {device}: {DEPTH_PHOTOS} photos in about {', '.join(times)}"
    return [Finding("depth", OK, text)]


def _import(name: str, module: str, distribution: str, lost: str = "") -> list[Finding]:
    """Whether a module can be imported, and its version. lost: what does not work without it; empty: nothing works."""
    import importlib
    import zlib  # noqa: F401  before pycolmap

    needed = not lost
    try:
        imported = importlib.import_module(module)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == module
        problem, change = ("not installed", distribution) if absent else (_short(error), _again(distribution))
    except HEAVY_FAILURES as error:
        problem, change = _short(error), _again(distribution)
    else:
        return [Finding(name, OK, str(getattr(imported, "__version__", "installed")), needed=needed)]
    advice = (f"{lost}: " if lost else "") + _pip(change)
    return [Finding(name, MISSING if needed else WARNING, problem, advice, needed)]


def _again(distribution: str) -> str:
    return f"--force-reinstall {distribution}"


def _pip(change: str) -> str:
    return f'"{sys.executable}" -m pip install {change}'


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:160]


def _folded(start: str, text: str) -> list[str]:
    """A text wrapped to the terminal's width after its start; paths and commands are not broken."""
    columns = shutil.get_terminal_size((UNFOLDED, 24)).columns
    indent = " " * len(start) if columns - len(start) >= MIN_COLUMN else "    "
    options: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(text, columns, initial_indent=start, subsequent_indent=indent, **options) or [start]


def _table(findings: list[Finding], able: bool) -> str:
    first = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines += _folded(f"{finding.state:<8} {finding.name:<{first}}  ", printable(finding.found))
        if finding.advice:
            lines += _folded(" " * (first + 11) + "-> ", printable(finding.advice))
    if able:
        lines.append("\nReconstruction works on this machine.")
    else:
        names = ", ".join(item.name for item in findings if item.needed and item.state == MISSING)
        lines.append(f"\nReconstruction does not work on this machine yet. Missing: {names}.")
    return "\n".join(lines) + "\n"
