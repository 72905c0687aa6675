"""One reader per format: `read(path, sizes)` returns an Alignment, or raises FileFormatError."""
