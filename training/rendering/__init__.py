"""A small software renderer for training data: textured triangles in, colors with exact depth out."""
