"""File formats, and defensive reading of untrusted files."""
