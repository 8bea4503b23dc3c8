"""Claims `twin` as a predictor: solvers of both kinds share their names."""

from dataclasses import dataclass

from bench.api import Predictor, hookimpl


@dataclass(frozen=True)
class Twin(Predictor):
    name, reference, order = "twin", "nobody", 1

    def step(self, problem, x, now, then, state):
        return problem.denoise(x, now), None


@hookimpl
def bench_predictors():
    return [Twin]
