"""Inputs as users send them, one list of cases per module; benchmarks.measure.cases runs them all.

A case makes its photos from those of the demo (`make demo`), whose cameras are known, and names the options to run it
with. It is evaluated by its cameras against the truth, and by the engine's messages.
"""
