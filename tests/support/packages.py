"""A package index of tiny wheels with the engine's names, and a setup from it in a separate process."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from blender_recon3d.engine_setup.locks import own
from blender_recon3d.engine_setup.requirements import pins, versions
from blender_recon3d.pipeline.events import read_events

ROOT = Path(__file__).resolve().parents[2]


MAIN = ROOT / "blender_recon3d" / "engine_setup" / "__main__.py"


# What `recon3d doctor` checks in each package; the engine does not run here and needs no more.
MODULES = {
    "torch": {
        "torch/__init__.py": "class cuda:\n    is_available = staticmethod(lambda: False)\n"
        "class version:\n    cuda = None\n"
        "class device:\n    def __init__(self, name): self.type = name\n"
        "class backends:\n    mps = mkldnn = cuda\n"
    },
    "torchvision": {"torchvision/__init__.py": ""},
    "pycolmap": {"pycolmap/__init__.py": "__version__ = '4.2.1'\nhas_cuda = False\n"},
    "numpy": {"numpy/__init__.py": "", "numpy/core.py": "x = 1\n" * 100},
    "opencv-python-headless": {"cv2.py": "def getBuildInformation():\n    return 'FFMPEG: YES'\n"},
    "pillow": {"PIL/__init__.py": ""},
    "pillow-heif": {"pillow_heif.py": ""},
    "safetensors": {"safetensors.py": ""},
    "scipy": {"scipy/__init__.py": ""},
    "psutil": {
        "psutil.py": "class memory: total = available = 16 * 2**30\ndef virtual_memory(): return memory\n"
    },
    "jinja2": {"jinja2.py": ""},
}


BULK = 2 * 2**20  # incompressible bytes in torch's wheel, to make the download take time


def write_wheel(
    folder: Path, name: str, version: str, files: dict[str, str | bytes], requires: str = ""
) -> Path:
    """A wheel for any Python, as the format's specification has it."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        **files,
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{inside},sha256={digest},{len(data)}\n"
            archive.writestr(inside, data)
        archive.writestr(f"{stem}.dist-info/RECORD", record + f"{stem}.dist-info/RECORD,,\n")
    return path


def make_index(root: Path, leave_out: tuple[str, ...] = (), local: str = "") -> Path:
    """An index (PEP 503) of tiny wheels in the pinned versions, with a lock of them."""
    packages = {**versions(pins()), "tiny-dependency": "1.0"}
    for name, version in packages.items():
        if name in leave_out:
            continue
        folder = root / name
        folder.mkdir(parents=True)
        files: dict[str, str | bytes] = {**MODULES.get(name, {f"{name.replace('-', '_')}.py": ""})}
        if name == "torch":
            files["torch/bulk.bin"] = os.urandom(BULK)
            version += local
        path = write_wheel(folder, name, version, files, "tiny-dependency" if name == "torch" else "")
        (folder / "index.html").write_text(f'<!DOCTYPE html><a href="{path.name}">{path.name}</a>')
    (root / "lock.txt").write_text(own.text(own.with_wheels((), root)))
    return root


def environment(**extra: str) -> dict[str, str]:
    """This process's environment, without the developer's uv, and with short timeouts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    return {**clean, "PATH": "/usr/bin:/bin", "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0", **extra}


def start(*arguments: object, **extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-X", "utf8", str(MAIN), *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run(*arguments: object, **extra: str) -> tuple[int, str]:
    """(exit code, output) of the command line."""
    process = start(*arguments, **extra)
    out, err = process.communicate(timeout=200)
    return process.returncode, out + err


def events_of(target: Path) -> list:
    return read_events(target.parent / "setup" / "events.jsonl")[0]


def ready(target: Path) -> dict:
    return json.loads((target / "ready.json").read_text("utf-8"))


def path_with(tool: str) -> str:
    """A PATH with or without uv. With pip alone, only Python's own modules exist."""
    if tool == "pip":
        return "/usr/bin:/bin"
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        pytest.skip("uv is not installed here: make setup")
    return f"{Path(found).parent}:/usr/bin:/bin"
