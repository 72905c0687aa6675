"""Around structure from motion: what is shown while it runs, and what became of each photo."""
