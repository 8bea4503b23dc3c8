"""Room for long labels."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure as Drawing


def leave_margin(figure: Drawing) -> None:
    """Keep labels off the left edge, which the page's fonts may cross."""
    engine: Any = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.03, 0.0, 0.97, 1.0))
