"""COLMAP: its calls, its database, and what runs it in a process of its own."""
