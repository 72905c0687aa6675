"""Which photos are matched, and the features they are matched by."""
