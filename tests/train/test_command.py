"""`bench train` and `bench train-classifier` from the outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from bench.api import BenchError
from bench.train.command import train_classifier_command, train_command
from bench.train.options import NetworkChoice
from bench.train.recipe import network_for
from bench_models.networks.loading import load_network
from bench_models.networks.mlp import MLPConfig
from bench_models.networks.unet import UNetConfig

Call = Callable[..., str]


@pytest.fixture
def call(array_path: Path, tmp_path: Path) -> Call:
    """Runs a command on the toy data; raises what it raises; returns what it prints."""
    app = typer.Typer()
    app.command("train")(train_command)
    app.command("train-classifier")(train_classifier_command)

    def run(command: str, *arguments: str, data: str = str(array_path)) -> str:
        common = ["--out", str(tmp_path / "out"), "--data", data, "--levels", "8"]
        result = CliRunner().invoke(app, [command, *common, *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_training_writes_weights_that_describe_themselves(call: Call, tmp_path: Path) -> None:
    output = call("train", "--images", "64", "--batch", "16", "--process", "vp")
    assert "64/64 images" in output
    network, metadata = load_network(tmp_path / "out" / "weights.safetensors")
    assert metadata.network == MLPConfig(sample=(1, 4, 4))
    assert metadata.images == 64
    assert metadata.levels == 8
    assert "VP(" in metadata.recipe["identity"]
    assert metadata.s_range[0] < 0.01
    assert network(torch.zeros(2, 1, 4, 4), torch.tensor(1.0)).shape == (2, 1, 4, 4)


@pytest.mark.parametrize("weighting", ["edm", "sigma2", "likelihood", "none"])
@pytest.mark.parametrize("times", ["mixed", "uniform"])
def test_every_weighting_goes_with_every_density(call: Call, weighting: str, times: str) -> None:
    call("train", "--images", "32", "--batch", "16", "--weighting", weighting, "--times", times)


def test_resuming_is_asked_for(call: Call) -> None:
    call("train", "--images", "32", "--batch", "16")
    with pytest.raises(BenchError, match="pass --resume to go on"):
        call("train", "--images", "64", "--batch", "16")
    assert "64/64 images" in call("train", "--images", "64", "--batch", "16", "--resume")


def test_nothing_to_resume(call: Call) -> None:
    with pytest.raises(BenchError, match="no training to go on with"):
        call("train", "--resume")


def test_export_only_writes_the_weights_of_a_checkpoint(call: Call, tmp_path: Path) -> None:
    call("train", "--images", "32", "--batch", "16", "--workers", "2")
    weights = tmp_path / "out" / "weights.safetensors"
    expected = load_network(weights)[0].state_dict()
    weights.unlink()
    output = call("train", "--images", "9999", "--batch", "16", "--export-only")
    assert "after 32 images" in output
    state = load_network(weights)[0].state_dict()
    assert all(torch.equal(expected[name], tensor) for name, tensor in state.items())


def test_unknown_process(call: Call) -> None:
    with pytest.raises(BenchError, match="unknown process 'edmm'; did you mean 'edm'"):
        call("train", "--process", "edmm")


def test_training_a_classifier_writes_two_files(call: Call, tmp_path: Path) -> None:
    output = call(
        "train-classifier", "--epochs", "1", "--batch", "10", "--widths", "4", "--shift", "1"
    )
    assert "test accuracy" in output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["toy_classifier.safetensors", "toy_reference.safetensors"]


def test_widths_are_numbers(call: Call) -> None:
    with pytest.raises(BenchError, match="whole numbers"):
        call("train-classifier", "--widths", "a,b")


@pytest.mark.parametrize(
    ("choice", "shape", "kind"),
    [
        (NetworkChoice.AUTO, (1, 8, 8), MLPConfig),
        (NetworkChoice.AUTO, (3, 32, 32), UNetConfig),
        (NetworkChoice.UNET, (1, 8, 8), UNetConfig),
        (NetworkChoice.MLP, (1, 28, 28), MLPConfig),
    ],
)
def test_network_choice(choice: NetworkChoice, shape: tuple[int, ...], kind: type) -> None:
    assert isinstance(network_for(choice, shape), kind)


def test_unsuitable_shape_names_the_way_out() -> None:
    with pytest.raises(BenchError, match=r"multiples of 4.*--network mlp"):
        network_for(NetworkChoice.UNET, (1, 30, 30))
