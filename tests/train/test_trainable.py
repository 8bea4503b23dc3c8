"""NCSN++ and DDPM++ as training begins, goes on and is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.api import Model, Trainable, TrainingRecord, TrainingTask
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.networks.edm_unet import Block
from bench_plugins.checkpoints.networks.ncsnpp import ResBlock
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.training import TrainableEdm, TrainableScoreSde
from bench_plugins.models.networks.precond import EdmDenoiser
from bench_train.plugin_options import parse_network, parse_process
from bench_train.settings import Sizes

VE = "{name: ve, sigma_min: 0.02, sigma_max: 100.0}"
KINDS = [
    ("ncsnpp", VE),
    ("ncsnpp", "vp"),
    ("ddpmpp", "vp"),
    ("ddpmpp", "subvp"),
    ("ddpmpp", "{name: vp, beta_max: 15.0}"),
    ("edm-ncsnpp", "edm"),
    ("edm-ddpmpp", "vp"),
]
Y = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
S = torch.tensor([0.05, 0.8, 12.0])


def _trainable(choice: str, dropout: float = 0.0) -> Trainable:
    return parse_network(choice, Sizes(width=8, mults=(1, 2), blocks=1, dropout=dropout))


def _built(network: Trainable, process: str) -> nn.Module:
    task = TrainingTask("toy", (1, 8, 8), 256, 0.0, 0.5, parse_process(process))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return network.build(task)


def _disturbed(module: nn.Module) -> nn.Module:
    """Weights that a training might have left: none of them nearly zero."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data += 0.05 * noise * parameter.requires_grad
    return module.eval()


def _record(process: str) -> TrainingRecord:
    return TrainingRecord(parse_process(process).s_range, "toy", 256, "0" * 64, 100, {}, "none")


@pytest.mark.parametrize(("choice", "process"), KINDS)
def test_what_is_written_loads_as_the_same_denoiser(
    choice: str, process: str, tmp_path: Path
) -> None:
    network, path = _trainable(choice), tmp_path / "weights.safetensors"
    trained = _disturbed(_built(network, process))
    network.save(path, trained, _record(process))
    edm = choice in ("edm-ncsnpp", "edm-ddpmpp")
    model: Model = Edm(str(path)) if edm else ScoreSde(str(path))
    loaded = model.load(torch.device("cpu"), torch.float32)
    with torch.no_grad():
        expected = trained(Y, S)
    torch.testing.assert_close(loaded.denoiser(Y, S), expected, rtol=1e-5, atol=1e-5)
    assert float((expected - Y).abs().max()) > 0.01
    low, high = parse_process(process).s_range
    # The model `edm` samples from EDM's 80 unless it is told otherwise.
    assert loaded.s_max == pytest.approx(min(high, 80.0) if edm else high, rel=1e-4)
    assert loaded.s_min >= low * 0.999


@pytest.mark.parametrize(("choice", "process"), KINDS)
def test_the_first_prediction_is_next_to_nothing(choice: str, process: str) -> None:
    # Of eps, or of EDM's F: the output convolution begins at nearly zero.
    module = _built(_trainable(choice), process).eval()
    with torch.no_grad():
        d = module(Y, S)
    s = S[:, None, None, None]
    expected = Y * 0.25 / (s.square() + 0.25) if isinstance(module, TrainableEdm) else Y
    torch.testing.assert_close(d, expected, rtol=1e-3, atol=1e-3)


def test_ncsnpp_begins_with_ddpms_weights() -> None:
    module = _built(_trainable("ncsnpp"), VE)
    assert isinstance(module, TrainableScoreSde)
    blocks = [part for part in module.modules() if isinstance(part, ResBlock)]
    wide = next(block for block in blocks if block.Conv_0.weight.shape[:2] == (16, 16))
    bound = (3 / (9 * 16)) ** 0.5  # uniform, variance 1 / fan_avg
    assert float(wide.Conv_0.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
    assert float(wide.Conv_0.weight.detach().var()) == pytest.approx(1 / (9 * 16), rel=0.05)
    assert all(float(block.Conv_1.weight.detach().abs().max()) < 1e-5 for block in blocks)
    assert all(float(block.Conv_0.bias.detach().abs().max()) == 0.0 for block in blocks)


def test_edms_blocks_begin_as_the_identity() -> None:
    module = _built(_trainable("edm-ddpmpp"), "edm")
    blocks = [part for part in module.modules() if isinstance(part, Block)]
    assert all(0 < float(block.conv1.weight.detach().abs().max()) < 1e-5 for block in blocks)
    assert any(block.heads for block in blocks)


@pytest.mark.parametrize(("choice", "process"), [KINDS[0], KINDS[2], KINDS[6]])
def test_dropout_acts_in_training_alone(choice: str, process: str) -> None:
    module = _disturbed(_built(_trainable(choice, dropout=0.5), process))
    with torch.no_grad(), torch.random.fork_rng():
        assert torch.equal(module(Y, S), module(Y, S))
        module.train()
        assert not torch.equal(module(Y, S), module(Y, S))


def test_every_weight_but_the_fourier_frequencies_gets_a_gradient() -> None:
    module = _disturbed(_built(_trainable("ncsnpp"), VE))
    module(Y, S).square().mean().backward()
    silent = [name for name, p in module.named_parameters() if p.grad is None]
    assert silent == ["network.all_modules.0.W"]


def test_small_networks_are_still_the_packages_own() -> None:
    task = TrainingTask("toy", (1, 8, 8), 17, -0.1, 0.5, parse_process("edm"))
    network = parse_network("auto", Sizes()).build(task)
    assert isinstance(network, EdmDenoiser)
    assert isinstance(network(Y, S), Tensor)


def test_mnist_networks_know_the_packages_held_out_images(tmp_path: Path) -> None:
    sizes = Sizes(width=8, mults=(1, 2), blocks=1)
    task = TrainingTask("mnist", (1, 28, 28), 256, 0.0, 0.5, parse_process("vp"))
    network = parse_network("ddpmpp", sizes)
    path = tmp_path / "weights.safetensors"
    network.save(path, network.build(task), _record("vp"))
    loaded = ScoreSde(str(path)).load(torch.device("cpu"), torch.float32)
    assert loaded.target.data == "mnist"
    assert loaded.target.discrete is not None
    assert loaded.target.discrete.held_out().shape == (512, 1, 28, 28)
