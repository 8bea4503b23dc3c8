"""The folder where downloaded weights and computed statistics lie."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """BENCH_CACHE, or the platform's cache folder of the user (~/.cache/scorebench on Linux)."""
    chosen = os.environ.get("BENCH_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("scorebench")
