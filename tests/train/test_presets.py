"""Presets against the published recipes, and what the command line makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.api import BenchError, Trainable, TrainingTask
from bench_plugins.checkpoints.score_sde_recipes import PRESETS as SCORE_SDE
from bench_plugins.checkpoints.trainable import Ddpmpp, EdmDdpmpp, Ncsnpp
from bench_train.options.computation import ComputationOptions
from bench_train.options.network import NetworkOptions
from bench_train.options.objective import ObjectiveOptions
from bench_train.options.optimisation import AverageOptions, OptimiserOptions
from bench_train.overrides import override
from bench_train.plugin_options import parse_network, parse_process
from bench_train.presets import PRESETS, preset_of
from bench_train.settings import Settings, Sizes

CIFAR10 = ("cifar10", (3, 32, 32), 256, 0.0, 0.5)
MNIST = ("mnist", (1, 28, 28), 256, -0.7, 0.6)
Data = tuple[str, tuple[int, ...], int, float, float]


def _network(name: str) -> Trainable:
    settings = preset_of(name)
    return parse_network(settings.network, settings.sizes)


def _task(name: str, data: Data) -> TrainingTask:
    return TrainingTask(*data, parse_process(preset_of(name).process))


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
    ours = _network(name)
    assert isinstance(ours, Ncsnpp | Ddpmpp)
    expected = SCORE_SDE[theirs]
    recipe = ours.recipe(_task(name, CIFAR10))
    assert recipe == replace(expected, network=replace(expected.network, dropout=0.1))


@pytest.mark.parametrize(
    ("name", "millions"),
    [("ncsnpp-ve", 62.76), ("ddpmpp-vp", 61.80), ("edm-ddpmpp", 55.73), ("edm-ncsnpp", 56.40)],
)
def test_networks_have_the_published_sizes(name: str, millions: float) -> None:
    with torch.device("meta"):
        network = _network(name).build(_task(name, CIFAR10))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("name", [name for name in PRESETS if name.endswith("-small")])
def test_small_networks_fit_mnist(name: str) -> None:
    network = _network(name).build(_task(name, MNIST))
    y, s = torch.zeros(2, 1, 28, 28), torch.tensor([0.1, 3.0])
    assert network(y, s).shape == y.shape
    assert sum(parameter.numel() for parameter in network.parameters()) < 4e5


@pytest.mark.parametrize("name", ["ncsnpp-ve", "edm-ddpmpp", "ddpmpp-vp-small"])
def test_ve_trains_on_levels_of_images_from_minus_one_to_one(name: str) -> None:
    network, task = _network(name), _task(name, CIFAR10)
    if isinstance(network, EdmDdpmpp):
        assert network.recipe(task).sigma_min == pytest.approx(0.002)
        return
    assert isinstance(network, Ncsnpp | Ddpmpp)
    recipe = network.recipe(task)
    assert (recipe.network.sigma_min, recipe.network.sigma_max) == (0.01, 50.0)


def test_too_many_levels_for_the_image_name_the_way_out() -> None:
    with pytest.raises(BenchError, match=r"divisible by two.*-small"):
        _network("ncsnpp-ve").build(_task("ncsnpp-ve", MNIST))


@pytest.mark.parametrize(
    ("network", "process", "message"),
    [
        ("ddpmpp", "ve", "goes with the processes vp and subvp, not 've'"),
        ("ncsnpp", "edm", "goes with the processes ve, vp and subvp, not 'edm'"),
    ],
)
def test_processes_that_a_network_is_not_made_for(network: str, process: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        parse_network(network, Sizes()).build(TrainingTask(*CIFAR10, parse_process(process)))


def test_images_of_few_levels_are_refused() -> None:
    task = TrainingTask("digits", (1, 8, 8), 17, 0.0, 0.5, parse_process("vp"))
    with pytest.raises(BenchError, match=r"256 levels, 'digits' has 8x8 of 17"):
        parse_network("ddpmpp", Sizes()).build(task)


def test_sizes_of_other_networks_are_refused() -> None:
    with pytest.raises(BenchError, match="leave them out"):
        parse_network("auto", Sizes(width=64))


def test_unknown_preset_lists_those_that_are() -> None:
    with pytest.raises(BenchError, match=r"did you mean 'ncsnpp-ve'\?.*ddpmpp-vp, .*edm-ddpmpp"):
        preset_of("ncspp-ve")


def test_options_override_a_preset() -> None:
    options = NetworkOptions(width=64), OptimiserOptions(batch=32, clip=0.0)
    settings = override(preset_of("ddpmpp-vp"), *options)
    assert settings.sizes == Sizes(width=64, mults=(1, 2, 2, 2), blocks=4, dropout=0.1)
    assert (settings.batch, settings.clip, settings.ema_rates) == (32, 0.0, (0.9999,))


def test_naming_an_average_replaces_the_presets() -> None:
    settings = override(preset_of("ddpmpp-vp"), AverageOptions(ema_halflife=[5000], ema=[0.1]))
    assert (settings.ema, settings.ema_halflives, settings.ema_rates) == ((0.1,), (5000,), ())


def test_nothing_given_changes_nothing() -> None:
    nothing = (
        NetworkOptions(),
        ObjectiveOptions(),
        OptimiserOptions(),
        AverageOptions(),
        ComputationOptions(),
    )
    for settings in (Settings(), *PRESETS.values()):
        assert override(settings, *nothing) == settings


def test_sizes_of_a_preset_are_not_those_of_other_networks() -> None:
    settings = override(preset_of("ddpmpp-vp"), NetworkOptions(network="mlp"))
    assert settings.sizes == Sizes()
    settings = override(preset_of("ddpmpp-vp"), NetworkOptions(network="ncsnpp", blocks=2))
    assert settings.sizes == Sizes(128, (1, 2, 2, 2), 2, 0.1)


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
    assert deep.sizes == Sizes(128, (1, 2, 2, 2), blocks=8, dropout=0.1)
    assert deep.images == 950_001 * 128
    flat = replace(deep.sizes, blocks=4)
    assert replace(deep, sizes=flat, images=1_300_001 * 128) == preset_of(name)
