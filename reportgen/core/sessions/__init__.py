"""What usage was for: sessions, tags, pull requests, and what each of them cost."""
