"""Writes docs/pipeline/settings.md, the manual's tables of all settings, from their declarations.

    python tools/settings_page.py

A test fails while the page is not what this writes.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from blender_recon3d.pipeline.cli.setting_options import flag, metavar  # noqa: E402
from blender_recon3d.pipeline.setting_field import Setting  # noqa: E402
from blender_recon3d.pipeline.settings import all_settings, by_option, heading_of  # noqa: E402
from blender_recon3d.pipeline.stage import STAGES  # noqa: E402
from blender_recon3d.pipeline.stage import stage as stage_of  # noqa: E402

PAGE = ROOT / "docs" / "pipeline" / "settings.md"
HEAD = """# Settings

<!-- Written by tools/settings_page.py from blender_recon3d/pipeline/stage_settings.py. Do not edit. -->

Each setting has one name, which is the same everywhere: as an option of `recon3d`, in the panel *Advanced*, and in a
file for `recon3d run --settings FILE.json`:

```json
{"version": 1, "quality": "high", "pairs": {"strategy": "sequential", "window": 5}, "dense": {"memory": 8}}
```

In such a file settings stand by stage. What is not there is the default, in **bold** below. `"auto"` can be written
wherever a table lists it: the number is then chosen for the photos, or by the quality; the panel shows *Auto*. Options
of the command line come before the file. Relative paths are relative to the file. The `job.json` of a workspace is such
a file, too: it holds everything that the job was run with. The panel writes what it asks for into `settings.json`. A
switch has two options, `--NAME` and `--no-NAME`.
"""


def table(settings: list[Setting]) -> str:
    lines = ["| in a file | option | in the panel | values | what it does |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(row(declared) for declared in settings)])


def row(declared: Setting) -> str:
    """One line of the table."""
    option = declared.no_option or f"`{_words(declared)}`"
    heading = f"{heading_of(declared.stage)}: " if declared.stage in STAGES else ""
    panel = declared.not_in_panel or heading + declared.label
    first = by_option().get(declared.option, (declared,))[0]
    if first.key != declared.key and first.stage != declared.stage:
        return f"| `{declared.key}` | {option} | {panel} | | as `{first.key}`, for this stage |"
    return f"| `{declared.key}` | {option} | {panel} | {_values(declared)} | {_meaning(declared)} |"


def _words(declared: Setting) -> str:
    name = flag(declared.option)
    return name if isinstance(declared.default, bool) else f"{name} {metavar(declared)}"


def _values(declared: Setting) -> str:
    if declared.choices:
        shown = [f"**{value}**" if value == declared.default else value for value in declared.choices]
        return ", ".join(shown) + (f", or {declared.other}" if declared.other else "")
    if declared.by_quality:
        return f"**auto** ({declared.sizes} {declared.unit}".strip() + f"), {declared.range}"
    if isinstance(declared.default, bool):
        return "**on**, off" if declared.default else "on, **off**"
    if isinstance(declared.default, int | float):
        unit = f" {declared.unit}" if declared.unit else ""
        if declared.automatic:
            shown = f"**{declared.default:,}**{unit}, auto" if declared.default else "**auto**"
            return (
                f"{shown}, up to {declared.high:,}{unit}"
                if declared.high
                else f"{shown}, or any number{unit}"
            )
        shown = f"**{declared.default:,}**{unit}"
        return f"{shown}, {declared.range}" if declared.range else shown
    return ""


def _meaning(declared: Setting) -> str:
    parts = [declared.help]
    if declared.zero:
        parts.append(f"0: {declared.zero}")
    if declared.automatic:
        parts.append(f"auto: {declared.automatic.says}")
    parts += [f"*{value}*: {choice.help}" for value, choice in declared.choices.items() if choice.help]
    return ". ".join(parts)


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## The whole job\n\n" + table([d for d in all_settings() if not d.stage]) + "\n"]
    for stage in STAGES:
        settings = [declared for declared in all_settings() if declared.stage == stage]
        parts.append(f"## {stage_of(stage).title} (`{stage}`)\n\n{table(settings)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
