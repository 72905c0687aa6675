"""Compares results with ground truth. Users' jobs run none of this."""
