"""XHTML tables and streamed rows to workbooks."""
