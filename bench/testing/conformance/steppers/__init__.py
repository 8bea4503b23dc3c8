"""Checks of predictors and ODE solvers."""
