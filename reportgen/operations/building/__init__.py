"""A draft: what it is made of, how it is drawn, and what is told of it."""
