"""What a person sees in a terminal: `recon3d` and its commands."""

from .recon3d import main

__all__ = ["main"]
