"""What is handed out, as plain values and text: redacted, labelled, listed."""
