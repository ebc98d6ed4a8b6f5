"""What a template may do, and in which words and digits it speaks."""
