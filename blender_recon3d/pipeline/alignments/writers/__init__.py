"""One writer a format: `write(path, alignment)`; what a format cannot say is a UserError."""
