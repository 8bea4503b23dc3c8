"""Training of score models by continuous denoising score matching."""
