"""Trainings on exact samples of closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.api import BenchError, Model, read_weights, write_weights
from bench_plugins.models.mixture import GaussianMixture, RandomMixture
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.pretrained import MixtureMlp, RandomMixtureMlp, Trained
from bench_plugins.models.training import SmallNetwork, SmallUnet
from bench_train.exact import exact_samples
from bench_train.job import Job
from bench_train.options.computation import ComputationOptions
from bench_train.options.data import DataOptions, OutputOptions
from bench_train.settings import Settings
from bench_train.sources import read_data

CPU = torch.device("cpu")
EXACT: dict[str, Model] = {"mixture_mlp": GaussianMixture(), "random_mixture_mlp": RandomMixture()}
SHORT = Settings(images=4000, batch=500, warmup=500)


def test_samples_are_the_models_own() -> None:
    split = exact_samples("gaussian_mixture")
    assert (split.name, split.levels) == ("gaussian_mixture", 0)
    assert split.train.samples.shape == (200_000, 2)
    assert split.train.samples.dtype is torch.float32
    exact = GaussianMixture().load(CPU, torch.float64).target.exact
    assert exact is not None
    assert torch.equal(split.train.samples, exact.sample(200_000, 1).float())
    assert not torch.equal(split.test.samples, split.train.samples[:10_000])
    mean, std = split.training.moments()
    assert mean == pytest.approx(float(split.train.samples.double().mean()))
    assert std == pytest.approx(float(split.train.samples.double().std()), rel=1e-4)


def _job(out: Path, data: str, settings: Settings = SHORT) -> Job:
    return Job(settings, ComputationOptions(), 0, DataOptions(data), OutputOptions(out), "by hand")


def test_the_trained_model_knows_its_exact_target(tmp_path: Path) -> None:
    data = "model:{name: gaussian_mixture, stds: [0.3, 0.3, 0.2]}"
    _job(tmp_path, data).run(False, 60.0)
    path = tmp_path / "weights.safetensors"
    model = Trained(str(path)).load(CPU, torch.float64)
    assert model.shape == (2,)
    assert model.target.data == "gaussian_mixture"
    assert model.target.discrete is None
    stated = GaussianMixture(stds=(0.3, 0.3, 0.2)).load(CPU, torch.float64).target.exact
    y = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert model.target.exact is not None
    assert stated is not None
    assert torch.equal(model.target.exact.log_prob(y, 0.4), stated.log_prob(y, 0.4))
    file = read_weights(path)
    record = {**file.record, "recipe": {}}
    write_weights(path, file.tensors, record)
    with pytest.raises(BenchError, match="names no model that its data were drawn from"):
        Trained(str(path)).load(CPU, torch.float64)


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="unknown model 'gaussian_mixtur'"):
        read_data(DataOptions("model:gaussian_mixtur"))
    with pytest.raises(BenchError, match="'empirical' has no closed form of real numbers"):
        read_data(DataOptions("model:empirical"))
    with pytest.raises(BenchError, match="--name and --licence: 'model:gaussian_mixture'"):
        read_data(DataOptions("model:gaussian_mixture", name="mine"))
    with pytest.raises(BenchError, match="--flips: data 'gaussian_mixture' are no images"):
        _job(tmp_path, "model:gaussian_mixture", replace(SHORT, flips=True)).run(False, 60.0)
    with pytest.raises(BenchError, match=r"\(2,\) are no images; pass --network mlp"):
        SmallUnet().sizes((2,))
    assert isinstance(SmallNetwork().sizes((2,)), MLPConfig)


@pytest.mark.parametrize("plugin", [MixtureMlp(), RandomMixtureMlp()], ids=lambda p: p.name)
def test_learned_scores_are_near_the_exact_ones(plugin: MixtureMlp | RandomMixtureMlp) -> None:
    model = plugin.load(CPU, torch.float32)
    exact = EXACT[plugin.name].load(CPU, torch.float32)
    assert exact.target.data == model.target.data
    assert model.target.exact is not None
    x_0 = model.target.exact.sample(4000, 7).float()
    generator = torch.Generator().manual_seed(0)
    for s in (0.05, 0.3, 1.0, 10.0):
        y = x_0 + s * torch.randn(x_0.shape, generator=generator)
        best = exact.denoiser(y, torch.tensor(s))
        error = (model.denoiser(y, torch.tensor(s)) - best).square().mean()
        least = (best - x_0).square().mean()
        assert float(error) < 0.1 * float(least)
