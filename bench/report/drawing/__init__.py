"""Shared by figures: canvas, axes, panels, legends, and the processes that draw them."""
