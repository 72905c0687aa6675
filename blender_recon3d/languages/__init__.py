"""The interface in other languages: texts by their English ones."""
