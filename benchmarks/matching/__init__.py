"""What `benchmarks/measure/matching.py` measures: front-ends side by side, one module a measure or a section."""
