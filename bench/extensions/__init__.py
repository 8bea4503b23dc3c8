"""Commands and figures: what they are, and how they are found. Never imports torch."""
