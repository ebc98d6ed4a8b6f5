"""What a template sees: core types laid out for reading. Nothing here knows Jinja, PDF or Excel."""
