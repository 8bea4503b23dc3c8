"""Mathematics of the harness: processes, models, noise, the sampling loop, the likelihood."""
