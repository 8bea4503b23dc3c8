"""Held-out images that ship: for likelihoods, and as points of an empirical distribution."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "data"

HELD_OUT = {name: _FOLDER / f"{name}_test.safetensors" for name in ("mnist", "digits")}
"""Files by data set; their tensor ``samples`` is uint8, (n, *shape)."""
