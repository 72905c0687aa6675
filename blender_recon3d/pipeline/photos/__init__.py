"""Photos as they come from a user: which files count, what decoding costs, and what photos.json says of them."""
