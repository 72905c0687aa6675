"""What exists only while something runs, or so that it may."""
