"""`bench tune`: parameters of guidances and solvers, chosen on validation draws alone."""
