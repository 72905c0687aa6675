"""Attacks on the engine, one module each: kills, power cuts, torn files, full disks, fuzzed files.

Every attack is a function `attack(number, bench) -> Run`. The same seed and number are the same attack, so a run that
was cut short goes on where it stopped, and a failure can be repeated alone.
"""
