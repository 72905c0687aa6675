"""Assets for other programs, without Blender: one module a format."""
