"""`bench train` and `bench train-classifier` from the outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from bench.api import BenchError, Conditional, file_sha256, read_weights
from bench_plugins.models.networks.files import load_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.unet import UNetConfig
from bench_plugins.models.pretrained import Trained
from bench_plugins.models.training import SmallMlp, SmallNetwork, SmallUnet
from bench_train.commands import bench_commands
from bench_train.presets import PRESETS

Call = Callable[..., str]


def _app() -> typer.Typer:
    app = typer.Typer()
    for command in bench_commands():
        assert not isinstance(command.run, typer.Typer)
        app.command(command.name)(command.run)
    return app


@pytest.fixture
def call(array_path: Path, tmp_path: Path) -> Call:
    """Runs a command on the toy data; raises what it raises; returns what it prints."""
    app = _app()

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
    assert metadata.training.images == 64
    assert metadata.training.levels == 8
    assert "VP(" in metadata.training.recipe["identity"]
    assert metadata.training.s_range[0] < 0.01
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


def test_presets_are_listed_without_anything_else() -> None:
    result = CliRunner().invoke(_app(), ["train", "--list-presets"])
    assert result.exit_code == 0
    for name in PRESETS:
        assert name in result.output


def test_unknown_preset(call: Call) -> None:
    with pytest.raises(BenchError, match=r"unknown preset 'ddpm'.*known: ncsnpp-ve"):
        call("train", "--preset", "ddpm")


def test_importance_sampling_is_for_likelihood_weighting(call: Call) -> None:
    with pytest.raises(BenchError, match="made for --weighting likelihood, not 'edm'"):
        call("train", "--times", "importance")


def test_every_average_has_its_file(call: Call, tmp_path: Path) -> None:
    output = call(
        "train", "--images", "64", "--batch", "16",
        "--ema", "0.1", "--ema-halflife", "32", "--ema-rate", "0.9",
    )  # fmt: skip
    names = ["weights", "weights-halflife-32", "weights-rate-0.9"]
    first, *others = (load_network(tmp_path / "out" / f"{name}.safetensors")[0] for name in names)
    for network in others:
        assert not torch.equal(_all_weights(network), _all_weights(first))
    assert "weights-rate-0.9" in output.replace("\n", "")


def _all_weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(network.parameters())


def test_one_average_twice(call: Call) -> None:
    with pytest.raises(BenchError, match=r"'power-0\.1' is asked for twice"):
        call("train", "--ema", "0.1", "--ema", "0.1")


def test_mults_are_numbers(call: Call) -> None:
    with pytest.raises(BenchError, match="--mults '1;2': give whole numbers"):
        call("train", "--preset", "ncsnpp-ve-small", "--mults", "1;2")


def test_training_a_classifier_writes_three_files(call: Call, tmp_path: Path) -> None:
    output = call(
        "train-classifier", "--epochs", "1", "--batch", "10", "--widths", "4", "--shift", "1"
    )
    assert "test accuracy" in output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    ends = ["class_reference", "classifier", "reference"]
    assert names == [f"toy_{end}.safetensors" for end in ends]


def test_classes_are_trained_and_loaded(call: Call, tmp_path: Path) -> None:
    call("train", "--images", "64", "--batch", "16", "--classes", "--label-dropout", "0.3")
    weights = tmp_path / "out" / "weights.safetensors"
    _, metadata = load_network(weights)
    assert metadata.network == MLPConfig(sample=(1, 4, 4), classes=10)
    assert "('label_dropout', 0.3)" in metadata.training.recipe["identity"]
    model = Trained(str(weights), "balanced").load(torch.device("cpu"), torch.float32)
    assert isinstance(model.denoiser, Conditional)
    labels = model.denoiser.labels(0, 0, 10, torch.device("cpu"))
    assert sorted(labels.tolist()) == list(range(10))
    assert Trained(str(weights), -1).load(torch.device("cpu"), torch.float32).price == 1
    with pytest.raises(BenchError, match="label 10 was asked, of classes 0 to 9"):
        Trained(str(weights), 10).load(torch.device("cpu"), torch.float32)


def test_classes_of_a_network_without_them(call: Call, tmp_path: Path) -> None:
    call("train", "--images", "32", "--batch", "16")
    weights = str(tmp_path / "out" / "weights.safetensors")
    cpu = torch.device("cpu"), torch.float32
    assert not isinstance(Trained(weights).load(*cpu).denoiser, Conditional)
    assert not isinstance(Trained(weights, -1).load(*cpu).denoiser, Conditional)
    for label in (0, "balanced"):
        with pytest.raises(BenchError, match="knows no classes"):
            Trained(weights, label).load(*cpu)
    with pytest.raises(ValueError, match="label must be >= 0"):
        Trained(weights, -2)


def test_classes_are_refused_where_there_are_none(call: Call, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--label-dropout: there are no labels without --classes"):
        call("train", "--label-dropout", "0.1")
    with pytest.raises(BenchError, match="'ddpmpp' takes no classes; pass --network unet or mlp"):
        call("train", "--classes", "--network", "ddpmpp")
    bare = tmp_path / "bare.npz"
    images = np.zeros((8, 4, 4), np.uint8)
    np.savez(bare, x_train=images, x_test=images)
    with pytest.raises(BenchError, match="'bare' have no labels"):
        call("train", "--classes", data=str(bare))
    with pytest.raises(BenchError, match="'bare' have no labels"):
        call("train-classifier", "--noise", data=str(bare))


def test_labels_that_are_none_are_refused(call: Call, tmp_path: Path) -> None:
    images, path = np.zeros((8, 4, 4), np.uint8), tmp_path / "odd.npz"
    for labels in (np.zeros(7, int), np.zeros(8), np.full(8, -1)):
        np.savez(path, x_train=images, x_test=images, y_train=labels)
        with pytest.raises(BenchError, match=r"y_train is .* the 8 classes of x_train"):
            call("train", "--classes", data=str(path))


def test_a_training_begins_with_other_weights(call: Call, tmp_path: Path) -> None:
    sizes = ("--images", "32", "--batch", "16")
    call("train", *sizes)
    first = tmp_path / "first.safetensors"
    (tmp_path / "out" / "weights.safetensors").rename(first)
    (tmp_path / "out" / "checkpoint.pt").unlink()
    tuned = ("train", *sizes, "--init", str(first), "--classes")
    call(*tuned, "--learning-rate", "1e-12")
    network, metadata = load_network(tmp_path / "out" / "weights.safetensors")
    assert f"('start', '{file_sha256(first)}')" in metadata.training.recipe["identity"]
    before = read_weights(first).tensors
    assert all(torch.allclose(network.state_dict()[name], t) for name, t in before.items())
    with pytest.raises(BenchError, match="another configuration"):
        call("train", *sizes, "--classes", "--learning-rate", "1e-12", "--resume")
    with pytest.raises(BenchError, match=r"--init .*another network"):
        call("train", *sizes, "--init", str(first), "--network", "unet", "--resume")


def test_half_the_size(call: Call, tmp_path: Path) -> None:
    call("train", "--images", "32", "--batch", "16")
    weights = tmp_path / "out" / "weights.safetensors"
    whole, size = load_network(weights)[0].state_dict(), weights.stat().st_size
    call("train", "--images", "32", "--batch", "16", "--export-only", "--half")
    assert weights.stat().st_size < 0.6 * size
    half = load_network(weights)[0].state_dict()
    for name, tensor in whole.items():
        assert half[name].dtype is torch.float32
        torch.testing.assert_close(half[name], tensor, rtol=5e-4, atol=1e-6)
        assert tensor.ndim > 1 or torch.equal(half[name], tensor)
    assert read_weights(weights).record["stored"] == "torch.float16"


def test_training_a_classifier_of_noised_samples(call: Call, tmp_path: Path) -> None:
    common = ("train-classifier", "--noise", "--epochs", "1", "--batch", "10")
    output = call(*common, "--flips", "--network", "{name: encoder, fine: 8, coarse: 32}")
    assert "s = 0.01: test accuracy" in output
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert names == ["toy_noisy_classifier.safetensors"]
    for option, value in (("--shift", "1"), ("--reference", "all")):
        with pytest.raises(BenchError, match=f"{option} is of clean images"):
            call(*common, option, value)
    with pytest.raises(BenchError, match="'classifier' takes no noised samples"):
        call(*common, "--network", "classifier")
    with pytest.raises(BenchError, match="--process is of noised samples"):
        call("train-classifier", "--process", "vp")


def test_widths_are_numbers(call: Call) -> None:
    with pytest.raises(BenchError, match="whole numbers"):
        call("train-classifier", "--widths", "a,b")


@pytest.mark.parametrize(
    ("network", "shape", "kind"),
    [
        (SmallNetwork(), (1, 8, 8), MLPConfig),
        (SmallNetwork(), (3, 32, 32), UNetConfig),
        (SmallUnet(), (1, 8, 8), UNetConfig),
        (SmallMlp(), (1, 28, 28), MLPConfig),
    ],
)
def test_network_choice(
    network: SmallNetwork | SmallUnet | SmallMlp, shape: tuple[int, ...], kind: type
) -> None:
    assert isinstance(network.sizes(shape), kind)


def test_the_mlp_has_its_sizes() -> None:
    assert SmallMlp(width=96, blocks=4).sizes((1, 8, 8)) == MLPConfig(width=96, blocks=4)
    for sizes in ({"width": 0}, {"blocks": 0}):
        with pytest.raises(ValueError, match="must lie in 1"):
            SmallMlp(**sizes)


def test_unsuitable_shape_names_the_way_out() -> None:
    with pytest.raises(BenchError, match=r"multiples of 4.*--network mlp"):
        SmallUnet().sizes((1, 30, 30))
