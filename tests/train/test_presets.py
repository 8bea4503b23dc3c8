"""Presets against the published recipes, and what the command line makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.api import BenchError
from bench_plugins.checkpoints.score_sde_recipes import PRESETS as SCORE_SDE
from bench_train.options import NetworkChoice
from bench_train.recipe import parse_process
from bench_train.settings import PRESETS, Overrides, Settings, Sizes, overridden, preset_of
from bench_train.trainable import EdmNetwork, ScoreSdeNetwork, Subject, Trainable, trainable

CIFAR10 = ("cifar10", (3, 32, 32), 256, 0.0, 0.5)
MNIST = ("mnist", (1, 28, 28), 256, -0.7, 0.6)


def _network(name: str, data: tuple[str, tuple[int, ...], int, float, float]) -> Trainable:
    settings = preset_of(name)
    return trainable(settings, Subject(*data, parse_process(settings.process)))


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("ncsnpp-ve", "ve/cifar10_ncsnpp_continuous"),
        ("ncsnpp-ve-deep", "ve/cifar10_ncsnpp_deep_continuous"),
        ("ncsnpp-vp", "vp/cifar10_ncsnpp_continuous"),
        ("ncsnpp-subvp", "subvp/cifar10_ncsnpp_continuous"),
        ("ddpmpp-vp", "vp/cifar10_ddpmpp_continuous"),
        ("ddpmpp-vp-deep", "vp/cifar10_ddpmpp_deep_continuous"),
        ("ddpmpp-subvp", "subvp/cifar10_ddpmpp_continuous"),
        ("ddpmpp-subvp-deep", "subvp/cifar10_ddpmpp_deep_continuous"),
        ("ddpmpp-vp-likelihood", "vp/cifar10_ddpmpp_continuous"),
        ("ddpmpp-subvp-likelihood", "subvp/cifar10_ddpmpp_continuous"),
    ],
)
def test_networks_are_those_of_the_checkpoints(name: str, theirs: str) -> None:
    ours = _network(name, CIFAR10)
    assert isinstance(ours, ScoreSdeNetwork)
    expected = SCORE_SDE[theirs]
    assert ours.recipe == replace(expected, network=replace(expected.network, dropout=0.1))


@pytest.mark.parametrize(
    ("name", "millions"),
    [("ncsnpp-ve", 62.76), ("ddpmpp-vp", 61.80), ("edm-ddpmpp", 55.73), ("edm-ncsnpp", 56.40)],
)
def test_networks_have_the_published_sizes(name: str, millions: float) -> None:
    described = _network(name, CIFAR10)
    with torch.device("meta"):
        network = described.build()
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("name", [name for name in PRESETS if name.endswith("-small")])
def test_small_networks_fit_mnist(name: str) -> None:
    network = _network(name, MNIST).build()
    y, s = torch.zeros(2, 1, 28, 28), torch.tensor([0.1, 3.0])
    assert network(y, s).shape == y.shape
    assert sum(parameter.numel() for parameter in network.parameters()) < 4e5


@pytest.mark.parametrize("name", ["ncsnpp-ve", "edm-ddpmpp", "ddpmpp-vp-small"])
def test_ve_trains_on_levels_of_images_from_minus_one_to_one(name: str) -> None:
    network = _network(name, CIFAR10)
    if isinstance(network, EdmNetwork):
        assert network.recipe.sigma_min == pytest.approx(0.002)
        return
    assert isinstance(network, ScoreSdeNetwork)
    ends = network.recipe.network.sigma_min, network.recipe.network.sigma_max
    assert ends == (0.01, 50.0)


def test_too_many_levels_for_the_image_name_the_way_out() -> None:
    with pytest.raises(BenchError, match=r"divisible by two.*-small"):
        _network("ncsnpp-ve", MNIST)


@pytest.mark.parametrize(
    ("network", "process", "message"),
    [
        (NetworkChoice.DDPMPP, "ve", "goes with the processes vp and subvp, not 've'"),
        (NetworkChoice.NCSNPP, "edm", "goes with the processes ve, vp and subvp, not 'edm'"),
    ],
)
def test_processes_that_a_network_is_not_made_for(
    network: NetworkChoice, process: str, message: str
) -> None:
    with pytest.raises(BenchError, match=message):
        trainable(Settings(network=network), Subject(*CIFAR10, parse_process(process)))


def test_images_of_few_levels_are_refused() -> None:
    subject = Subject("digits", (1, 8, 8), 17, 0.0, 0.5, parse_process("vp"))
    with pytest.raises(BenchError, match=r"256 levels, 'digits' has 8x8 of 17"):
        trainable(Settings(network=NetworkChoice.DDPMPP), subject)


def test_sizes_of_other_networks_are_refused() -> None:
    with pytest.raises(BenchError, match="leave them out"):
        trainable(Settings(sizes=Sizes()), Subject(*MNIST, parse_process("edm")))


def test_unknown_preset_lists_those_that_are() -> None:
    with pytest.raises(BenchError, match=r"did you mean 'ncsnpp-ve'\?.*ddpmpp-vp, .*edm-ddpmpp"):
        preset_of("ncspp-ve")


def test_options_override_a_preset() -> None:
    settings = overridden(preset_of("ddpmpp-vp"), Overrides(width=64, batch=32, clip=0.0))
    assert settings.sizes == Sizes(width=64, dropout=0.1)
    assert (settings.batch, settings.clip, settings.ema_rates) == (32, 0.0, (0.9999,))


def test_naming_an_average_replaces_the_presets() -> None:
    settings = overridden(preset_of("ddpmpp-vp"), Overrides(ema_halflife=[5000], ema=[0.1]))
    assert (settings.ema, settings.ema_halflives, settings.ema_rates) == ((0.1,), (5000,), ())


def test_nothing_given_changes_nothing() -> None:
    for settings in (Settings(), *PRESETS.values()):
        assert overridden(settings, Overrides()) == settings


@pytest.mark.parametrize("text", ["[ve]", "{sigma_max: 3.0}", "{name: ve", "3"])
def test_malformed_process(text: str) -> None:
    with pytest.raises(BenchError, match="give a name such as vp"):
        parse_process(text)


def test_process_with_a_bad_parameter() -> None:
    with pytest.raises(BenchError, match=r"--process '.*sigma_mx"):
        parse_process("{name: ve, sigma_mx: 3.0}")


def test_the_documentation_has_every_preset() -> None:
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for name in PRESETS:
        assert f"`{name.removesuffix('-deep')}`" in text, name


@pytest.mark.parametrize("name", ["ncsnpp-ve", "ddpmpp-vp", "ddpmpp-subvp"])
def test_deep_presets_have_twice_the_blocks_and_fewer_steps(name: str) -> None:
    deep = preset_of(f"{name}-deep")
    assert deep.sizes == Sizes(blocks=8, dropout=0.1)
    assert deep.images == 950_001 * 128
    assert replace(deep, sizes=Sizes(dropout=0.1), images=1_300_001 * 128) == preset_of(name)
