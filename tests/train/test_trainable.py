"""NCSN++ and DDPM++ as training begins, goes on and is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.api import Model
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.networks.edm_unet import Block
from bench_plugins.checkpoints.networks.ncsnpp import ResBlock
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.training import TrainableEdm, TrainableScoreSde
from bench_train.options import NetworkChoice
from bench_train.recipe import parse_process
from bench_train.settings import Settings, Sizes
from bench_train.trainable import OwnNetwork, Record, Subject, Trainable, trainable

VE = "{name: ve, sigma_min: 0.02, sigma_max: 100.0}"
KINDS = [
    (NetworkChoice.NCSNPP, VE),
    (NetworkChoice.NCSNPP, "vp"),
    (NetworkChoice.DDPMPP, "vp"),
    (NetworkChoice.DDPMPP, "subvp"),
    (NetworkChoice.DDPMPP, "{name: vp, beta_max: 15.0}"),
    (NetworkChoice.EDM_NCSNPP, "edm"),
    (NetworkChoice.EDM_DDPMPP, "vp"),
]
Y = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
S = torch.tensor([0.05, 0.8, 12.0])


def _trainable(choice: NetworkChoice, process: str, dropout: float = 0.0) -> Trainable:
    sizes = Sizes(width=8, mults=(1, 2), blocks=1, dropout=dropout)
    subject = Subject("toy", (1, 8, 8), 256, 0.0, 0.5, parse_process(process))
    return trainable(Settings(network=choice, sizes=sizes, process=process), subject)


def _built(network: Trainable) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return network.build()


def _disturbed(module: nn.Module) -> nn.Module:
    """Weights that a training might have left: none of them nearly zero."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data += 0.05 * noise * parameter.requires_grad
    return module.eval()


def _record(process: str) -> Record:
    return Record(parse_process(process).s_range, "toy", 256, "0" * 64, 100, {}, "none")


@pytest.mark.parametrize(("choice", "process"), KINDS)
def test_what_is_written_loads_as_the_same_denoiser(
    choice: NetworkChoice, process: str, tmp_path: Path
) -> None:
    network, path = _trainable(choice, process), tmp_path / "weights.safetensors"
    trained = _disturbed(_built(network))
    network.save(path, trained, _record(process))
    edm = choice in (NetworkChoice.EDM_NCSNPP, NetworkChoice.EDM_DDPMPP)
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
def test_the_first_prediction_is_next_to_nothing(choice: NetworkChoice, process: str) -> None:
    # Of eps, or of EDM's F: the output convolution begins at nearly zero.
    module = _built(_trainable(choice, process)).eval()
    with torch.no_grad():
        d = module(Y, S)
    s = S[:, None, None, None]
    expected = Y * 0.25 / (s.square() + 0.25) if isinstance(module, TrainableEdm) else Y
    torch.testing.assert_close(d, expected, rtol=1e-3, atol=1e-3)


def test_ncsnpp_begins_with_ddpms_weights() -> None:
    module = _built(_trainable(NetworkChoice.NCSNPP, VE))
    assert isinstance(module, TrainableScoreSde)
    blocks = [part for part in module.modules() if isinstance(part, ResBlock)]
    wide = next(block for block in blocks if block.Conv_0.weight.shape[:2] == (16, 16))
    bound = (3 / (9 * 16)) ** 0.5  # uniform, variance 1 / fan_avg
    assert float(wide.Conv_0.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
    assert float(wide.Conv_0.weight.detach().var()) == pytest.approx(1 / (9 * 16), rel=0.05)
    assert all(float(block.Conv_1.weight.detach().abs().max()) < 1e-5 for block in blocks)
    assert all(float(block.Conv_0.bias.detach().abs().max()) == 0.0 for block in blocks)


def test_edms_blocks_begin_as_the_identity() -> None:
    module = _built(_trainable(NetworkChoice.EDM_DDPMPP, "edm"))
    blocks = [part for part in module.modules() if isinstance(part, Block)]
    assert all(0 < float(block.conv1.weight.detach().abs().max()) < 1e-5 for block in blocks)
    assert any(block.heads for block in blocks)


@pytest.mark.parametrize(("choice", "process"), [KINDS[0], KINDS[2], KINDS[6]])
def test_dropout_acts_in_training_alone(choice: NetworkChoice, process: str) -> None:
    module = _disturbed(_built(_trainable(choice, process, dropout=0.5)))
    with torch.no_grad(), torch.random.fork_rng():
        assert torch.equal(module(Y, S), module(Y, S))
        module.train()
        assert not torch.equal(module(Y, S), module(Y, S))


def test_every_weight_but_the_fourier_frequencies_gets_a_gradient() -> None:
    module = _disturbed(_built(_trainable(NetworkChoice.NCSNPP, VE)))
    module(Y, S).square().mean().backward()
    silent = [name for name, p in module.named_parameters() if p.grad is None]
    assert silent == ["network.all_modules.0.W"]


def test_small_networks_are_still_the_packages_own() -> None:
    subject = Subject("toy", (1, 8, 8), 17, -0.1, 0.5, parse_process("edm"))
    network = trainable(Settings(), subject)
    assert isinstance(network, OwnNetwork)
    assert isinstance(network.build()(Y, S), Tensor)


def test_mnist_networks_know_the_packages_held_out_images(tmp_path: Path) -> None:
    sizes = Sizes(width=8, mults=(1, 2), blocks=1)
    subject = Subject("mnist", (1, 28, 28), 256, 0.0, 0.5, parse_process("vp"))
    network = trainable(Settings(network=NetworkChoice.DDPMPP, sizes=sizes), subject)
    path = tmp_path / "weights.safetensors"
    network.save(path, _built(network), _record("vp"))
    loaded = ScoreSde(str(path)).load(torch.device("cpu"), torch.float32)
    assert loaded.target.data == "mnist"
    assert loaded.target.discrete is not None
    assert loaded.target.discrete.held_out().shape == (512, 1, 28, 28)
