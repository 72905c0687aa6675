"""Export assets for other programs without Blender: one module per format."""
