"""One command a table in benchmarks/results."""
