"""How good a result is against ground truth. No job of a user runs any of this."""
