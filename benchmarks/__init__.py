"""What is measured, and the pictures of it: python -m benchmarks.measure.NAME, benchmarks.pictures.NAME"""
