"""The statement, its tie-out, what speaks against a close, and the way back from a line."""
