"""A toy data set and a toy network, on which a training takes a fraction of a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench_plugins.edm.process import EDM
from bench_plugins.models.networks.files import build_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning
from bench_train.config import TrainConfig
from bench_train.data import TrainingData
from bench_train.losses import ScoreMatching
from bench_train.schedule import WarmupStableDecay
from bench_train.times import LogUniform
from bench_train.weightings import Edm

TINY = MLPConfig(sample=(1, 4, 4), width=8, blocks=1, embedding=8, features=4)


@pytest.fixture
def data() -> TrainingData:
    """Fifty copies of one of two patterns."""
    generator = torch.Generator().manual_seed(5)
    patterns = torch.randint(0, 8, (2, 1, 4, 4), generator=generator, dtype=torch.uint8)
    samples = patterns[torch.arange(50) % 2]
    return TrainingData("toy", samples, 8, "none")


@pytest.fixture
def config() -> TrainConfig:
    objective = ScoreMatching(EDM(), LogUniform(), Edm(0.5))
    schedule = WarmupStableDecay(warmup=20, decay=0.5)
    return TrainConfig(objective, images=160, batch=16, learning_rate=1e-2, schedule=schedule)


@pytest.fixture
def denoiser() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_network(TINY, Preconditioning(0.6, -0.1))


@pytest.fixture
def array_path(tmp_path: Path) -> Path:
    """A labelled .npz data set of 4x4 images."""
    rng = np.random.default_rng(0)
    path = tmp_path / "toy.npz"
    np.savez(
        path,
        x_train=rng.integers(0, 8, (40, 4, 4), dtype=np.uint8),
        x_test=rng.integers(0, 8, (10, 4, 4), dtype=np.uint8),
        y_train=np.arange(40) % 10,
        y_test=np.arange(10),
    )
    return path
