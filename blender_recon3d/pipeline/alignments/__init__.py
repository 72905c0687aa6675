"""Alignments of other programs: cameras, and points where there are any, read from their files into one type."""
