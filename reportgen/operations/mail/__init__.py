"""How sealed documents reach those they are for."""
