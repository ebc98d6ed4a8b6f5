"""XHTML to PDF/A-3a."""
