"""Draws a training log: python -m training.curves LOG.jsonl CURVES.svg"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 300, 150, 34  # of one diagram, pixels
COLUMNS = 3


def read_log(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Values by name, as (step, value); for steps trained twice after a kill, the later ones."""
    curves: dict[str, dict[float, float]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        for name, value in row.items():
            if name not in ("step", "seconds") and isinstance(value, int | float):
                curves.setdefault(name, {})[row["step"]] = value
    return {name: sorted(points.items()) for name, points in curves.items()}


def draw(curves: dict[str, list[tuple[float, float]]]) -> str:
    """An SVG with a diagram per name."""
    rows = -(-len(curves) // COLUMNS)
    size = f'width="{COLUMNS * WIDTH}" height="{rows * HEIGHT}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for number, (name, points) in enumerate(curves.items()):
        x, y = number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{_diagram(name, points)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _diagram(name: str, points: list[tuple[float, float]]) -> str:
    steps, values = [p[0] for p in points], [p[1] for p in points]
    low, high = min(values), max(values)
    last = max(steps)
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    path = " ".join(
        f"{MARGIN + width * step / max(last, 1):.1f},"
        f"{MARGIN + height * (1 - (value - low) / max(high - low, 1e-12)):.1f}"
        for step, value in points
    )
    return (
        f'<text x="{MARGIN}" y="{MARGIN - 10}" font-weight="bold">{name}</text>'
        f'<text x="2" y="{MARGIN + 4}">{high:.3g}</text><text x="2" y="{HEIGHT - MARGIN}">{low:.3g}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - MARGIN + 14}" text-anchor="end">step {last:.0f}</text>'
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}" fill="none" stroke="#ccc"/>'
        f'<polyline points="{path}" fill="none" stroke="#1f6fb4"/>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    arguments.output.write_text(draw(read_log(arguments.log)), encoding="utf-8")


if __name__ == "__main__":
    main()
