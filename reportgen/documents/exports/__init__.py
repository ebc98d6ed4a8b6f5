"""Core types turned into what other systems take: tables, and files of finance systems."""
