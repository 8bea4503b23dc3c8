"""The block of samples that share a noise stream; without torch, since comparisons need it too."""

SHARD = 64
"""Consecutive samples of one noise stream, and rows of one network call."""
