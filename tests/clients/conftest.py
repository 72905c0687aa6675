"""Other programs that read our files, each installed from its pinned package on first use.

`make test-clients` prints a table: client, artifact, verdict; with RECON3D_CLIENTS_TABLE=FILE.md it is written, too. A
client that this machine cannot have is skipped, and the table says why. They live in build/clients, which
RECON3D_CLIENTS may name elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("RECON3D_CLIENTS") or HERE.parents[1] / "build" / "clients")
MINUTES = 60
VERDICTS: list[tuple[str, str, str]] = []


def _run(words: list[Any], minutes: int = 10, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=minutes * MINUTES, **more)


@cache
def _python() -> Path | str:
    """The Python of the clients from PyPI, or why it is missing."""
    wanted = (HERE / "packages.txt").read_text()
    done = FOLDER / "python" / "packages.txt"
    python = FOLDER / "python" / "bin" / "python"
    if not done.is_file() or done.read_text() != wanted:
        for words in (
            [sys.executable, "-m", "venv", "--clear", FOLDER / "python"],
            [python, "-m", "pip", "install", "-q", "-r", HERE / "packages.txt"],
        ):
            made = _run(words)
            if made.returncode:
                return f"the packages of {HERE.name}/packages.txt: {_last(made.stderr)}"
        done.write_text(wanted)
    return python


@cache
def _node() -> tuple[str, Path] | str:
    """node and the folder of the clients from npm, or why they are missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "node and npm are not installed"
    folder = FOLDER / "node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    done = folder / "done.json"
    if not done.is_file() or done.read_text() != wanted:
        shutil.copy(HERE / "package.json", folder)
        made = _run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
        if made.returncode:
            return f"the packages of {HERE.name}/package.json: {_last(made.stderr)}"
        done.write_text(wanted)
    for script in ("report_page.js", "read_glb.mjs"):
        shutil.copy(HERE / script, folder)
    (folder / "validate.js").write_text(
        "const fs = require('fs'), v = require('gltf-validator');"
        "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))"
        ".then(r => console.log(JSON.stringify(r.issues)));"
    )
    return node, folder


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]


@pytest.fixture(scope="session")
def extra_packages() -> None:
    """The packages for writing LAZ and meshopt (pyproject.toml, "formats"), after the engine's own."""
    python = _python()
    if isinstance(python, str):
        pytest.skip(python)
    said = _run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True)
    sys.path.append(said.stdout.strip())


class Clients:
    """Queries a client and records the verdict for the table. Skips if the client is not available."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def python(self, client: str, path: Path) -> dict[str, Any]:
        python = self._there(client, _python())
        answer = _run([python, HERE / "ask.py", client, path])
        if answer.returncode and "library" in answer.stderr.lower() and client == "assimp":
            self._skip(client, f"it has no library: apt install libassimp5 ({_last(answer.stderr)})")
        assert answer.returncode == 0, answer.stderr[-2000:]
        return json.loads(answer.stdout)

    def validator(self, path: Path) -> dict[str, Any]:
        node, folder = self._there("gltf-validator", _node())
        return json.loads(_run([node, folder / "validate.js", path], check=True).stdout)

    def gltf_transform(self, path: Path) -> dict[str, Any]:
        node, folder = self._there("gltf-transform", _node())
        return json.loads(_run([node, folder / "read_glb.mjs", path], check=True).stdout)

    def report(self, path: Path, widths: list[int]) -> list[dict[str, Any]]:
        node, folder = self._there("Chromium, axe", _node())
        chromium = (
            shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        )
        if not chromium:
            self._skip("Chromium, axe", "Chromium is not installed: apt install chromium")
        answer = _run([node, folder / "report_page.js", chromium, path, *map(str, widths)], cwd=folder)
        assert answer.returncode == 0, answer.stderr[-2000:]
        return json.loads(answer.stdout)

    def colmap(self, *words: Any) -> subprocess.CompletedProcess[str]:
        program = shutil.which("colmap")
        if not program:
            self._skip("COLMAP", "it is not installed: apt install colmap")
        return _run([program, *words], env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})

    def say(self, client: str, artefact: str, verdict: str) -> None:
        VERDICTS.append((client, artefact, verdict))

    def _there(self, client: str, found: Any) -> Any:
        if isinstance(found, str):
            self._skip(client, found)
        return found

    def _skip(self, client: str, why: str) -> None:
        VERDICTS.append((client, self._request.node.name, f"skipped: {why}"))
        pytest.skip(f"{client}: {why}")


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Clients:
    return Clients(request)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not VERDICTS:
        return
    rows = [("client", "artifact", "verdict"), *VERDICTS]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    terminalreporter.section("what other programs say of our files")
    for row in rows:
        terminalreporter.write_line(
            "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[2]])
        )
    if table := os.environ.get("RECON3D_CLIENTS_TABLE"):
        lines = [f"| {' | '.join(row)} |" for row in (rows[0], ("---",) * 3, *VERDICTS)]
        Path(table).write_text("# Our files in other programs\n\n" + "\n".join(lines) + "\n", "utf-8")
