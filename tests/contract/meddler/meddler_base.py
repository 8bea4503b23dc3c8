"""DDIM with some mischief at a place of one's choice."""

from dataclasses import dataclass

from bench.api import OdeSolver, combine


@dataclass(frozen=True)
class Meddler(OdeSolver):
    """DDIM, and `meddle` before its first step."""

    reference, order = "nobody", 1

    def start(self, times):
        self.meddle()

    def meddle(self):
        """Change something."""

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), then.sigma / now.sigma
        return combine((keep, x), (then.alpha - keep * now.alpha, d)), None


@dataclass(frozen=True)
class InStep(Meddler):
    """DDIM, and `meddle` after each step."""

    def start(self, times):
        return None

    def step(self, problem, x, now, then, state):
        result = super().step(problem, x, now, then, state)
        self.meddle()
        return result
