"""Builds Blender data from a workspace, using only bpy.data: works in any mode, with or without a window.

`points` and the readers in `importing` work with numpy and never import bpy.
"""
