"""Trainings with classes, and trainings that begin with the weights of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.api import NO_CLASS, BenchError, read_weights, write_network
from bench_plugins.models.networks.files import NetworkConfig, build_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning
from bench_plugins.models.networks.unet import UNetConfig
from bench_train.config import Precision, TrainConfig
from bench_train.data import TrainingData, drop_labels, generator_of
from bench_train.gradients import Passes, Sliced
from bench_train.housekeeping import Housekeeping
from bench_train.loop import train
from bench_train.start import take_weights

SIZES = MLPConfig(sample=(1, 4, 4), width=8, blocks=1, embedding=8, features=4)
UNET = UNetConfig(image=(1, 8, 8), fine=8, coarse=32, embedding=16, features=8)


def _fresh(sizes: NetworkConfig = SIZES, classes: int = 2) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_network(replace(sizes, classes=classes), Preconditioning(0.6, -0.1))


def _weights(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def _disturbed(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return network.eval().requires_grad_(False)


@pytest.fixture
def labelled(data: TrainingData) -> TrainingData:
    """The toy data with the number of the pattern as the class."""
    return replace(data, labels=torch.arange(50) % 2)


@pytest.fixture
def conditional(config: TrainConfig) -> TrainConfig:
    return replace(config, label_dropout=0.25)


@pytest.mark.parametrize("sizes", [SIZES, UNET], ids=["mlp", "unet"])
def test_the_start_is_the_unconditional_network_bit_for_bit(
    sizes: NetworkConfig, tmp_path: Path
) -> None:
    plain = _disturbed(_fresh(sizes, 0))
    path = tmp_path / "plain.safetensors"
    write_network(path, plain, {})
    network = _fresh(sizes, 3).eval().requires_grad_(False)
    take_weights(network, read_weights(path))
    shape = sizes.sample if isinstance(sizes, MLPConfig) else sizes.image
    y = torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))
    labels = torch.tensor([0, 1, 2, NO_CLASS])
    s = torch.tensor([0.01, 0.5, 3.0, 40.0])
    expected = plain(y, s)
    assert float(expected.std()) > 0.01
    assert torch.equal(network(y, s, labels), expected)
    # One s for all rows is embedded once where there are no labels: products of other shapes.
    once = plain(y, s[1])
    assert torch.equal(network(y, s[1]), once)
    torch.testing.assert_close(network(y, s[1], labels), once)


@pytest.mark.parametrize("sizes", [SIZES, UNET], ids=["mlp", "unet"])
def test_no_class_is_the_network_without_labels(sizes: NetworkConfig) -> None:
    network = _disturbed(_fresh(sizes, 3))
    shape = sizes.sample if isinstance(sizes, MLPConfig) else sizes.image
    y = torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))
    s, labels = torch.full((4,), 0.7), torch.tensor([0, 1, 2, NO_CLASS])
    mixed, none = network(y, s, labels), network(y, s)
    assert torch.equal(network(y, s, torch.full((4,), NO_CLASS)), none)
    torch.testing.assert_close(mixed[3], none[3])
    assert all(float((mixed[i] - none[i]).abs().max()) > 1e-3 for i in range(3))


def test_a_network_without_classes_takes_no_labels() -> None:
    with pytest.raises(ValueError, match="knows no classes"):
        _fresh(SIZES, 0)(torch.zeros(2, 1, 4, 4), torch.tensor(1.0), torch.tensor([0, 1]))


def test_so_many_labels_are_dropped() -> None:
    labels = torch.arange(20_000) % 7
    kept = drop_labels(labels, 0.1, generator_of(3))
    dropped = kept == NO_CLASS
    assert float(dropped.double().mean()) == pytest.approx(0.1, abs=0.01)
    assert torch.equal(kept[~dropped], labels[~dropped])
    assert torch.equal(drop_labels(labels, 0.0, generator_of(3)), labels)
    assert bool((drop_labels(labels, 1.0, generator_of(3)) == NO_CLASS).all())


def test_labels_of_a_step_follow_from_the_seed(
    conditional: TrainConfig, labelled: TrainingData
) -> None:
    seen: dict[int, list[Tensor]] = {}

    class Spy(nn.Module):
        def __init__(self, run: int) -> None:
            super().__init__()
            self.run, self.inner = run, _fresh()

        def forward(self, y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
            seen.setdefault(self.run, []).append(labels)
            result: Tensor = self.inner(y, s, labels)
            return result

    for run, config in enumerate([conditional, conditional, replace(conditional, seed=1)]):
        train(config, Spy(run), labelled)
    assert torch.equal(torch.cat(seen[0]), torch.cat(seen[1]))
    assert not torch.equal(torch.cat(seen[0]), torch.cat(seen[2]))
    assert not torch.equal(seen[0][0], seen[0][1])  # each step has its own
    assert set(torch.cat(seen[0]).tolist()) == {NO_CLASS, 0, 1}


def test_labels_change_nothing_in_a_training_without_classes(
    config: TrainConfig, data: TrainingData, labelled: TrainingData
) -> None:
    one, other = (train(config, _fresh(classes=0), given).average for given in (data, labelled))
    assert torch.equal(_weights(one), _weights(other))
    assert "label" not in config.identity
    assert "start" not in config.identity


@pytest.mark.parametrize("rule", [Passes(), Passes(5), Sliced(4, 2)], ids=str)
def test_resumed_with_labels_equals_uninterrupted_bit_for_bit(
    conditional: TrainConfig, labelled: TrainingData, tmp_path: Path, rule: Passes | Sliced
) -> None:
    config = replace(conditional, gradients=rule)
    whole, cut = _fresh(), _fresh()
    expected = train(config, whole, labelled).average
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt")
    train(config, _fresh(), labelled, replace(keeping, stop_after=4))
    resumed = train(config, cut, labelled, keeping).average
    assert torch.equal(_weights(whole), _weights(cut))
    assert torch.equal(_weights(expected), _weights(resumed))


def test_slices_share_out_the_labels(conditional: TrainConfig, labelled: TrainingData) -> None:
    exact = replace(conditional, precision=Precision.FLOAT64)
    whole = train(exact, _fresh(), labelled).average
    sliced = train(replace(exact, gradients=Passes(5)), _fresh(), labelled).average
    torch.testing.assert_close(_weights(sliced), _weights(whole), rtol=1e-9, atol=1e-12)


def test_the_classes_are_learnt(conditional: TrainConfig, labelled: TrainingData) -> None:
    # Under so much noise the class alone says which of the two patterns it was.
    longer = replace(conditional, images=24_000)
    network = train(longer, _fresh(), labelled).average.requires_grad_(False)
    patterns = labelled.samples[:2].float() * (2 / 8) - 1 + 1 / 8
    y = 60.0 * torch.randn(256, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    s = torch.tensor(60.0)
    gap = float((patterns[0] - patterns[1]).square().mean())
    means = [network(y, s, torch.full((256,), c)).mean(dim=0) for c in (0, 1, NO_CLASS)]
    for c, wanted in enumerate([*patterns, patterns.mean(dim=0)]):
        assert float((means[c] - wanted).square().mean()) < 0.05 * gap


def test_data_without_labels(conditional: TrainConfig, data: TrainingData) -> None:
    with pytest.raises(BenchError, match="'toy' have no labels; leave --classes out"):
        train(conditional, _fresh(), data)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_no_share_of_labels(config: TrainConfig, rate: float) -> None:
    with pytest.raises(BenchError, match=r"--label-dropout .*\[0, 1\]"):
        replace(config, label_dropout=rate)


def test_another_share_does_not_continue_a_training(
    conditional: TrainConfig, labelled: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt", stop_after=1)
    train(conditional, _fresh(), labelled, keeping)
    for other in (replace(conditional, label_dropout=0.1), replace(conditional, start="0" * 64)):
        with pytest.raises(BenchError, match="another configuration"):
            train(other, _fresh(), labelled, keeping)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_network(path, _fresh(replace(SIZES, width=16)), {})
    with pytest.raises(BenchError, match=r"--init .*another network \(of other shapes: .*blocks"):
        take_weights(_fresh(), read_weights(path))
    write_network(path, _fresh(replace(SIZES, blocks=2)), {})
    with pytest.raises(BenchError, match=r"unknown here: network\.blocks\.1"):
        take_weights(_fresh(), read_weights(path))
    write_network(path, _disturbed(_fresh()), {})
    with pytest.raises(BenchError, match=r"not in the file: network\.blocks\.1"):
        take_weights(_fresh(replace(SIZES, blocks=2)), read_weights(path))
