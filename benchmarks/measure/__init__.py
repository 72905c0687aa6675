"""One command per table in benchmarks/results."""
