"""What a ledger books of a cycle, on which day and in which period."""
