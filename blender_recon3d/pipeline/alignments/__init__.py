"""Alignments of other programs: cameras, and points if there are any, read from their files into a common type."""
