"""Inputs as people send them, one list of cases a module; benchmarks.measure.cases runs them all.

A case makes its photos from those of the demo (`make demo`), whose cameras are known, and names the options that it is
run with. It is judged by its cameras against the truth, and by what the engine said.
"""
