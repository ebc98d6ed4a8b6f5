"""What is asked and stored of a cycle, and what was refused."""
