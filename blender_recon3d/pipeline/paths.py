"""Where the parts of the program are, and what its package is called here. Standard library only.

No other module builds paths from its own location, so modules can be moved freely.
"""

from __future__ import annotations

from pathlib import Path

PIPELINE = Path(__file__).resolve().parent
PACKAGE = (
    PIPELINE.parent
)  # `blender_recon3d` in a checkout; an installed extension's folder, whatever that is called
CHECKOUT = PACKAGE.parent  # where pyproject.toml, vendor and .venv are; meaningless in an installed extension

MANIFEST = PACKAGE / "blender_manifest.toml"
PRESETS = PACKAGE / "presets"  # settings files that come with the add-on
LAUNCH = PACKAGE / "launch"  # on the path of the engine's Python: `python -m recon3d_engine`
# The bundled weights: in an installed extension, or in a checkout.
BUNDLED_WEIGHTS = (PACKAGE / "weights", PACKAGE / "vendor" / "weights", CHECKOUT / "vendor" / "weights")
