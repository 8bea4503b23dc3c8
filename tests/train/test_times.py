"""Time sampling: strata, densities, mixtures."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from bench_plugins.edm.process import EDM
from bench_plugins.score_sde.processes import VP
from bench_train.times import LogNormal, LogUniform, Mixture, UniformTime, stratified_uniforms


def test_every_stratum_holds_one_number() -> None:
    uniforms = stratified_uniforms(64, torch.Generator().manual_seed(1))
    assert uniforms.dtype is torch.float64
    assert (uniforms * 64).floor().tolist() == list(range(64))


def test_strata_estimate_a_mean_better_than_independent_numbers() -> None:
    generator = torch.Generator().manual_seed(2)
    means = torch.stack([stratified_uniforms(100, generator).mean() for _ in range(200)])
    independent = math.sqrt(1 / 12 / 100)
    assert float(means.std()) < 0.05 * independent


@pytest.mark.parametrize(
    ("times", "law"),
    [
        (LogUniform(0.01, 10.0), stats.uniform(math.log(0.01), math.log(1000.0))),
        (LogNormal(-1.0, 0.8), stats.norm(-1.0, 0.8)),
    ],
)
def test_noise_levels_follow_their_law(times: LogUniform | LogNormal, law: object) -> None:
    uniforms = stratified_uniforms(2000, torch.Generator().manual_seed(3))
    for process in (EDM(), VP()):
        t = times.draw(uniforms, process)
        s = process.sigma(t) / process.alpha(t)
        assert stats.kstest(s.log().numpy(), law.cdf).statistic < 0.001  # type: ignore[attr-defined]


def test_uniform_time_covers_the_range_of_the_process() -> None:
    t = UniformTime().draw(torch.tensor([0.0, 0.5], dtype=torch.float64), VP())
    assert t.tolist() == pytest.approx([1e-5, 0.500005])


def test_times_outside_the_process_move_to_its_ends() -> None:
    t = LogNormal(0.0, 5.0).draw(torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64), EDM())
    assert t.tolist() == pytest.approx([0.002, 80.0])


def test_a_mixture_splits_the_unit_interval() -> None:
    process = EDM()
    first, second = LogUniform(), LogNormal()
    uniforms = torch.tensor([0.0, 0.1, 0.2, 0.25, 0.7, 0.99], dtype=torch.float64)
    t = Mixture(first, second, 0.25).draw(uniforms, process)
    torch.testing.assert_close(t[:3], first.draw(uniforms[:3] / 0.25, process))
    torch.testing.assert_close(t[3:], second.draw((uniforms[3:] - 0.25) / 0.75, process))
