"""Attacks on the engine, one module each: kills, power cuts, torn files, full disks, fuzzed files.

Every attack is a function `attack(number, bench) -> Run`. The same seed and number give the same attack, so an
interrupted run can continue, and a failure can be repeated alone.
"""
