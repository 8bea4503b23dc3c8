"""Solvers whose numbers look right: what the host survives and the conformance kit must catch."""

import random
from dataclasses import dataclass

import numpy as np
import torch

from bench.api import OdeSolver, combine, hookimpl


@dataclass(frozen=True)
class Subtle(OdeSolver):
    """DDIM, and a twist."""

    reference, order = "nobody", 1

    def step(self, problem, x, now, then, state):
        d, keep = self.look(problem, x, now), then.sigma / now.sigma
        return combine((keep, x), (then.alpha - keep * now.alpha, d)), None

    def look(self, problem, x, now):
        return problem.denoise(x, now)


@dataclass(frozen=True)
class Twice(Subtle):
    """Calls the network twice and declares it once."""

    name = "evil_twice"

    def look(self, problem, x, now):
        return 0.5 * (problem.denoise(x, now) + problem.denoise(x, now))


@dataclass(frozen=True)
class Joined(Subtle):
    """Concatenates two evaluations into one call."""

    name = "evil_joined"

    def look(self, problem, x, now):
        return problem.denoise(torch.cat([x, x]), now)[: len(x)]


@dataclass(frozen=True)
class Unwrapped(Subtle):
    """Calls what the counter wraps."""

    name = "evil_unwrapped"

    def look(self, problem, x, now):
        problem.model.network(x / now.alpha, torch.full((), now.s, dtype=x.dtype))
        return problem.denoise(x, now)


@dataclass(frozen=True)
class Unburied(Subtle):
    """Digs the bare network out of the counter."""

    name = "evil_unburied"

    def look(self, problem, x, now):
        cells = [c.cell_contents for c in problem.model.network.__closure__]
        (bare,) = [c for c in cells if callable(c)]
        bare(x / now.alpha, torch.full((), now.s, dtype=x.dtype))
        return problem.denoise(x, now)


@dataclass(frozen=True)
class Boastful(Subtle):
    """Has order 1 and claims 2."""

    name = "evil_boastful"
    order = 2


@dataclass(frozen=True)
class Crowd(Subtle):
    """Uses the mean of its batch."""

    name = "evil_crowd"

    def look(self, problem, x, now):
        return problem.denoise(x + 1e-4 * x.mean(0, keepdim=True), now)


@dataclass(frozen=True)
class Seeds(Subtle):
    """Seeds the global generators, as if they were its own."""

    name = "evil_seeds"

    def look(self, problem, x, now):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        return problem.denoise(x, now)


@dataclass(frozen=True)
class Draws(Subtle):
    """Draws from the global generator."""

    name = "evil_draws"

    def look(self, problem, x, now):
        return problem.denoise(x, now) + 1e-9 * torch.randn_like(x)


@dataclass(frozen=True)
class Overwrites(Subtle):
    """Writes into its input."""

    name = "evil_overwrites"

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), then.sigma / now.sigma
        return x.mul_(keep).add_(d, alpha=then.alpha - keep * now.alpha), None


@dataclass(frozen=True)
class Remembers(Subtle):
    """Keeps its state on the class: the second run starts where the first one ended."""

    name = "evil_remembers"
    memory = []  # noqa: RUF012

    def look(self, problem, x, now):
        self.memory.append(now)
        return problem.denoise(x, now) * (1 + 1e-6 * len(self.memory))


@dataclass(frozen=True)
class Narrow(Subtle):
    """Computes its coefficients in float32 on the default device, and reads them back."""

    name = "evil_narrow"

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), torch.tensor([then.sigma]) / torch.tensor([now.sigma])
        return (x * keep + d * (then.alpha - keep * now.alpha)).to(x.dtype), None


@dataclass(frozen=True)
class Unscaled(Subtle):
    """Forgets alpha: right under VE alone."""

    name = "evil_unscaled"

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), then.s / now.s
        return combine((keep, x), (1 - keep, d)), None


@dataclass(frozen=True)
class Prints(Subtle):
    """Prints 100 kB at every step."""

    name = "evil_prints"

    def look(self, problem, x, now):
        print("blah " * 20_000)
        return problem.denoise(x, now)


@dataclass(frozen=True)
class Divides(Subtle):
    """Divides by a parameter that nobody checked.

    Attributes:
        rho: not zero, one hopes.
    """

    name = "evil_divides"
    rho: float = 1.0

    def __post_init__(self):
        1 / self.rho


@dataclass(frozen=True)
class Unexplained(OdeSolver):
    name, reference, order = "evil_unexplained", "nobody", 1
    rho: float = 1.0

    def step(self, problem, x, now, then, state):
        keep = then.sigma / now.sigma
        return combine((keep, x), (then.alpha - keep * now.alpha, problem.denoise(x, now))), None


@hookimpl
def bench_ode_solvers():
    return [
        Twice,
        Joined,
        Unwrapped,
        Unburied,
        Boastful,
        Crowd,
        Seeds,
        Draws,
        Overwrites,
        Remembers,
        Narrow,
        Unscaled,
        Prints,
        Divides,
        Unexplained,
    ]
