"""Classes of their own for samples, and guidance: against closed forms and by its price."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    NO_CLASS,
    BenchError,
    Conditional,
    Corrector,
    CountedDenoiser,
    Draw,
    ExactDivergence,
    NoiseProcess,
    OdeSolver,
    Problem,
    Sampler,
    ScoreModel,
    Stepper,
    Target,
    TimeGrid,
    UnsupportedError,
    generate,
    guide,
    log_likelihood,
)
from bench.core.guided import BoundGuidance, GuidedModel
from bench.registry import Kind, load_registry

MEANS = torch.tensor([-1.5, 0.0, 2.0, 0.25], dtype=torch.float64)
"""Of three classes, and (at -1) of no class."""
CPU = torch.device("cpu")


def _gaussian(y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
    """D of N(mean of the class, 0.5^2)."""
    mean = MEANS[labels].to(y.dtype)[:, None]
    return mean + 0.25 / (0.25 + s.reshape(-1, 1).square()) * (y - mean)


def _plugin(name: str, kind: Kind, **parameters: float) -> Any:
    return load_registry().get(name, kind).cls(**parameters)


def _times(steps: int) -> tuple[NoiseProcess, Any]:
    process, grid = _plugin("vp", Kind.PROCESS), _plugin("karras", Kind.GRID)
    assert isinstance(process, NoiseProcess)
    assert isinstance(grid, TimeGrid)
    return process, grid.times(process, steps, 0.01, 50.0)


def _samples(
    sampler: Sampler, denoiser: Conditional | GuidedModel, samples: int = 130, batch: int = 128
) -> tuple[Tensor, CountedDenoiser]:
    counted = CountedDenoiser(denoiser)
    process, times = _times(6)
    if sampler.adaptive:
        times = (times[0], times[-1])
    draw = Draw(3, samples, batch, (2,), torch.float64)
    batches = generate(process, counted, sampler, times, draw)
    return torch.cat([batch.x for batch in batches]), counted


def test_classes_are_drawn_evenly_and_for_each_sample_alike() -> None:
    model = Conditional(_gaussian, classes=10)
    labels = model.labels(0, 0, 20_000, CPU)
    counts = labels.bincount(minlength=10)
    assert labels.dtype == torch.int64
    assert len(counts) == 10
    # Chi-square of 9 degrees of freedom: above 27.9 once in a thousand.
    assert float(((counts - 2000) ** 2 / 2000).sum()) < 27.9
    assert torch.equal(model.labels(0, 70, 100, CPU), labels[70:170])
    assert not torch.equal(model.labels(1, 0, 100, CPU), labels[:100])


@pytest.mark.parametrize("classes", [1, 2, 7, 10, 64, 100, 1000])
def test_balanced_classes_are_equally_many_whatever_the_number(classes: int) -> None:
    labels = Conditional(_gaussian, classes, balanced=True).labels(5, 0, 2500, CPU)
    assert labels.dtype == torch.int64
    for n in (1, classes - 1, classes, classes + 1, 3 * classes // 2, 2 * classes, 2500):
        counts = labels[:n].bincount(minlength=classes)
        assert len(counts) == classes
        assert int(counts.max() - counts.min()) <= 1
        assert int(counts.sum()) == min(n, 2500)


@pytest.mark.parametrize("classes", [1, 7, 10, 100])
def test_balanced_classes_belong_to_the_sample_and_not_to_the_batch(classes: int) -> None:
    model = Conditional(_gaussian, classes, balanced=True)
    labels = model.labels(5, 0, 300, CPU)
    for batch in (1, 13, 64, 256, 300):
        parts = [model.labels(5, i, min(batch, 300 - i), CPU) for i in range(0, 300, batch)]
        assert torch.equal(torch.cat(parts), labels)
    assert len(model.labels(5, 7, 0, CPU)) == 0


def test_balanced_classes_come_in_an_order_of_the_seed_and_the_block() -> None:
    model = Conditional(_gaussian, 10, balanced=True)
    blocks = model.labels(0, 0, 1000, CPU).reshape(100, 10)
    assert (blocks.sort(1).values == torch.arange(10)).all()
    assert len(blocks.unique(dim=0)) == 100
    assert not torch.equal(model.labels(1, 0, 1000, CPU), blocks.flatten())
    # Uniform in each place: chi-square of 9 degrees of freedom.
    many = model.labels(2, 0, 20_000, CPU).reshape(2000, 10)
    for place in range(10):
        counts = many[:, place].bincount(minlength=10)
        assert float(((counts - 200) ** 2 / 200).sum()) < 27.9


def test_samples_of_balanced_classes_are_those_of_their_class_whatever_the_batch() -> None:
    model = Conditional(_gaussian, 3, balanced=True)
    sampler = Sampler(_plugin("dpmpp_2m", Kind.ODE_SOLVER))
    one, _ = _samples(sampler, model, samples=150, batch=64)
    other, _ = _samples(sampler, model, samples=150, batch=150)
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    labels = model.labels(3, 0, 150, CPU)
    assert labels.bincount().tolist() == [50, 50, 50]
    for label in range(3):
        alone, _ = _samples(sampler, Conditional(_gaussian, 3, label), samples=150)
        own = labels == label
        torch.testing.assert_close(one[own], alone[own], rtol=1e-9, atol=1e-9)


def test_every_sample_is_that_of_its_class_alone(stepper: Stepper[Any]) -> None:
    if stepper.batch_coupled:
        pytest.skip("samples of a shard share their steps")
    mixed, _ = _samples(Sampler(stepper), Conditional(_gaussian, 3))
    labels = Conditional(_gaussian, 3).labels(3, 0, 130, CPU)
    for label in range(3):
        alone, _ = _samples(Sampler(stepper), Conditional(_gaussian, 3, label))
        own = labels == label
        torch.testing.assert_close(mixed[own], alone[own], rtol=1e-9, atol=1e-9)


def test_correctors_know_the_classes(corrector: Corrector) -> None:
    sampler = Sampler(_plugin("reverse_diffusion", Kind.PREDICTOR), corrector)
    mixed, _ = _samples(sampler, Conditional(_gaussian, 3), batch=64)
    other, _ = _samples(sampler, Conditional(_gaussian, 3), batch=128)
    torch.testing.assert_close(mixed, other, rtol=1e-9, atol=1e-9)


def test_samples_have_the_mean_of_their_class() -> None:
    model = Conditional(_gaussian, 3)
    x, _ = _samples(Sampler(_plugin("dpmpp_2m", Kind.ODE_SOLVER)), model, samples=3000)
    labels = model.labels(3, 0, 3000, CPU)
    for label in range(3):
        mean = float(x[labels == label].mean())
        assert mean == pytest.approx(float(MEANS[label]), abs=0.06)


def _guided(denoiser: Conditional, scale: float) -> GuidedModel:
    model = ScoreModel(denoiser, (2,), 0.002, 80.0, "", Target("gaussians"))
    under = guide(model, _plugin("cfg", Kind.GUIDANCE, scale=scale), None, torch.float64)
    assert isinstance(under.denoiser, GuidedModel)
    return under.denoiser


@pytest.mark.parametrize("scale", [-1.0, 1.5, 4.0])
def test_guidance_extrapolates_from_no_class(scale: float) -> None:
    y, s = torch.randn(5, 2, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    model = Conditional(_gaussian, 3, balanced=True)
    labels, free = model.labels(0, 0, 5, CPU), _gaussian(y, s, torch.full((5,), NO_CLASS))
    counted = CountedDenoiser(_guided(model, scale))
    found = counted.of_samples(0, 0, 5, CPU)(y, s)
    torch.testing.assert_close(found, free + scale * (_gaussian(y, s, labels) - free))
    assert counted.evaluations.rows == 10


@pytest.mark.parametrize(("scale", "label"), [(1.0, None), (0.0, NO_CLASS)])
def test_scale_one_is_the_class_and_zero_none_bit_for_bit(
    stepper: Stepper[Any], scale: float, label: int | None
) -> None:
    guided = _guided(Conditional(_gaussian, 3), scale)
    one, counted = _samples(Sampler(stepper, price=guided.price), guided)
    other, usual = _samples(Sampler(stepper), Conditional(_gaussian, 3, label))
    assert torch.equal(one, other)
    assert counted.evaluations.rows == usual.evaluations.rows
    assert guided.price == 1


def test_guidance_costs_two_evaluations_and_the_budget_knows() -> None:
    heun = _plugin("edm_heun", Kind.ODE_SOLVER)
    model = _guided(Conditional(_gaussian, 3), 2.0)
    sampler = Sampler(heun, price=model.price)
    assert model.price == 2
    assert sampler.cost(6) == 2 * (2 * 6 + 1)
    assert sampler.finish_cost == 2
    _, counted = _samples(sampler, model)
    assert counted.evaluations.nfe(130) == sampler.cost(6)
    assert Sampler(heun, price=2).steps_for(27) == Sampler(heun).steps_for(13)


def test_nobody_reaches_past_the_counter_of_a_guided_model() -> None:
    counted = CountedDenoiser(_guided(Conditional(_gaussian, 3, 1), 2.0))
    y, s = torch.zeros(4, 2, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    own = counted.of_samples(0, 0, 4, CPU)
    assert isinstance(own, BoundGuidance)
    own(y, s)
    assert counted.evaluations.rows == 8
    own.given.plain(y, s)
    own.given.conditional.network(y, s, torch.zeros(4, dtype=torch.int64))
    assert counted.evaluations.rows == 16
    _, vjp = own.given.conditional.with_vjp(y, s)
    vjp(y)
    assert (counted.evaluations.rows, counted.evaluations.vjp_rows) == (20, 4)
    with pytest.raises(UnsupportedError, match="under guidance"):
        counted(y, s)


def test_guidance_of_no_class_is_refused() -> None:
    y, s = torch.zeros(4, 2, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    for denoiser, message in (
        (Conditional(_gaussian, 3, NO_CLASS), "label: -1"),
        (Conditional(_gaussian, 3, plain=False), "takes no class too"),
    ):
        with pytest.raises(UnsupportedError, match=message):
            CountedDenoiser(_guided(denoiser, 2.0)).of_samples(0, 0, 4, CPU)(y, s)


def test_rows_of_another_batch_are_refused() -> None:
    own = CountedDenoiser(Conditional(_gaussian, 3)).of_samples(0, 0, 8, CPU)
    with pytest.raises(BenchError, match=r"problem\.of_rows"):
        own(torch.zeros(4, 2), torch.tensor(1.0))


def test_likelihoods_need_a_class() -> None:
    process, times = _times(200)
    rk4 = _plugin("rk4", Kind.ODE_SOLVER)
    assert isinstance(rk4, OdeSolver)
    y = torch.tensor([[1.9, 2.1], [2.0, 1.8]], dtype=torch.float64)
    drawn, fixed = (CountedDenoiser(Conditional(_gaussian, 3, label)) for label in (None, 2))
    with pytest.raises(UnsupportedError, match="parameter label"):
        log_likelihood(process, drawn, ExactDivergence(), rk4, times, y)
    found = log_likelihood(process, fixed, ExactDivergence(), rk4, times, y)
    exact = torch.distributions.Normal(2.0, (0.25 + times[-1].s ** 2) ** 0.5).log_prob(y).sum(1)
    torch.testing.assert_close(found, exact, rtol=0, atol=0.04)  # the prior leaves out its mean


def test_an_unconditional_model_is_itself() -> None:
    counted = CountedDenoiser(lambda y, s: y)
    assert counted.of_samples(0, 0, 8, CPU) is counted
    assert Problem(_times(1)[0], counted).of_rows(torch.tensor([0])).model is counted
