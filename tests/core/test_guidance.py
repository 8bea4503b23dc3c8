"""Guidance in the loop: passes, budgets, memories, what is refused, and exact reductions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    Given,
    Guidance,
    Guided,
    Passes,
    Sampler,
    Time,
    UnsupportedError,
    generate,
    guide,
)
from bench.core.guided import BoundGuidance
from bench.testing.plugins import grid_of, process_of, stepper_of
from bench.testing.posed import Posed, posed_model

PROCESS = process_of("vp")


@dataclass(frozen=True)
class Plain(Guidance[None]):
    """The model as it is, asked through a guidance."""

    name: ClassVar[str] = "plain"
    reference: ClassVar[str] = "nobody"

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        d = given.conditional(y, s)
        return Guided(d, d)


@dataclass(frozen=True)
class Gradient(Guidance[list[float]]):
    """An evaluation and a vector-Jacobian product below s = 1; remembers its levels."""

    name: ClassVar[str] = "gradient"
    reference: ClassVar[str] = "nobody"

    @property
    def passes(self) -> Passes:
        return Passes(1, 1)

    def passes_at(self, s: float) -> Passes:
        return Passes(1, int(s < 1))

    def start(self, given: Given) -> list[float]:
        return []

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: list[float]) -> Guided:
        memory.append(float(s))
        if float(s) >= 1:
            d = given.plain(y, s)
            return Guided(d, d)
        d, vjp = given.plain.with_vjp(y, s)
        return Guided(d + 0.01 * vjp(d), d)


@dataclass(frozen=True)
class Anchored(Guidance[None]):
    """Settles the state at zero in the first entry."""

    name: ClassVar[str] = "anchored"
    reference: ClassVar[str] = "nobody"

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        assert bool((y.flatten(1)[:, 0] == 0).all())
        d = given.plain(y, s)
        return Guided(d, d)

    def settle(self, given: Given, x: Tensor, now: Time, memory: None) -> Tensor:
        x = x.clone()
        x.flatten(1)[:, 0] = 0
        return x


def _run(
    name: str,
    guidance: Guidance[Any] | None,
    steps: int = 8,
    samples: int = 70,
    batch: int = 128,
    corrector: Any = None,
) -> tuple[Tensor, CountedDenoiser, Sampler]:
    model = guide(posed_model(), guidance, Posed() if guidance else None, torch.float64)
    counted = CountedDenoiser(model.denoiser)
    varies = guidance is not None and guidance.varies
    denoiser: Any = model.denoiser
    sampler = Sampler(
        stepper_of(name),
        corrector,
        price=model.price,
        price_at=denoiser.price_at if varies else None,
    )
    draw = Draw(0, samples, batch, model.shape, torch.float64)
    times = grid_of("karras").times(PROCESS, steps, 0.01, 50.0)
    with torch.no_grad():
        x = torch.cat([b.x for b in generate(PROCESS, counted, sampler, times, draw)])
    return x, counted, sampler


@pytest.mark.parametrize("name", ["ddim", "heun", "dpmpp_2m", "ancestral"])
def test_a_guidance_that_does_nothing_changes_no_bit(name: str) -> None:
    guided, counted, _ = _run(name, Plain())
    network: Any = posed_model().denoiser
    labels = Posed().of_samples(0, 0, 70).labels
    assert labels is not None

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        return network.network(y, s, labels[: len(y)])  # type: ignore[no-any-return]

    # The same in one batch of 70, sharded alike.
    times = grid_of("karras").times(PROCESS, 8, 0.01, 50.0)
    draw = Draw(0, 64, 64, guided.shape[1:], torch.float64)
    with torch.no_grad():
        (alone,) = generate(
            PROCESS, CountedDenoiser(denoise), Sampler(stepper_of(name)), times, draw
        )
    assert torch.equal(guided[:64], alone.x)
    assert counted.evaluations.vjp_rows == 0


@pytest.mark.parametrize("name", ["ddim", "heun", "euler_maruyama", "dpmpp_2m", "rk4"])
@pytest.mark.parametrize("steps", [1, 5, 12])
def test_what_varies_with_the_level_is_declared_exactly(name: str, steps: int) -> None:
    _, counted, sampler = _run(name, Gradient(), steps)
    times = grid_of("karras").times(PROCESS, steps, 0.01, 50.0)
    passes = counted.evaluations.nfe(70) + counted.evaluations.vjps(70)
    assert passes == sampler.cost_on(PROCESS, times) <= sampler.cost(steps)
    assert 0 < counted.evaluations.vjps(70) < counted.evaluations.nfe(70) or steps == 1


def test_a_memory_is_of_one_batch() -> None:
    few, many = (_run("ddim", Gradient(), batch=size)[0] for size in (64, 128))
    torch.testing.assert_close(few, many, rtol=1e-10, atol=1e-10)
    rows = torch.tensor([0, 2])
    model: Any = guide(posed_model(), Gradient(), Posed(), torch.float64).denoiser
    counted = CountedDenoiser(model)
    bound = counted.of_samples(0, 0, 4, torch.device("cpu"))
    assert isinstance(bound, BoundGuidance)
    with pytest.raises(UnsupportedError, match="goes with the whole batch"):
        bound.of_rows(rows)


def test_the_state_is_settled_before_every_evaluation() -> None:
    for corrector in (None, _langevin()):
        _run("ancestral", Anchored(), corrector=corrector)


def _langevin() -> Any:
    from bench.registry import Kind, load_registry

    return load_registry().get("langevin", Kind.CORRECTOR).cls()


def test_the_vector_jacobian_product_is_that_of_the_network() -> None:
    counted = CountedDenoiser(guide(posed_model(), Plain(), Posed(), torch.float64).denoiser)
    bound: Any = counted.of_samples(0, 0, 70, torch.device("cpu"))
    y = torch.randn(70, *posed_model().shape, dtype=torch.float64, generator=_generator())
    v = torch.randn(y.shape, dtype=torch.float64, generator=_generator())
    d, vjp = bound.given.plain.with_vjp(y, torch.tensor(0.7, dtype=torch.float64))
    product = vjp(v)
    assert (counted.evaluations.rows, counted.evaluations.vjp_rows) == (70, 70)
    leaf = y.clone().requires_grad_(True)
    whole = bound.given.plain(leaf, torch.tensor(0.7, dtype=torch.float64))
    (expected,) = torch.autograd.grad(whole, leaf, v)
    torch.testing.assert_close(product, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(d, whole.detach(), rtol=0, atol=0)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_nobody_reaches_past_the_counter() -> None:
    counted = CountedDenoiser(guide(posed_model(), Plain(), Posed(), torch.float64).denoiser)
    bound: Any = counted.of_samples(0, 0, 4, torch.device("cpu"))
    y = torch.zeros(4, *posed_model().shape, dtype=torch.float64)
    bound.given.plain.network(y, torch.tensor(1.0), torch.zeros(4, dtype=torch.int64))
    assert counted.evaluations.rows == 4


@pytest.mark.parametrize(
    ("needs", "posed", "reason"),
    [
        ("observation", Posed(observed=False), "an observation is needed"),
        ("labels", None, "needs classes"),
        ("posterior", Posed(), "closed form of the posterior"),
    ],
)
def test_what_is_not_given_is_named(needs: str, posed: Posed | None, reason: str) -> None:
    model = posed_model()
    if needs == "labels":
        model = replace(model, denoiser=lambda y, s: y, weak=None)
    counted = CountedDenoiser(guide(model, Plain(), posed, torch.float64).denoiser)
    bound: Any = counted.of_samples(0, 0, 4, torch.device("cpu"))
    with pytest.raises(UnsupportedError, match=reason):
        getattr(bound.given, needs)


def test_classes_that_nobody_uses_are_refused() -> None:
    model = replace(posed_model(), denoiser=lambda y, s: y, weak=None)
    counted = CountedDenoiser(guide(model, Plain(), Posed(), torch.float64).denoiser)
    with pytest.raises(UnsupportedError, match="asks for classes, which neither"):
        counted.of_samples(0, 0, 4, torch.device("cpu"))


def test_a_likelihood_of_a_guided_model_is_refused() -> None:
    counted = CountedDenoiser(guide(posed_model(), Plain(), Posed(), torch.float64).denoiser)
    with pytest.raises(UnsupportedError, match="another one for each sample"):
        counted(torch.zeros(2, *posed_model().shape), torch.tensor(1.0))
