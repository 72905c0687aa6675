"""One command per picture in the documents."""
