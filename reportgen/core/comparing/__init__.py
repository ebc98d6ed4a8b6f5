"""Two cycles, statements or allocations, and what is different between them."""
