"""One writer per format: `write(path, alignment)`; UserError if a format cannot represent the cameras."""
