"""A function of somebody's that chooses its own steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.api import AdaptivePredictor, Problem, Time, paper, require
from bench_plugins.foreign.code import Code
from bench_plugins.foreign.function import Function
from bench_plugins.foreign.increments import Correlation
from bench_plugins.foreign.options import Options
from bench_plugins.foreign.signatures.base import Signature
from bench_plugins.foreign.signatures.k_range import KTolerance


@dataclass(frozen=True)
class ToleranceFunction(Function):
    """A function that takes a tolerance in the place of a number of steps.

    Attributes:
        rtol: its relative tolerance.
    """

    rtol: float = 0.05

    @property
    def _signature(self) -> Signature:
        return KTolerance(self.rtol).of(Code.load(self.call))


@dataclass(frozen=True)
class AdaptiveFunction(AdaptivePredictor):
    """A function of k-diffusion's signature that chooses its steps by a tolerance.

    It is called as f(model, x, sigma_min, sigma_max, rtol=..., ...) on the range of the cell, as
    k-diffusion's `sample_dpm_adaptive`, and ends at sigma_min, where the host denoises. Everything
    else is as for `function`: its evaluations are counted, its noise is the samples' own, and
    whether it is stochastic and whether a sample depends on its batch is measured, at this
    tolerance. By one error norm of a batch it does: it then runs by shards, and a sample's NFE is
    its shard's.

    Attributes:
        call: `package.module:name` of the function. It is imported and run: code that you trust.
            By default an example, Heun's method with Euler's.
        rtol: relative tolerance. An absolute one is the function's own default, or in ``params``.
        params: its own keyword arguments.
        noise: of k_diffusion's `noise_sampler(sigma, sigma_next)`, where intervals overlap:
            increments of one Brownian path in sigma, or independent; by default that is refused.
        order: the order of convergence that its authors claim.
    """

    name: ClassVar[str] = "adaptive_function"
    reference: ClassVar[str] = (
        "your own function; Karras et al. 2022, arXiv:2206.00364, Eq. 1 and Algorithm 1"
    )
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    imports_code: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    call: str = "bench_plugins.foreign.example:adaptive_heun"
    rtol: float = 0.05
    params: Mapping[str, Any] = Options()
    noise: Correlation | None = None
    order: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", Options(self.params))
        require(self.rtol > 0, "rtol must be > 0")
        assert self._function  # its parameters are checked as it is made

    @property
    def _function(self) -> ToleranceFunction:
        return ToleranceFunction(
            self.call, "k_diffusion", self.params, None, self.noise, self.order, self.rtol
        )

    @property
    def stochastic(self) -> bool:  # type: ignore[override]  # measured
        """True if its samples depend on its own noise."""
        return self._function.stochastic

    @property
    def batch_coupled(self) -> bool:  # type: ignore[override]  # measured
        """True if its samples depend on each other."""
        return self._function.batch_coupled

    def fingerprint(self) -> str:
        """All code of the function: an edit of it is another sampler."""
        return self._function.fingerprint()

    def note(self) -> str:
        return self._function.note()

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x at ``times[-1]`` from ``x`` at ``times[0]``.

        Raises:
            UnsupportedError: something of the cell cannot be honoured.
            BenchError: the function fails, or does what its signature does not allow.
        """
        return self._function.trace(problem, x, times)[1]
