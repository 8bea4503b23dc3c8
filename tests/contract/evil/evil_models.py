"""Models that cannot be loaded, or give nonsense."""

from dataclasses import dataclass

import torch

from bench.api import BenchError, Model, ScoreModel, Target, hookimpl


@dataclass(frozen=True)
class NoWeights(Model):
    name, reference = "evil_weights", "nobody"

    def load(self, device, dtype):
        raise BenchError("evil.bin: is missing; fetch it from nowhere")


@dataclass(frozen=True)
class NoFingerprint(Model):
    name, reference = "evil_fingerprint", "nobody"

    def fingerprint(self):
        raise ZeroDivisionError("no finger")

    def load(self, device, dtype):
        raise AssertionError


@dataclass(frozen=True)
class Nonsense(Model):
    name, reference = "evil_nonsense", "nobody"

    def load(self, device, dtype):
        return ScoreModel(
            lambda y, s: torch.full_like(y, float("inf")),
            (2,),
            0.01,
            10.0,
            "none",
            Target("nothing"),
        )


@hookimpl
def bench_models():
    return [NoWeights, NoFingerprint, Nonsense]
