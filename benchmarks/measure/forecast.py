"""The accuracy of the forecast of `recon3d inspect`: forecast and run, stage by stage.

    .venv/bin/python -m benchmarks.measure.forecast demo/photos [CAPTURE ...] [--quality preview medium] [--output DIR]

Writes benchmarks/results/forecast.md. A stage's forecast is a constant times this machine's speed, which is measured
in about a second; the constants in pipeline/job_forecast.py come from this table.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common.places import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "forecast.md"


def engine(*words: object) -> str:
    """The output of the engine's command line."""
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def measured(photos: Path, quality: str, until: str, folder: Path) -> list[dict[str, Any]]:
    """A row per stage: forecast and real seconds."""
    words = ("--quality", quality, "--until", until)
    answer = json.loads(engine("inspect", photos, *words, "--json").splitlines()[-1])["data"]
    workspace = folder / f"{photos.name}-{quality}"
    engine("run", photos, "-o", workspace, *words, "--fresh")
    stages = json.loads((workspace / "state.json").read_text("utf-8"))["stages"]
    forecast = answer["forecasts"][quality]
    rows = [
        {
            "capture": f"{photos.parent.name}/{photos.name}",
            "quality": quality,
            "photos": answer["used"],
            "stage": name,
            "forecast": forecast["seconds"].get(name, 0.0),
            "real": stages[name]["seconds"],
        }
        for name in stages
    ]
    total = {
        **rows[0],
        "stage": "all",
        "forecast": sum(row["forecast"] for row in rows),
        "real": sum(row["real"] for row in rows),
    }
    return [*rows, total]


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# How far off the forecast is",
        "",
        f"`benchmarks.measure.forecast` on {platform.machine()}, Python {platform.python_version()}; seconds, one run.",
        "",
        "| capture | quality | photos | stage | forecast | real | forecast / real |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        share = f"{row['forecast'] / row['real']:.2f}" if row["real"] >= 1 else ""
        lines.append(
            f"| {row['capture']} | {row['quality']} | {row['photos']} | {row['stage']} | {row['forecast']:.0f} | "
            f"{row['real']:.0f} | {share} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="+", type=Path)
    parser.add_argument("--quality", nargs="+", default=["medium"])
    parser.add_argument("--until", default="dense")
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for photos in chosen.captures:
            for quality in chosen.quality:
                rows += measured(photos.absolute(), quality, chosen.until, Path(folder))
                chosen.output.write_text(table(rows), "utf-8")
    sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
