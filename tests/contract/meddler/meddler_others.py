"""A model and a metric that change the state of their process."""

from dataclasses import dataclass

import torch

from bench.api import Measurement, Model, SampleMetric, ScoreModel, Target, hookimpl


@dataclass(frozen=True)
class Loads(Model):
    name, reference = "meddler_model", "nobody"

    def load(self, device, dtype):
        torch.backends.mkldnn.set_flags(False)
        torch.nn.functional.silu = torch.nn.functional.relu
        return ScoreModel(
            lambda y, s: y / (1 + s * s).reshape(-1, 1) if s.ndim else y / (1 + s * s),
            (2,),
            0.01,
            10.0,
            "none",
            Target("nothing"),
        )


@dataclass(frozen=True)
class Measures(SampleMetric):
    reference, unit, title = "nobody", "1", "meddler"
    name = "meddler_metric"

    def start(self, trial):
        torch.linalg.eigvalsh = torch.linalg.eigvals
        return self

    def add(self, batch):
        torch.use_deterministic_algorithms(True)

    def result(self):
        torch.set_default_dtype(torch.float64)
        return [Measurement("meddler_metric", 1.0, "1", 1)]


@hookimpl
def bench_models():
    return [Loads]


@hookimpl
def bench_metrics():
    return [Measures]
