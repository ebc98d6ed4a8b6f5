"""`doctor`: whether this machine can do the month, part by part, each with its remedy."""
