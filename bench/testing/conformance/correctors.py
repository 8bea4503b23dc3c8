"""Checks of correctors."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.core.model import CountedDenoiser
from bench.core.noise import NoiseStream
from bench.core.problem import Problem
from bench.core.solver import Corrector
from bench.testing.conformance.device import demand_any_device
from bench.testing.conformance.finding import demand
from bench.testing.conformance.laboratory import SHAPE, Witness, denoise
from bench.testing.conformance.randomness import demand_own_randomness
from bench.testing.plugins import process_of

MEAN, VARIANCE = 0.7, 0.3


def _gaussian(y: Tensor, s: Tensor) -> Tensor:
    return MEAN + VARIANCE / (VARIANCE + s * s) * (y - MEAN)


def _noise(count: int, dtype: torch.dtype = torch.float64) -> NoiseStream:
    return NoiseStream(0, "sampler", 0, count, SHAPE, dtype)


def _correct(corrector: Corrector, count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    process = process_of("vp")
    now = process.at_s(1.0)
    x = NoiseStream(0, "prior", 0, count, SHAPE, dtype).normal()
    with torch.no_grad():
        problem = Problem(process, CountedDenoiser(denoise), _noise(count, dtype))
        return corrector.correct(problem, x, now)


def cost_is_honest(corrector: Corrector) -> None:
    """Measured network evaluations of a call are the declared ones."""
    witness, process = Witness(), process_of("vp")
    counted = CountedDenoiser(witness)
    problem = Problem(process, counted, _noise(5))
    corrector.correct(problem, torch.zeros(5, *SHAPE, dtype=torch.float64), process.at_s(1.0))
    demand(
        witness.rows == counted.evaluations.rows,
        "every evaluation goes through `problem`",
        f"{witness.rows} rows reached the network, {counted.evaluations.rows} were counted",
        "call problem.denoise, score or eps; never a network behind them",
    )
    demand(
        witness.rows / 5 == corrector.cost(),
        f"cost() = {corrector.cost()} network evaluations a sample",
        f"{witness.rows / 5:g}",
        "make `cost()` return what one call evaluates",
    )


def batch_does_not_matter(corrector: Corrector) -> None:
    """A sample is the same among four and among 128."""
    many, few = _correct(corrector, 128), _correct(corrector, 4)
    gap = float((many[:4] - few).abs().max())
    demand(
        gap <= 1e-8 * float(many.abs().max()),
        "samples do not depend on their batch",
        f"the same samples differ by {gap:.1e} in batches of 128 and 4",
        "take norms and step sizes per sample (dim 1 and up)",
    )


def precision_does_not_matter(corrector: Corrector) -> None:
    """float32 and float64 give the same samples, each in its own dtype."""
    double, single = _correct(corrector, 8), _correct(corrector, 8, torch.float32)
    gap = float((double - single.double()).abs().max())
    demand(
        single.dtype == torch.float32 and gap < 1e-3,
        "float32 agrees with float64 and stays float32",
        f"{single.dtype} and a difference of {gap:.1e}",
        "compute with the dtype of x, and schedules from `now`",
    )


def randomness_is_its_own(corrector: Corrector) -> None:
    """No global random state is touched; the same seed gives the same samples."""
    demand_own_randomness(lambda: _correct(corrector, 8), "")


def input_is_left_alone(corrector: Corrector) -> None:
    """``x`` is not modified in place."""
    process = process_of("vp")
    x = NoiseStream(0, "prior", 0, 8, SHAPE, torch.float64).normal()
    copy = x.clone()
    problem = Problem(process, CountedDenoiser(denoise), _noise(8))
    result = corrector.correct(problem, x, process.at_s(1.0))
    demand(
        torch.equal(x, copy) and result.shape == x.shape,
        "`x` is as it was, and the result has its shape",
        f"modified: {not torch.equal(x, copy)}, shape {tuple(result.shape)}",
        "write into new tensors, or clone first",
    )


def distribution_is_kept(corrector: Corrector) -> None:
    """Twenty calls leave a Gaussian marginal nearly as it was, at three noise levels."""
    process = process_of("vp")
    for s in (0.3, 1.0, 5.0):
        now = process.at_s(s)
        spread = now.alpha**2 * VARIANCE + now.sigma**2
        noise = _noise(256)
        problem = Problem(process, CountedDenoiser(_gaussian), noise)
        x = now.alpha * MEAN + spread**0.5 * noise.normal()
        for _ in range(20):
            x = corrector.correct(problem, x, now)
        mean = float(x.mean()) - now.alpha * MEAN
        ratio = float((x - now.alpha * MEAN).square().mean()) / spread
        demand(
            abs(mean) < 0.1 * spread**0.5 and abs(ratio - 1) < 0.15,
            "the marginal p_t is (nearly) invariant",
            f"at s = {s:g} the mean moved by {mean / spread**0.5:.2g} standard deviations and the "
            f"variance is {ratio:.3f} of the exact one",
            "check the sign of the score and the size of the noise, sqrt(2 step)",
        )


def device_does_not_matter(corrector: Corrector) -> None:
    """Everything runs where ``x`` is, without waiting for it (tried on torch's meta device)."""
    now = process_of("vp").at_s(1.0)
    demand_any_device(lambda problem, x: corrector.correct(problem, x, now))
