"""Core types turned into bytes, never to disk: PDF, Excel, and their templates."""
