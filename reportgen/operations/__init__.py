"""What commands share: the world they run in, which cycle is meant, what is read and written, how failures are told."""
