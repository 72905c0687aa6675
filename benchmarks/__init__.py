"""Measurements, and their pictures: python -m benchmarks.measure.NAME, benchmarks.pictures.NAME"""
