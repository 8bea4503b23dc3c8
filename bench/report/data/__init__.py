"""What is prepared from the table of results for figures, tables and the page."""
