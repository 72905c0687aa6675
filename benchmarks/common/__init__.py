"""Shared by several measurements: scenes, truth, competitors, measures."""
