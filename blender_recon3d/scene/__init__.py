"""Builds Blender data from a workspace, with bpy.data only: works in any mode, with or without a window.

`colmap_files`, `ply`, `points` and `sources` read files with numpy and never import bpy.
"""
