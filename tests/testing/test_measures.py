"""What plugin authors measure with: it must tell right from wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from bench.api import OdeSolver, Problem, Time
from bench.registry import Kind, load_registry
from bench.testing import LineMixture, convergence_slope, measured_nfe, measured_order


@pytest.fixture
def ddim() -> OdeSolver[Any]:
    """A solver of order 1."""
    solver = load_registry().get("ddim", Kind.ODE_SOLVER).cls()
    assert isinstance(solver, OdeSolver)
    return solver


@dataclass(frozen=True)
class Wasteful(OdeSolver[None]):
    """Claims order 2 and one evaluation per step; has order 1 and two."""

    name: ClassVar[str] = "wasteful"
    reference: ClassVar[str] = "none"
    order: ClassVar[int] = 2

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        problem.denoise(x, now)
        return x + (then.t - now.t) * problem.velocity(x, now), None


def test_a_false_claim_shows() -> None:
    assert measured_order(Wasteful()) == pytest.approx(1, abs=0.1)
    assert measured_nfe(Wasteful(), steps=10) == 20 != Wasteful().cost(10)


def test_a_true_claim_holds(ddim: OdeSolver[Any]) -> None:
    assert measured_order(ddim) == pytest.approx(1, abs=0.1)
    assert measured_order(ddim, "rectified_flow", "log_snr") == pytest.approx(1, abs=0.1)
    assert measured_nfe(ddim, steps=10) == 10


def test_slopes_of_powers() -> None:
    steps = [10, 20, 40]
    assert convergence_slope(steps, [n**-2.5 for n in steps]) == pytest.approx(2.5)


@pytest.mark.parametrize("s", [0.05, 1.0, 20.0])
def test_the_line_has_the_distribution_of_its_components(s: float) -> None:
    line = LineMixture()
    y = torch.linspace(-30, 30, 13, dtype=torch.float64)[:, None]
    terms = zip(line.weights, line.means, line.stds, strict=True)
    exact = sum(w * norm.cdf(y.numpy(), m, (c * c + s * s) ** 0.5) for w, m, c in terms)
    torch.testing.assert_close(line.cdf(y, s), torch.from_numpy(exact), rtol=0, atol=1e-14)


@pytest.mark.parametrize("s", [0.05, 20.0])
def test_quantiles_invert_the_distribution(s: float) -> None:
    line = LineMixture()
    u = torch.linspace(0.01, 0.99, 21, dtype=torch.float64)[:, None]
    torch.testing.assert_close(line.cdf(line.quantile(u, s), s), u, rtol=0, atol=1e-13)


@pytest.mark.parametrize("s", [0.1, 1.0, 10.0])
def test_the_denoiser_obeys_tweedie(s: float) -> None:
    """D = y + s^2 (ln p)', with p the derivative of the distribution function."""
    line = LineMixture()
    y = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None].requires_grad_(True)
    (density,) = torch.autograd.grad(line.cdf(y, s).sum(), y, create_graph=True)
    (slope,) = torch.autograd.grad(density.log().sum(), y)
    level = torch.tensor(s, dtype=torch.float64)
    torch.testing.assert_close(line.denoise(y, level), y + s * s * slope, rtol=1e-9, atol=1e-9)
