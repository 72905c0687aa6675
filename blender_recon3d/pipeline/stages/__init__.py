"""The stages, one module each, which says as `STAGE` what it is (`..stage`). A stage never calls another.

A module imports torch, pycolmap, numpy and other heavy packages only inside functions: Blender reads the declarations
as well. Longer work lies in the room of its subject: `photos`, `sfm`, `mvs`, `meshing`, `texturing`.
"""
