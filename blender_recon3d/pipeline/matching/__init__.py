"""Which photos are matched with which."""
