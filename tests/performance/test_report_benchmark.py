"""Reading and reporting 100,000 rows: how long it takes is printed, that it works is asserted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.report import write_report
from bench.results.store import Store

ManyRows = Callable[[Path, int], Path]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def run(many_rows: ManyRows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25,000 cells of four rows, with their table."""
    root = many_rows(tmp_path_factory.mktemp("many") / "run", 25_000)
    Store(root).consolidate()
    return root


def test_reading(run: Path, benchmark: BenchmarkFixture) -> None:
    frame = benchmark.pedantic(Store(run).load, rounds=3)
    assert len(frame) == 100_000


def test_reporting(run: Path, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    found = benchmark.pedantic(write_report, args=(run, tmp_path), rounds=1)
    benchmark.extra_info["page_bytes"] = found.page.stat().st_size
    assert found.page.stat().st_size < 3_000_000
    assert "100000 rows" in found.page.read_text(encoding="utf-8")
    assert len({path.stem for path in found.figures}) >= 8
