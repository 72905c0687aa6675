"""COLMAP: calls to it, its database, and the parts that run in separate processes."""
