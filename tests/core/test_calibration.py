"""What a plugin is calibrated with."""

from __future__ import annotations

import torch

from bench.api import Calibration, CountedDenoiser, Draw, NoiseProcess
from bench.registry import Kind, load_registry


def _cell(process: str = "vp") -> Calibration:
    plugin = load_registry().get(process, Kind.PROCESS).cls()
    assert isinstance(plugin, NoiseProcess)
    draw = Draw(3, 10, 4, (2, 5), torch.float64)
    return Calibration(plugin, CountedDenoiser(lambda y, s: y), 0.01, 50.0, 6, draw)


def test_starts_are_the_priors_at_s_max_in_shards() -> None:
    batches = [x for _, x in _cell().starts(150)]
    assert [tuple(batch.shape) for batch in batches] == [(64, 2, 5), (64, 2, 5), (22, 2, 5)]
    assert {batch.dtype for batch in batches} == {torch.float64}
    sigma = _cell().process.at_s(50.0).sigma
    assert abs(float(torch.cat(batches).std()) / sigma - 1) < 0.1


def test_the_first_starts_are_the_same_whatever_their_number() -> None:
    few, many = (torch.cat([x for _, x in _cell().starts(count)]) for count in (70, 200))
    assert torch.equal(few, many[:70])


def test_starts_are_other_draws_than_the_samples() -> None:
    cell = _cell()
    prior = cell.draw.prior(cell.process.at_s(50.0), 0, 10)
    assert float((next(cell.starts(10))[1] - prior).abs().min()) > 0


def test_starts_are_the_same_in_normalised_coordinates() -> None:
    cells = (_cell("vp"), _cell("edm"))
    vp, edm = (next(cell.starts(3))[1] / cell.process.at_s(50.0).alpha for cell in cells)
    torch.testing.assert_close(vp, edm, rtol=1e-9, atol=0)


def test_evaluations_through_the_problem_are_counted() -> None:
    cell = _cell()
    ((problem, x),) = cell.starts(7)
    problem.denoise(x, cell.process.at_s(50.0))
    assert cell.model.evaluations.rows == 7
