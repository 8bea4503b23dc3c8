"""Small inverse problems, and the methods on them, for the laws of the family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    Given,
    Guidance,
    InverseProblem,
    LinearOperator,
    NoiseStream,
    Observation,
    Operator,
    Problem,
    RowNetwork,
    Sampler,
    ScoreModel,
    Target,
    Task,
    Time,
    generate,
    guide,
)
from bench.core.evaluations import Evaluations
from bench.core.guidance import NoGuidance
from bench.core.guided import BoundGuidance
from bench.core.rows import with_counter
from bench.registry import Kind, build, load_registry
from bench.testing.plugins import grid_of, process_of

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Dense(LinearOperator):
    """U diag(values) V^T by its V and values."""

    v: Tensor
    values: Tensor

    def coefficients(self, x: Tensor) -> Tensor:
        return x @ self.v

    def image(self, coefficients: Tensor) -> Tensor:
        return coefficients @ self.v.T


class Squares(Operator):
    """x^2, entry by entry: no linear operator."""

    def __call__(self, x: Tensor) -> Tensor:
        return x.square()


def dense(shape: tuple[int, ...], dtype: torch.dtype) -> Dense:
    """Two directions of a random basis, with singular values 1 and 0.4."""
    generator = torch.Generator().manual_seed(3)
    basis, _ = torch.linalg.qr(
        torch.randn(shape[0], shape[0], generator=generator, dtype=torch.float64)
    )
    return Dense(basis[:, :2].to(dtype), torch.tensor([1.0, 0.4], dtype=dtype))


@dataclass(frozen=True)
class DenseTask(InverseProblem):
    """A random linear operator."""

    name = "dense"
    reference = "none"

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        return dense(shape, dtype)


@dataclass(frozen=True)
class SquaresTask(InverseProblem):
    """A task that is not linear."""

    name = "squares"
    reference = "none"

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        return Squares()


def guidance_of(name: str, **parameters: object) -> Guidance[Any]:
    """The guidance ``name``."""
    return cast(Any, build(load_registry().get(name, Kind.GUIDANCE).cls, parameters))


def inpainting(**parameters: object) -> Task:
    """The second half of the entries hidden."""
    return cast(Task, build(load_registry().get("inpainting", Kind.TASK).cls, parameters))


def given_of(
    denoiser: Callable[[Tensor, Tensor], Tensor], observation: Observation, seed: int = 0
) -> Given:
    """All that a guidance may use, of a denoiser and an observation of samples of dimension d."""
    evaluations = Evaluations()
    network = RowNetwork(with_counter(denoiser, evaluations), (), evaluations, 64)
    n = len(observation.value)
    noise = NoiseStream(seed, "guidance", 0, n, (4,), observation.value.dtype)
    return Given({"plain": network}, None, observation, None, noise)


def problem_of(
    denoiser: Callable[[Tensor, Tensor], Tensor], observation: Observation, noise: Any
) -> Problem:
    """The problem of a stepper that observes."""
    bound = BoundGuidance(given_of(denoiser, observation), NoGuidance(), None)
    return Problem(process_of("vp"), bound, noise)


@dataclass(frozen=True)
class Gaussian:
    """N(mean, covariance), and its denoiser by the textbook's formula."""

    mean: Tensor
    covariance: Tensor

    def gain(self, s: float) -> Tensor:
        """C (C + s^2 I)^-1."""
        eye = torch.eye(len(self.mean), dtype=self.mean.dtype)
        return self.covariance @ torch.linalg.inv(self.covariance + s**2 * eye)

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        eye = torch.eye(len(self.mean), dtype=self.mean.dtype)
        level = s.reshape(-1, 1, 1).square() * eye
        solved = torch.linalg.solve(
            (self.covariance + level).to(y), (y - self.mean.to(y))[..., None]
        )
        return self.mean.to(y) + (self.covariance.to(y) @ solved)[..., 0]

    def sample(self, count: int, seed: int) -> Tensor:
        z = NoiseStream(seed, "exact", 0, count, (len(self.mean),), torch.float64).normal()
        return self.mean + z @ torch.linalg.cholesky(self.covariance).T

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        raise NotImplementedError

    @property
    def model(self) -> ScoreModel:
        """It as a loaded model."""
        target = Target("gaussian", self)
        return ScoreModel(self.denoise, (len(self.mean),), 0.002, 80.0, "x", target)


def correlated() -> Gaussian:
    """A Gaussian of dimension 4 whose entries know of each other."""
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(4, 4, generator=generator, dtype=torch.float64) / 2
    mean = torch.tensor([0.5, -1.0, 0.2, 1.5], dtype=torch.float64)
    return Gaussian(mean, root @ root.T + 0.05 * torch.eye(4, dtype=torch.float64))


@dataclass(frozen=True)
class Setting:
    """A run: samples, batches, grid, precision."""

    samples: int = 8
    batch: int = 64
    steps: int = 8
    seed: int = 0
    process: str = "vp"
    dtype: torch.dtype = torch.float64
    s_min: float = 0.002
    s_max: float = 80.0
    finish: bool = True

    def times(self) -> tuple[Time, ...]:
        process = process_of(self.process)
        low, high = process.s_range
        span = max(self.s_min, low), min(self.s_max, high)
        return tuple(grid_of("karras").times(process, self.steps, *span))

    def run(
        self, model: ScoreModel, task: Task, stepper: Any, guidance: Guidance[Any] | None = None
    ) -> SimpleNamespace:
        """The samples ``x``, what was observed of them, passes measured and declared."""
        questions = task.pose(model, CPU, self.dtype)
        guided = guide(model, guidance, questions, self.dtype)
        sampler = Sampler(stepper, None, self.finish, price=guided.price)
        counted = CountedDenoiser(guided.denoiser)
        draw = Draw(self.seed, self.samples, self.batch, model.shape, self.dtype)
        with torch.no_grad():
            batches = generate(process_of(self.process), counted, sampler, self.times(), draw)
            x = torch.cat([batch.x for batch in batches])
        question = questions.of_samples(self.seed, 0, self.samples)
        spent = counted.evaluations
        return SimpleNamespace(
            x=x,
            observation=question.observation,
            passes=(spent.nfe(self.samples), spent.vjps(self.samples)),
            declared=sampler.cost(self.steps),
            start=draw.prior(self.times()[0], 0, self.samples),
        )


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """Problems, methods and runs."""
    return SimpleNamespace(
        Dense=Dense,
        DenseTask=DenseTask,
        Gaussian=Gaussian,
        Setting=Setting,
        Squares=Squares,
        SquaresTask=SquaresTask,
        correlated=correlated,
        dense=dense,
        given_of=given_of,
        guidance_of=guidance_of,
        inpainting=inpainting,
        problem_of=problem_of,
    )
