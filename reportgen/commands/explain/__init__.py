"""`explain`: every line of an invoice, traced back to records, rules, rates and answers."""
