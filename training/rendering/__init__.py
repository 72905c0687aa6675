"""A small software renderer for training data: textured triangles in, colours with exact depth out."""
