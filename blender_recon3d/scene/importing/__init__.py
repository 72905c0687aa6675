"""A workspace, or any folder with a COLMAP model, becomes Blender data."""
