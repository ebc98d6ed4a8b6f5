"""The mail server: how it is reached and signed in to, and how it is given a message."""
