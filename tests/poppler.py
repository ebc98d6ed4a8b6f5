"""Poppler as an independent reader of PDFs."""

import subprocess


def text_of(pdf: bytes, order: str = "-layout") -> str:
    """Read the words of a PDF: laid out as they stand, or (`-raw`) in the order drawn."""
    command = ["pdftotext", order, "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()
