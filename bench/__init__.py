"""The referee of diffusion samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.project import __version__ as __version__

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd


def load_results(path: str | PathLike[str]) -> pd.DataFrame:
    """The results under ``path`` (a folder that ``bench run`` wrote), one row per cell and metric.

    Columns are documented in docs/schema.md. Rows of cells that the last plan no longer holds are
    left out.

    Raises:
        BenchError: there are no results at ``path``, or they are damaged.
    """
    from pathlib import Path  # imports are lazy: `bench --help` must not wait for pandas

    from bench.results.store import Store

    return Store(Path(path)).load()
