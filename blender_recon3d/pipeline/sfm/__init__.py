"""Structure from motion: mapping, its live display, and the registration of each photo."""
