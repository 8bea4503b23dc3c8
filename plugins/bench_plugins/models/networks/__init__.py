"""Networks small enough to ship: architectures, preconditioning, files of weights."""
