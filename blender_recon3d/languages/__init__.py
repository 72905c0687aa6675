"""The interface in other languages, and the engine's messages in the panel's words."""
