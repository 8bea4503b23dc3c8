"""`bench aliases`: names that other projects give to plugins."""
