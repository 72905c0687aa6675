"""How the bundled weights were made: data in, weights and their cards out."""
