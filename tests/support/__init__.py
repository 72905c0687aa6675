"""What tests share: made scenes, workspaces, weights and packages, and the ways to run the engine on them."""
