"""Measurements of `benchmarks/measure/matching.py`: front-ends side by side, one module per measure or section."""
