"""Statistics of numbers: numpy and scipy alone."""
