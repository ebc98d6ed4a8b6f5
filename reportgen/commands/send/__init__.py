"""`send`: documents by e-mail, once."""
