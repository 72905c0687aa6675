"""Shared by tests: synthetic scenes, workspaces, weights and packages, and ways to run the engine on them."""
