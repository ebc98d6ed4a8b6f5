"""What commands share: their context, which cycle is meant, what is read and written, failures."""
