"""Geometry-inspired time scheduling (Chen et al. 2024, arXiv:2405.11326)."""

from collections.abc import Sequence

from bench.api import TimeGrid, hookimpl
from bench_plugins.gits.grid import Gits


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [Gits]
