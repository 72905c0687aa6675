"""Meshes of an import: brought in, reduced, mended and baked."""
