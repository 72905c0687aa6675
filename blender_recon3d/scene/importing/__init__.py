"""Import a workspace, or any folder with a COLMAP model, as Blender data."""
