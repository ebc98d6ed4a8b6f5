"""Tables of other systems, whatever they were saved as: people as user rules, cost centers."""
