"""Align Your Steps (Sabour, Fidler and Kreis 2024, arXiv:2404.14507)."""

from collections.abc import Sequence

from bench.api import TimeGrid, hookimpl
from bench_plugins.ays.grid import AlignYourSteps


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [AlignYourSteps]
