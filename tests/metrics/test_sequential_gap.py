"""The distance to DDIM on the same grid."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.api import (
    CountedDenoiser,
    Draw,
    Measurement,
    Role,
    Sampler,
    ScoreModel,
    Stepper,
    Trial,
    UnsupportedError,
    generate,
)
from bench.testing import grid_of, process_of, stepper_of
from bench_plugins.models.mixture import GaussianMixture
from bench_plugins.parallel.sequential import SequentialGap


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return GaussianMixture().load(torch.device("cpu"), torch.float64)


def _trial(stepper: Stepper[Any], model: ScoreModel, finish: bool = True) -> Trial:
    process = process_of("vp")
    times = grid_of("karras").times(process, 16, 0.01, 50.0)
    draw = Draw(3, 70, 40, (2,), torch.float64)
    return Trial(model, process, Sampler(stepper, finish=finish), times, draw)


def _measure(trial: Trial, samples: int = 64) -> Measurement:
    found = SequentialGap(samples=samples).start(trial)
    counted = CountedDenoiser(trial.model.denoiser)
    for batch in generate(trial.process, counted, trial.sampler, trial.times, trial.draw):
        found.add(batch)
    (number,) = found.result()
    return number


@pytest.mark.parametrize("finish", [True, False])
def test_ddim_has_none(model: ScoreModel, finish: bool) -> None:
    number = _measure(_trial(stepper_of("ddim"), model, finish))
    assert number.value == pytest.approx(0, abs=1e-12)
    assert (number.n, number.nfe, number.role) == (64, 16 + finish, Role.DIAGNOSTIC)


def test_it_falls_with_every_refinement_to_none(model: ScoreModel) -> None:
    gaps = [_measure(_trial(stepper_of("srds", refinements=k), model)).value for k in (1, 2, 3, 4)]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2] > 1e-9
    assert gaps[3] == pytest.approx(0, abs=1e-12)


def test_it_is_the_root_mean_square_of_the_differences(model: ScoreModel) -> None:
    trial = _trial(stepper_of("dpmpp_2m"), model)
    ends = []
    for stepper in (trial.sampler.stepper, stepper_of("ddim")):
        counted = CountedDenoiser(model.denoiser)
        batches = generate(trial.process, counted, Sampler(stepper), trial.times, trial.draw)
        ends.append(torch.cat([batch.x for batch in batches])[:50])
    number = _measure(trial, 50)
    assert number.value == pytest.approx(float((ends[0] - ends[1]).square().mean().sqrt()))
    assert number.evidence is not None
    assert float(number.evidence.mean()) == pytest.approx(number.value)
    spread = float(number.evidence.std()) / 50**0.5
    assert number.std_error == pytest.approx(spread)


@pytest.mark.parametrize(
    ("name", "reason"), [("ancestral", "needs an ODE solver"), ("dopri5", "needs a grid")]
)
def test_what_has_no_sequential_solution_is_refused(
    model: ScoreModel, name: str, reason: str
) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        SequentialGap().start(_trial(stepper_of(name), model))
