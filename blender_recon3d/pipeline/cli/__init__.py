"""The command line: `recon3d` and its commands."""

from .recon3d import main

__all__ = ["main"]
