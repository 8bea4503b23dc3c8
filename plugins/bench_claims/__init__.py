"""`bench claims`: what is said of samplers, tested on what ships."""
