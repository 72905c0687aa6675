"""How the bundled weights were made: from data to weights and their cards."""
