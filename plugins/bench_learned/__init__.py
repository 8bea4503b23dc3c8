"""`bench calibrate`: what grids and solvers learn of a network, kept in a file."""
