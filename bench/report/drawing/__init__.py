"""What figures share: canvas, axes, panels, legends, and the processes that draw them."""
