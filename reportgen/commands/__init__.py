"""One module per command: its steps, to be read from top to bottom."""
