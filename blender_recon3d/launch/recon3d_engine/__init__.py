"""The engine under one name, wherever it is: `python -m recon3d_engine` is `python -m blender_recon3d.pipeline`.

An installed extension stands in a folder with others, whose names must not hide the engine's packages or the
standard library. So that folder never goes on the engine's path; this one does, and leads to `pipeline`.
"""

from importlib.machinery import SourceFileLoader
from pathlib import Path

_pipeline = Path(__file__).resolve().parents[2] / "pipeline"
__path__ = [str(_pipeline)]
exec(SourceFileLoader(__name__, str(_pipeline / "__init__.py")).get_code(__name__) or "")
