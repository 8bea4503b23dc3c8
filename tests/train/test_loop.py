"""Whole trainings of a toy: reproducible, resumable, and better than no training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.api import BenchError
from bench_plugins.models.networks.files import build_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning
from bench_train.config import Precision, TrainConfig
from bench_train.data import TrainingData
from bench_train.ema import HalfLife, PowerLaw, Rate
from bench_train.gradients import Passes, Sliced
from bench_train.housekeeping import Housekeeping, Report
from bench_train.loop import average_at, train

Build = tuple[TrainConfig, TrainingData]


def _fresh() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = MLPConfig(sample=(1, 4, 4), width=8, blocks=1, embedding=8, features=4)
        return build_network(sizes, Preconditioning(0.6, -0.1))


def _weights(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_same_seed_same_bits(config: TrainConfig, data: TrainingData) -> None:
    first, second = (train(config, _fresh(), data).average for _ in range(2))
    assert torch.equal(_weights(first), _weights(second))
    other = train(replace(config, seed=1), _fresh(), data).average
    assert not torch.equal(_weights(first), _weights(other))


@pytest.mark.parametrize("sliced", [False, True])
def test_resumed_equals_uninterrupted_bit_for_bit(
    config: TrainConfig, data: TrainingData, tmp_path: Path, sliced: bool
) -> None:
    config = replace(config, gradients=Sliced(4, 2)) if sliced else config
    whole, cut = _fresh(), _fresh()
    expected = train(config, whole, data)
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt")
    train(config, _fresh(), data, replace(keeping, stop_after=4))
    resumed = train(config, cut, data, keeping)
    assert torch.equal(_weights(whole), _weights(cut))
    assert torch.equal(_weights(expected.average), _weights(resumed.average))
    assert expected.images == resumed.images == 160


@pytest.mark.parametrize("precision", list(Precision), ids=lambda p: p.value)
def test_everything_at_once_resumes_bit_for_bit(
    config: TrainConfig, data: TrainingData, tmp_path: Path, precision: Precision
) -> None:
    config = replace(
        config,
        averages=(HalfLife(40, 16), Rate(0.9), PowerLaw(0.1)),
        dropout=0.3,
        flips=True,
        dequantise=False,
        precision=precision,
        gradients=Passes(8),
    )
    whole, cut = _dropping(), _dropping()
    expected = train(config, whole, data)
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt")
    train(config, _dropping(), data, replace(keeping, stop_after=4))
    resumed = train(config, cut, data, keeping)
    assert torch.equal(_weights(whole), _weights(cut))
    assert list(resumed.averages) == ["halflife-40", "rate-0.9", "power-0.1"]
    averages = [_weights(network) for network in resumed.averages.values()]
    for average, network in zip(averages, expected.averages.values(), strict=True):
        assert torch.equal(average, _weights(network))
    assert not torch.equal(averages[0], averages[1])
    assert _weights(cut).dtype is precision.weights


def _dropping() -> nn.Module:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = _fresh()
            self.dropout = nn.Dropout(0.3)

        def forward(self, y: Tensor, s: Tensor) -> Tensor:
            result: Tensor = self.inner(self.dropout(y), s)
            return result

    return Dropping()


def test_dropout_leaves_the_global_generator_alone(config: TrainConfig, data: TrainingData) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(replace(config, dropout=0.3), _dropping(), data)
    assert torch.equal(torch.rand(3), expected)


def test_slices_change_the_order_of_sums_alone(config: TrainConfig, data: TrainingData) -> None:
    exact = replace(config, precision=Precision.FLOAT64)
    whole = train(exact, _fresh(), data).average
    sliced = train(replace(exact, gradients=Passes(5)), _fresh(), data).average
    torch.testing.assert_close(_weights(sliced), _weights(whole), rtol=1e-9, atol=1e-12)


def test_slices_of_another_size_do_not_continue_a_training_with_dropout(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt", stop_after=1)
    config = replace(config, dropout=0.3, gradients=Passes(8))
    train(config, _dropping(), data, keeping)
    with pytest.raises(BenchError, match="another configuration"):
        train(replace(config, gradients=Passes(4)), _dropping(), data, keeping)


def test_a_checkpoint_is_the_old_or_the_new_one(
    config: TrainConfig, data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt")
    train(config, _fresh(), data, replace(keeping, stop_after=4))

    def torn(content: object, path: Path) -> None:
        path.write_bytes(b"half a checkpoint")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", torn)
        with pytest.raises(BenchError, match=r"no space.*--resume"):
            train(config, _fresh(), data, replace(keeping, stop_after=6))
    whole, cut = _fresh(), _fresh()
    train(config, whole, data)
    train(config, cut, data, keeping)
    assert torch.equal(_weights(whole), _weights(cut))


def test_a_diverged_training_is_not_kept(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    broken, path = _fresh(), tmp_path / "checkpoint.pt"
    next(broken.parameters()).data.fill_(float("nan"))
    with pytest.raises(BenchError, match=r"the loss is nan.*lower --learning-rate"):
        train(config, broken, data, Housekeeping(path, checkpoint_s=0.0, report_s=1e9))
    assert not path.exists()


def test_length_may_change_on_the_plateau(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt")
    train(replace(config, images=10_000), _fresh(), data, replace(keeping, stop_after=4))
    resumed = train(config, _fresh(), data, keeping).average
    assert torch.equal(_weights(resumed), _weights(train(config, _fresh(), data).average))


def test_another_configuration_is_refused(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt", stop_after=1)
    train(config, _fresh(), data, keeping)
    with pytest.raises(BenchError, match=r"another configuration[\s\S]*resume with the options"):
        train(replace(config, averages=(PowerLaw(0.1),)), _fresh(), data, keeping)


def test_damaged_checkpoint_is_refused(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt", stop_after=1)
    train(config, _fresh(), data, keeping)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BenchError, match="cannot read the checkpoint"):
        train(config, _fresh(), data, keeping)
    torch.save({"step": 1}, path)
    with pytest.raises(BenchError, match="no training checkpoint"):
        train(config, _fresh(), data, keeping)


def test_checkpoint_of_another_network_is_refused(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    keeping = Housekeeping(checkpoint=tmp_path / "checkpoint.pt", stop_after=1)
    train(config, _fresh(), data, keeping)
    wider = build_network(MLPConfig(sample=(1, 4, 4), width=16), Preconditioning())
    with pytest.raises(BenchError, match="another network"):
        train(config, wider, data, keeping)


def test_average_can_be_read_from_a_training_in_progress(
    config: TrainConfig, data: TrainingData, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.pt"
    result = train(config, _fresh(), data, Housekeeping(path, stop_after=5))
    read = average_at(config, _fresh(), path)
    assert torch.equal(_weights(read.average), _weights(result.average))
    assert read.images == 80


def test_loss_falls_and_reports_say_so(config: TrainConfig, data: TrainingData) -> None:
    told: list[Report] = []
    longer = replace(config, images=6400)
    train(longer, _fresh(), data, Housekeeping(report=told.append, report_s=0.0))
    assert len(told) == longer.steps
    early, late = (sum(report.loss for report in part) for part in (told[:40], told[-40:]))
    assert late < 0.8 * early
    assert told[-1].images == told[-1].total == 6400
    assert told[-1].remaining_s == 0.0


def test_divergence_is_an_error_with_a_remedy(config: TrainConfig, data: TrainingData) -> None:
    broken = _fresh()
    next(broken.parameters()).data.fill_(float("nan"))
    with pytest.raises(BenchError, match="lower --learning-rate"):
        train(config, broken, data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"precision": Precision.BFLOAT16}, {"compiled": True}], ids=["bf16", "compiled"]
)
@pytest.mark.filterwarnings("ignore")
def test_faster_arithmetic_trains_alike(
    config: TrainConfig, data: TrainingData, changes: dict[str, Precision | bool]
) -> None:
    config = replace(config, images=1600)
    fast = replace(config, **changes)  # type: ignore[arg-type]
    weights = [_weights(train(c, _fresh(), data).average) for c in (config, fast)]
    assert float((weights[0] - weights[1]).norm() / weights[0].norm()) < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "--seed -1: must not be negative"),
        ({"betas": (0.9, 1.0)}, r"--beta2 1: must be in \[0, 1\)"),
    ],
)
def test_values_out_of_range_are_refused(
    config: TrainConfig, change: dict[str, object], message: str
) -> None:
    with pytest.raises(BenchError, match=message):
        replace(config, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["images", "batch", "learning_rate", "clip"])
def test_senseless_numbers_are_refused(config: TrainConfig, field: str) -> None:
    with pytest.raises(BenchError, match=f"{field} is 0; it must be positive"):
        replace(config, **{field: 0})  # type: ignore[arg-type]
