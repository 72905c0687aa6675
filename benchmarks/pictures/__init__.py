"""One command a picture of the documents."""
