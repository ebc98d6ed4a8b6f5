"""The HR export: a table of another system, whatever it was saved as, turned into user rules."""
