"""docs/solvers.md is what the registry and the measurements say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.registry import Kind, load_registry
from bench.testing.catalogue import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "solvers.md"


@pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue(load_registry()), (
        "run `bench plugins docs > docs/solvers.md`"
    )


def test_every_solver_corrector_and_grid_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds = (Kind.PREDICTOR, Kind.ODE_SOLVER, Kind.CORRECTOR, Kind.GRID, Kind.GUIDANCE)
    for entry in load_registry().of(*kinds):
        if entry.source.distribution == "scorebench":
            assert f"\n### {entry.name}\n" in page
