"""The stages, one module each, declared as `STAGE` (`..stage`). A stage never calls another.

A module imports torch, pycolmap, numpy and other heavy packages only inside functions: Blender reads the declarations
as well. Longer code is in the package of its subject: `photos`, `sfm`, `mvs`, `meshing`, `texturing`.
"""
