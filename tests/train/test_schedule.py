"""Warm-up, plateau, decay."""

from __future__ import annotations

import pytest

from bench.api import BenchError
from bench_train.schedule import WarmupStableDecay

SCHEDULE = WarmupStableDecay(warmup=99, decay=0.5)


@pytest.mark.parametrize(
    ("done", "factor"), [(0, 0.01), (49, 0.5), (99, 1.0), (500, 1.0), (750, 0.5), (1000, 0.0)]
)
def test_shape(done: int, factor: float) -> None:
    assert SCHEDULE.factor(done, 1000) == pytest.approx(factor)


def test_plateau_does_not_depend_on_the_total() -> None:
    assert SCHEDULE.factor(400, 1000) == SCHEDULE.factor(400, 100_000) == 1.0


def test_never_negative_past_the_end() -> None:
    assert SCHEDULE.factor(1100, 1000) == 0.0


def test_without_decay_the_rate_stays() -> None:
    constant = WarmupStableDecay(warmup=0, decay=0.0)
    assert constant.factor(0, 1000) == constant.factor(5000, 1000) == 1.0


@pytest.mark.parametrize(("warmup", "decay"), [(-1, 0.5), (0, 1.5), (0, -0.1)])
def test_senseless_shapes_are_refused(warmup: int, decay: float) -> None:
    with pytest.raises(BenchError, match="--decay and --warmup"):
        WarmupStableDecay(warmup, decay)
