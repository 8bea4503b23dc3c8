"""Held-out images that ship: for likelihoods, and as points of an empirical distribution."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "data"

_NAMES = ("mnist", "digits", "cifar10_jpeg")

HELD_OUT = {name: _FOLDER / f"{name}_test.safetensors" for name in _NAMES}
"""Files by data set; their tensor ``samples`` is uint8, (n, *shape)."""
HELD_OUT_LABELS = {name: _FOLDER / f"{name}_test_labels.safetensors" for name in _NAMES}
"""Their classes: the tensor ``labels`` is int64, (n,)."""
