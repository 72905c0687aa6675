"""The user's photos: which files are used, the cost of decoding, and their entries in photos.json."""
