"""The outside world turned into core types: configuration files, API responses, recordings."""
