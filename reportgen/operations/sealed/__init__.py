"""What is done with a closed cycle: close, verify, correct, hand out."""
