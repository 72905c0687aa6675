"""One reader a format: `read(path, sizes)` returns an Alignment; FileFormatError where the file is something else."""
