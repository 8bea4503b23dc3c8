"""The table of results: columns, files, and how they are read. Never imports torch."""
