"""Meshes of an import: importing, decimating, repairing and baking."""
