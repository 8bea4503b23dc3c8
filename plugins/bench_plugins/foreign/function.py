"""A sampler that somebody wrote as a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Predictor,
    Problem,
    Time,
    UnsupportedError,
    code_identity,
    paper,
    require,
)
from bench_plugins.foreign import probe
from bench_plugins.foreign.code import Code
from bench_plugins.foreign.increments import Correlation
from bench_plugins.foreign.network import Network
from bench_plugins.foreign.noise import Noise
from bench_plugins.foreign.options import Options, is_plain
from bench_plugins.foreign.signatures import SIGNATURES, SignatureName
from bench_plugins.foreign.signatures.base import Call, Signature


@dataclass(frozen=True)
class Function(Predictor[None]):
    """A function of your own, or a library's, that runs a whole trajectory.

    It is called with the cell's model, start and grid, in the signature that it was written for
    (docs/foreign.md); what it would ignore is refused by name. Its evaluations are counted on a
    model that costs nothing, and so are those of a run; whether it is stochastic, and whether a
    sample depends on its batch (it then runs by shards), is measured there, too. Noise that it
    draws as its signature says, or by torch.randn_like, is the samples' own. It runs towards data
    alone, without correctors and without guidances that change the state between steps.

    Attributes:
        call: `package.module:name` of the function (dpm_solver: or a class). It is imported and
            run: code that you trust. By default an example, Euler's method.
        signature: k_diffusion, edm, dpm_solver or callable.
        params: its own keyword arguments.
        end: zero: it ends in x_0, with a final denoise of its own; s_min: at the last level, where
            the host denoises. By default as functions of the signature do: zero for k_diffusion and
            edm, s_min for callable and k_diffusion's without `sigmas`, after `denoise_to_zero` for
            dpm_solver.
        noise: of k_diffusion's `noise_sampler(sigma, sigma_next)`, where intervals overlap:
            increments of one Brownian path in sigma, or independent; by default that is refused.
        order: the order of convergence that its authors claim.
    """

    name: ClassVar[str] = "function"
    reference: ClassVar[str] = (
        "your own function; Karras et al. 2022, arXiv:2206.00364, Algorithm 1"
    )
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    imports_code: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    call: str = "bench_plugins.foreign.example:euler"
    signature: SignatureName = "callable"
    params: Mapping[str, Any] = Options()
    end: Literal["zero", "s_min"] | None = None
    noise: Correlation | None = None
    order: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", Options(self.params))
        module, colon, name = self.call.partition(":")
        dotted = all(part.isidentifier() for part in module.split("."))
        require(bool(colon) and dotted and name.isidentifier(), "call must be package.module:name")
        require(is_plain(self.params), "params must be finite numbers, strings, lists or mappings")
        require(1 <= self.order <= 20, "order must be from 1 to 20")
        require(
            self.noise is None or self.signature == "k_diffusion",
            f"signature {self.signature} has no noise_sampler to say `noise` of",
        )
        require(
            self.end is None
            or (self.end == "zero") in SIGNATURES[self.signature].ends(self.params),
            f"end {self.end} is not that of signature {self.signature} with these params",
        )

    @property
    def _signature(self) -> Signature:
        return SIGNATURES[self.signature].of(Code.load(self.call))

    @property
    def finishes(self) -> bool:  # type: ignore[override]  # a parameter decides it
        """True if the function ends in x_0."""
        return self.able_ends[0] if self.end is None else self.end == "zero"

    @property
    def able_ends(self) -> tuple[bool, ...]:
        """The values of `finishes` that its signature can honour, the usual first."""
        return self._signature.ends(self.params)

    @property
    def stochastic(self) -> bool:  # type: ignore[override]  # measured
        """True if its samples depend on its own noise."""
        return _nature(self).stochastic

    @property
    def batch_coupled(self) -> bool:  # type: ignore[override]  # measured
        """True if its samples depend on each other."""
        return _nature(self).coupled

    def fingerprint(self) -> str:
        """All code of the function: an edit of it is another sampler."""
        return code_identity(self.call.partition(":")[0])

    def cost(self, steps: int) -> int:
        """Evaluations as counted on a free model.

        Raises:
            UnsupportedError: fewer steps cost more, so that no budget sets their number.
        """
        count, before = _evaluations(self, steps), self._cost_below(steps)
        if before > count:
            raise UnsupportedError(
                f"function: '{self.call}' makes {before} evaluations in {steps - 1} steps and "
                f"{count} in {steps}; no budget could set its steps"
            )
        return count

    def _cost_below(self, steps: int) -> int:
        """Evaluations in one step less; 0 where that is too few for the function."""
        try:
            return _evaluations(self, steps - 1) if steps > 1 else 0
        except BenchError:
            return 0

    def note(self) -> str:
        end = "in x_0, by a denoise of its own" if self.finishes else "at s_min"
        coupled = "; its samples depend on their batch, a shard of 64" if self.batch_coupled else ""
        noise = "it draws noise" if self.stochastic else "it is deterministic"
        return f"'{self.call}' ends {end}; {noise}{coupled}{self._signature.remark}"

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        """Nothing can act between its steps; a path of one step is one all the same."""
        if self.finishes:
            raise UnsupportedError("function: its trajectory cannot be had step by step")
        return self.solve(problem, x, (now, then)), None

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x_0, or x at ``times[-1]`` from ``x`` at ``times[0]``.

        Raises:
            UnsupportedError: something of the cell cannot be honoured.
            BenchError: the function fails, or does what its signature does not allow.
        """
        call, end = self.trace(problem, x, times)
        self.accepts(call)
        count, declared = len(call.network.levels), self.cost(len(times) - 1)
        if count != declared:
            raise BenchError(
                f"function: '{self.call}' makes {count} evaluations here, and {declared} in as "
                "many steps on a free model; no budget could set a cost that samples decide"
            )
        return end

    def accepts(self, call: Call) -> None:
        """Refuse a grid that it did not follow in ``call``.

        Raises:
            UnsupportedError: it makes its own.
        """
        self._signature.check_levels(call)

    def trace(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> tuple[Call, Tensor]:
        """The call that was made, with all that was evaluated and drawn, and where it ended."""
        if times[-1].s > times[0].s:
            raise UnsupportedError("function: it runs from noise to data alone")
        if self.finishes not in self.able_ends:
            raise UnsupportedError(f"function: '{self.call}' goes to s_min, and has no end: zero")
        call = Call(
            Code.load(self.call),
            self.params,
            Network(self.call, problem, x, times, widens=self.signature == "edm"),
            Noise(self.call, problem, x),
            x / times[0].alpha,
            times,
            self.finishes,
            problem.process,
            self.noise,
        )
        with call.noise.serve():
            end = self._signature.run(call)
        self._check(end, x)
        return call, end if self.finishes else end * times[-1].alpha

    def _check(self, end: object, x: Tensor) -> None:
        if not isinstance(end, Tensor):
            raise BenchError(f"function: '{self.call}' returns a {type(end).__name__}, no tensor")
        for what, seen, wanted in (
            ("shape", tuple(end.shape), tuple(x.shape)),
            ("dtype", end.dtype, x.dtype),
            ("device", end.device, x.device),
        ):
            if seen != wanted:
                raise BenchError(
                    f"function: '{self.call}' returns samples of {what} {seen}, not {wanted}"
                )


@lru_cache(maxsize=4096)
def _evaluations(function: Function, steps: int) -> int:
    return probe.evaluations(_bare(function), steps)


@lru_cache(maxsize=256)
def _nature(function: Function) -> probe.Nature:
    return probe.nature(_bare(function))


def _bare(function: Function) -> probe.Run:
    """A run of it without the checks of its cost and grid."""

    def run(problem: Problem, x: Tensor, times: tuple[Time, ...]) -> Tensor:
        with torch.no_grad():
            end = function.trace(problem, x, times)[1]
        if not bool(torch.isfinite(end).all()):
            raise BenchError(f"function: '{function.call}' gives values that are not finite")
        return end

    return run
