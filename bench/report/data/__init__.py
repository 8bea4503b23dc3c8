"""Data of figures, tables and the page, prepared from the table of results."""
