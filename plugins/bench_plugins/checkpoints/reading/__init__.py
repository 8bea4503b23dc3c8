"""Reading other people's files without running anything that is in them."""
