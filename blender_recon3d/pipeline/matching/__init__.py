"""Selects the pairs of photos to match."""
