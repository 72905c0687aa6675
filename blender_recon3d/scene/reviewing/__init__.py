"""What became of each photo, and looking through one."""
