"""The variational bound of the ancestral chain, beside the likelihood of the ODE."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    DiscreteData,
    Draw,
    Measurement,
    NoiseStream,
    Role,
    SolverMetric,
    Time,
    Trial,
    UnsupportedError,
    paper,
    require,
)
from bench_plugins.metrics.loglik import data_draw, summarise, with_role

_CHAIN = "ancestral"
"""The solver whose chain has this bound."""


@dataclass(frozen=True)
class Elbo(SolverMetric):
    """Variational bound on the negative log-likelihood, by the cell's own ancestral chain.

    The chain runs down the cell's grid s_N = s_max > ... > s_0 = s_min with the Gaussian
    posterior q(y_then | y_now, x_0 = D), y = x / alpha, and ends with the decoder N(D, s_min^2 I),
    the final denoise. Its bound is, with noise of its own at every level,

        KL(N(x, s_max^2 I) | N(0, s_max^2 I))
        + sum 1/2 (1 / s_then^2 - 1 / s_now^2) E |x - D(y_now; s_now)|^2
        + E[-log N(x; D(y_0; s_0), s_0^2 I)].

    For a closed form ``elbo_nats`` is that of exact samples, beside ``elbo_exact_nats``, their
    exact value, and ``elbo_gap_nats``, the distance of the two: its expectation is a divergence of
    paths, so it is negative by chance alone. For held-out integers ``elbo_bpd`` is that of the
    same dequantised points as ``nll_bpd``, in bits: Eq. 13's decoder of integers is for networks
    that were trained on integers. Every other solver is refused: it has no such bound.

    Attributes:
        points: data points (of held-out ones, or as many as there are).
        draws: independent noises of each point at every level, over which terms are averaged.
    """

    name: ClassVar[str] = "elbo"
    reference: ClassVar[str] = "Ho et al. 2020, arXiv:2006.11239, Eq. 5"
    bibtex: ClassVar[str] = paper("ho2020denoising")
    unit: ClassVar[str] = "nats/dim"
    title: ClassVar[str] = "variational bound"

    points: int = 256
    draws: int = 1

    def __post_init__(self) -> None:
        require(self.points >= 1, "points must be >= 1")
        require(self.draws >= 1, "draws must be >= 1")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        chain = _Chain.of(trial, self.draws)
        if trial.model.target.exact is not None:
            return _closed_form(chain, trial, self.points)
        if trial.model.target.discrete is not None:
            return [_held_out(chain, trial.model.target.discrete, trial.draw, self.points)]
        raise UnsupportedError("elbo needs a closed-form density or held-out integer data")


def _closed_form(chain: _Chain, trial: Trial, points: int) -> Sequence[Measurement]:
    exact = trial.model.target.exact
    assert exact is not None
    draw = data_draw(trial.draw, points)
    data = exact.sample(points, draw.seed)
    try:
        truth = exact.log_prob(data, 0.0) / -draw.dimension
    except (ValueError, ZeroDivisionError):  # as of the empirical distribution
        raise UnsupportedError("elbo needs a density at s = 0; this model has none") from None
    nats = chain.bound(data, draw) / draw.dimension
    digest = hashlib.sha256(data.numpy().tobytes()).hexdigest()
    numbers = (
        (summarise("elbo_nats", Elbo.unit, nats, digest, chain.counted), Role.DIAGNOSTIC, ""),
        (summarise("elbo_gap_nats", Elbo.unit, nats - truth, digest), Role.DIAGNOSTIC, "elbo_nats"),
        (summarise("elbo_exact_nats", Elbo.unit, truth, digest), Role.EXACT, "elbo_nats"),
    )
    return [with_role(*number) for number in numbers]


def _held_out(chain: _Chain, discrete: DiscreteData, draw: Draw, points: int) -> Measurement:
    data = discrete.held_out()[:points]
    own = data_draw(draw, len(data))
    noise = NoiseStream(own.seed, "dequantise", 0, len(data), own.shape, own.dtype, own.device)
    nats = chain.bound(discrete.dequantise(data, noise).double(), own)
    # x = k 2/levels - 1: the density of the levels themselves is narrower by 2/levels.
    bits = nats / (own.dimension * math.log(2)) + math.log2(discrete.levels / 2)
    digest = hashlib.sha256(data.numpy().tobytes()).hexdigest()
    number = summarise("elbo_bpd", "bits/dim", bits, digest, chain.counted)
    return with_role(number, Role.DIAGNOSTIC)


@dataclass(frozen=True)
class _Chain:
    """The ancestral chain of a cell, and how often each term of its bound is drawn.

    Attributes:
        widened: it takes the forward step's variance in place of the posterior's.
    """

    counted: CountedDenoiser
    times: tuple[Time, ...]
    widened: bool
    draws: int

    @staticmethod
    def of(trial: Trial, draws: int) -> _Chain:
        """The chain that drew the samples.

        Raises:
            UnsupportedError: it is no ancestral one, has no decoder, or leaves out a part.
        """
        trial.refuse_denoising("elbo")
        stepper, times = trial.sampler.stepper, tuple(trial.times)
        if stepper.name != _CHAIN or trial.sampler.corrector is not None:
            found = f"{stepper.name} with a corrector" if trial.sampler.corrector else stepper.name
            raise UnsupportedError(
                f"elbo is the bound of the solver '{_CHAIN}' alone; {found} has no such bound"
            )
        if not trial.sampler.finish:
            raise UnsupportedError("elbo's decoder is the final denoise; set `finish: denoise`")
        ends = times[-1].s, times[0].s
        if not all(math.isclose(s, t, rel_tol=1e-6) for s, t in zip(ends, trial.span, strict=True)):
            raise UnsupportedError(
                f"elbo needs a grid from s = {trial.span[1]:g} to {trial.span[0]:g}; this one "
                f"goes from {ends[1]:g} to {ends[0]:g}"
            )
        widened = bool(getattr(stepper, "forward_variance", False))
        return _Chain(CountedDenoiser(trial.model.denoiser), times, widened, draws)

    def bound(self, x: Tensor, draw: Draw) -> Tensor:
        """The bound on -log p of each data point in nats, shape (n,), float64 on the CPU.

        Args:
            x: data points, float64, (n, *shape).
            draw: their seed, batches, and dtype and device of the network.
        """
        x, parts = x.to(draw.device), []
        for first, count in draw.slices():
            noise = NoiseStream(draw.seed, "probe", first, count, draw.shape, x.dtype, draw.device)
            rows = x[first : first + count]
            each = [self._terms(rows, noise, draw.dtype) for _ in range(self.draws)]
            parts.append(torch.stack(each).mean(0))
        return torch.cat(parts).cpu()

    def _terms(self, x: Tensor, noise: NoiseStream, dtype: torch.dtype) -> Tensor:
        """All terms for one noise at every level, shape (n,)."""
        dimension, end = x[0].numel(), self.times[-1]
        total = x.flatten(1).square().sum(1) / (2 * self.times[0].s ** 2)
        for now, then in pairwise(self.times):
            weight = (now.s - then.s) * (now.s + then.s) / (2 * now.s**2 * then.s**2)
            # The posterior's variance over the chain's: (sigma_then / sigma_now)^2 where widened.
            ratio = (then.sigma / now.sigma) ** 2 if self.widened else 1.0
            total += 0.5 * dimension * (ratio - 1 - math.log(ratio))
            total += ratio * weight * self._square(x, now.s, noise, dtype)
        decoder = dimension * math.log(end.s * math.sqrt(2 * math.pi))
        return total + self._square(x, end.s, noise, dtype) / (2 * end.s**2) + decoder

    def _square(self, x: Tensor, s: float, noise: NoiseStream, dtype: torch.dtype) -> Tensor:
        """|x - D(x + s eps; s)|^2, shape (n,)."""
        y = (x + s * noise.normal()).to(dtype)
        d = self.counted(y, torch.full((), s, dtype=dtype, device=y.device))
        return (x - d).flatten(1).square().sum(1)
