"""The model plugin of score_sde: scores as the authors define them, in normalised coordinates."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, NoiseProcess, UnsupportedError
from bench.files.contents import contents
from bench_plugins.checkpoints.common import Pixels
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp, NCSNppConfig
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.score_sde_recipes import PRESETS, ScoreSdeRecipe
from bench_plugins.score_sde.processes import VE, VP, SubVP

CPU = torch.device("cpu")
SMALL = NCSNppConfig(image_size=8, nf=8, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(4,))
POSITIONAL = replace(SMALL, embedding="positional", scale_by_sigma=False, centered=True)
RECIPES = {
    "ve": ScoreSdeRecipe("ve", True, "cifar10", SMALL),
    "vp": ScoreSdeRecipe("vp", True, "cifar10", POSITIONAL),
    "subvp": ScoreSdeRecipe("subvp", True, "cifar10", POSITIONAL),
    "ve, discrete": ScoreSdeRecipe("ve", False, "cifar10", replace(SMALL, embedding="positional")),
    "vp, discrete": ScoreSdeRecipe("vp", False, "cifar10", POSITIONAL),
}


def _network(recipe: ScoreSdeRecipe, rule: Any) -> NCSNpp:
    network = NCSNpp(recipe.network).double().eval()
    network.load_state_dict(rule.weights(network.state_dict()))
    return network.requires_grad_(True)


def _checkpoint(folder: Path, recipe: ScoreSdeRecipe, rule_of: Any) -> tuple[ScoreSde, NCSNpp]:
    """A file as the authors' trainer writes it, and the network of its moving averages."""
    averaged, last = _network(recipe, rule_of(1)), _network(recipe, rule_of(2))
    for name, parameter in averaged.named_parameters():
        parameter.requires_grad_(not name.endswith(".W") or "NIN" in name)
        if not parameter.requires_grad:  # the Fourier frequencies were never trained
            parameter.data.copy_(last.state_dict()[name])
    torch.save(
        {
            "optimizer": torch.optim.Adam(last.parameters()).state_dict(),
            "model": {f"module.{name}": t.float() for name, t in last.state_dict().items()},
            "ema": {
                "decay": 0.999,
                "num_updates": 5,
                "shadow_params": [
                    p.detach().float() for p in averaged.parameters() if p.requires_grad
                ],
            },
            "step": 5,
        },
        folder / "checkpoint.pth",
    )
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe)), encoding="utf-8")
    model = ScoreSde(path=str(folder / "checkpoint.pth"), recipe=str(folder / "recipe.json"))
    return model, averaged.float().double()


def _x(rule_of: Any) -> Tensor:
    x: Tensor = rule_of(3).input((2, 3, 8, 8))
    return x


@pytest.mark.parametrize(
    ("title", "process", "t"),
    [
        ("vp", VP(), 1e-3),
        ("vp", VP(), 0.4),
        ("vp", VP(), 1.0),
        ("subvp", SubVP(), 2e-3),
        ("subvp", SubVP(), 0.7),
        ("vp, discrete", VP(), None),
    ],
)
def test_vp_scores(
    title: str, process: NoiseProcess, t: float | None, rule_of: Any, tmp_path: Path
) -> None:
    model, network = _checkpoint(tmp_path, RECIPES[title], rule_of)
    x = _x(rule_of)
    if t is None:  # score = -net(x, i) / std_i at the trained levels of DDPM
        alpha2 = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 2e-2, 1000)))[700]
        alpha, sigma, label = alpha2.sqrt(), (1 - alpha2).sqrt(), 700.0
    else:  # score = -net(x, 999 t) / std(t)
        time = torch.tensor(t, dtype=torch.float64)
        alpha, sigma, label = process.alpha(time), process.sigma(time), 999 * t
    with torch.no_grad():
        score = -network(x, torch.tensor([label], dtype=torch.float64)) / sigma
        loaded = model.load(CPU, torch.float64)
        found = loaded.denoiser(x / alpha, sigma / alpha)
    assert torch.allclose(found, (x + sigma**2 * score) / alpha, rtol=1e-9, atol=1e-9)
    assert float(found.sub(x / alpha).abs().max()) > 1e-4


@pytest.mark.parametrize("title", ["ve", "ve, discrete"])
@pytest.mark.parametrize("level", [0, 300, 999])
def test_ve_scores(title: str, level: int, rule_of: Any, tmp_path: Path) -> None:
    # The authors' network sees images in [0, 1] with noise sigma; here both are twice as large.
    recipe = RECIPES[title]
    model, network = _checkpoint(tmp_path, recipe, rule_of)
    x = _x(rule_of)
    sigma = network.sigmas[level]
    condition = sigma if recipe.continuous else torch.tensor(float(level))
    with torch.no_grad():
        score = network(x, condition.reshape(1).double())
        expected = 2 * (x + sigma**2 * score) - 1
        loaded = model.load(CPU, torch.float64)
        found = loaded.denoiser(2 * x - 1, 2 * sigma)
    assert torch.allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert (loaded.s_min, loaded.s_max) == pytest.approx((0.02, 100.0))
    process = VE(sigma_min=0.02, sigma_max=100.0)
    assert process.s_range == pytest.approx((loaded.s_min, loaded.s_max))


@pytest.mark.parametrize("levels", [100, 37, 2000])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_vp_tables_have_num_scales_levels(
    levels: int, share: float, rule_of: Any, tmp_path: Path
) -> None:
    """The authors' VPSDE(N): betas beta / N, and label i = t (N - 1) at level i."""
    recipe = RECIPES["vp, discrete"]
    recipe = replace(recipe, network=replace(recipe.network, num_scales=levels))
    model, network = _checkpoint(tmp_path, recipe, rule_of)
    squares = np.cumprod(1 - np.linspace(0.1 / levels, 20 / levels, levels))
    ratios = np.sqrt((1 - squares) / squares)
    loaded = model.load(CPU, torch.float64)
    assert (loaded.s_min, loaded.s_max) == pytest.approx((ratios[0], ratios[-1]), rel=1e-12)
    i = round(share * (levels - 1))
    s, x = torch.tensor(ratios[i]), _x(rule_of)
    with torch.no_grad():
        eps = network(x, torch.tensor([float(i)], dtype=torch.float64))
        alpha = (1 + s**2).rsqrt()
        wanted = (x - alpha * s * eps) / alpha
        torch.testing.assert_close(loaded.denoiser(x / alpha, s), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("levels", [50, 2000])
def test_ve_tables_have_num_scales_levels(levels: int, rule_of: Any, tmp_path: Path) -> None:
    recipe = RECIPES["ve, discrete"]
    recipe = replace(recipe, network=replace(recipe.network, num_scales=levels))
    model, network = _checkpoint(tmp_path, recipe, rule_of)
    loaded, x = model.load(CPU, torch.float64), _x(rule_of)
    assert (loaded.s_min, loaded.s_max) == pytest.approx((0.02, 100.0))
    for level in (0, levels // 2, levels - 1):  # label 0 is the highest
        sigma = 50.0 * (0.01 / 50.0) ** (level / (levels - 1))
        with torch.no_grad():
            score = network(x, torch.tensor([float(level)]).double())
            found = loaded.denoiser(2 * x - 1, torch.tensor(2 * sigma).double())
        assert torch.allclose(found, 2 * (x + sigma**2 * score) - 1, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("title", ["vp", "subvp", "ve"])
def test_continuous_networks_do_not_depend_on_num_scales(
    title: str, rule_of: Any, tmp_path: Path
) -> None:
    """The authors tell VP and sub-VP 999 t, whatever N."""
    recipe = RECIPES[title]
    model, _ = _checkpoint(tmp_path, recipe, rule_of)
    other = replace(recipe, network=replace(recipe.network, num_scales=100))
    (tmp_path / "other").mkdir()
    second, _ = _checkpoint(tmp_path / "other", other, rule_of)
    one, two = model.load(CPU, torch.float64), second.load(CPU, torch.float64)
    y, s = _x(rule_of), torch.tensor(1.5, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(one.denoiser(y, s), two.denoiser(y, s))
    assert (one.s_min, one.s_max) == (two.s_min, two.s_max)


def test_noise_ranges(rule_of: Any, tmp_path: Path) -> None:
    for title, process in (("vp", VP()), ("subvp", SubVP())):
        model, _ = _checkpoint(tmp_path, RECIPES[title], rule_of)
        loaded = model.load(CPU, torch.float32)
        assert (loaded.s_min, loaded.s_max) == pytest.approx(
            (process.at(1e-3).s, process.at(1.0).s), rel=1e-9
        )
    model, _ = _checkpoint(tmp_path, RECIPES["vp, discrete"], rule_of)
    loaded = model.load(CPU, torch.float32)
    alpha2 = np.cumprod(1 - np.linspace(1e-4, 2e-2, 1000))
    ends = np.sqrt((1 - alpha2) / alpha2)[[0, -1]]
    assert (loaded.s_min, loaded.s_max) == pytest.approx(tuple(ends), rel=1e-6)


def test_labels_between_trained_levels_are_interpolated() -> None:
    table = LevelTable.of_betas(torch.linspace(1e-4, 2e-2, 1000))
    s = table.logs.exp()
    assert torch.allclose(table.label(s), torch.arange(1000.0).double(), atol=1e-9)
    between = (s[10] * s[11]).sqrt()
    assert float(table.label(between[None])) == pytest.approx(10.5)
    ends = torch.tensor([1e-9, 1e9], dtype=torch.float64)
    assert torch.allclose(table.label(ends), torch.tensor([0.0, 999.0]).double())


def test_ema_or_model_weights(rule_of: Any, tmp_path: Path) -> None:
    model, _ = _checkpoint(tmp_path, RECIPES["ve"], rule_of)
    y, s = _x(rule_of).float(), torch.tensor(1.0)
    with torch.no_grad():
        ema = model.load(CPU, torch.float32).denoiser(y, s)
        last = replace(model, weights="model").load(CPU, torch.float32).denoiser(y, s)
        rows = model.load(CPU, torch.float32).denoiser(y, torch.ones(2))
    assert not torch.allclose(ema, last, atol=1e-3)
    assert torch.allclose(ema, rows, atol=1e-5)
    assert ema.dtype == torch.float32


def test_converted_files_describe_themselves(rule_of: Any, tmp_path: Path) -> None:
    model, _ = _checkpoint(tmp_path, RECIPES["ve"], rule_of)
    target = tmp_path / "converted.safetensors"
    model.export(target)
    converted = ScoreSde(path=str(target))
    y, s = _x(rule_of).float(), torch.tensor(1.0)
    with torch.no_grad():
        one, two = (m.load(CPU, torch.float32) for m in (model, converted))
        assert torch.equal(one.denoiser(y, s), two.denoiser(y, s))
    assert (one.s_min, one.s_max, one.target.data) == (two.s_min, two.s_max, two.target.data)
    described = ScoreSde.describe(str(target))
    assert described is not None
    assert (described["data"], described["shape"]) == ("cifar10", [3, 8, 8])
    assert described["s"] == [one.s_min, one.s_max]
    for name in ("a.pth", "none/a.safetensors"):
        with pytest.raises(BenchError, match=r"must end in \.safetensors|cannot be written"):
            model.export(tmp_path / name)
    with pytest.raises(BenchError, match="give the parameter preset"):
        ScoreSde(path=model.path).export(target)


def test_wrong_files_say_what_to_do(rule_of: Any, tmp_path: Path) -> None:
    model, network = _checkpoint(tmp_path, RECIPES["ve"], rule_of)
    path = Path(model.path)
    with pytest.raises(BenchError, match="give the parameter preset"):
        replace(model, recipe="").load(CPU, torch.float32)
    with pytest.raises(BenchError, match="moving averages, the network has"):
        replace(model, recipe="", preset="ve/cifar10_ncsnpp_deep_continuous").load(
            CPU, torch.float32
        )
    with pytest.raises(BenchError, match="fetch it and put it there"):
        contents(replace(model, path=str(tmp_path / "none.pth")))
    state = {f"module.{name}": t for name, t in network.state_dict().items()}
    for content, message in [
        ({"model": state}, "has no moving average"),
        ({"weights": state}, "no entry 'model'"),
        ([1], "no entry 'model'"),
        ({"model": {"a": 1}, "ema": {}}, "more than tensors"),
        ({"model": state, "ema": {"shadow_params": [torch.ones(1)]}}, "has 1 moving averages"),
        ({"model": state, "ema": None}, "has no moving averages"),
    ]:
        torch.save(content, path)
        with pytest.raises(BenchError, match=message):
            model.load(CPU, torch.float32)
    wide = replace(model, weights="model")
    missing = dict(list(state.items())[:-1])
    reshaped = {**state, list(state)[-1]: torch.ones(7)}
    for content, message in [
        ({"model": missing}, "lacks 'all_modules"),
        ({"model": reshaped}, r"shape \(7,\)"),
        ({"model": {**state, "other": torch.ones(1)}}, "holds 'other'"),
    ]:
        torch.save(content, path)
        with pytest.raises(BenchError, match=message):
            wide.load(CPU, torch.float32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the whole"),
        ('{"sde": "xx"}', "sde"),
        ('{"sde": "ve", "continuous": true, "data": "a", "network": {"nf": 10}}', "multiple of 4"),
        ('{"sde": "ve", "continuous": true, "data": "a", "network": {"width": 8}}', "width"),
        ('{"sde": "vp", "continuous": true, "data": "a", "network": {}}', "positional"),
        (
            '{"sde": "vp", "continuous": false, "data": "a", "network": {"embedding": "positional",'
            ' "scale_by_sigma": false, "centered": true, "num_scales": 10}}',
            "beta_max must be below",
        ),
    ],
)
def test_wrong_recipes_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path, recipe = tmp_path / "a.safetensors", tmp_path / "recipe.json"
    recipe.write_text(text, encoding="utf-8")
    torch.save({"model": {}}, path.with_suffix(".pth"))
    with pytest.raises(BenchError, match=message) as caught:
        ScoreSde(path=str(path.with_suffix(".pth")), recipe=str(recipe)).load(CPU, torch.float32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"preset": "x"}, {"path": ""}, {"t_min": 0.0}, {"preset": "vp/ddpm/cifar10", "recipe": "a"}],
)
def test_wrong_parameters_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|exclude"):
        ScoreSde(**change)


def test_presets_are_networks() -> None:
    with torch.device("meta"):
        for config in {recipe.network for recipe in PRESETS.values()}:
            assert len(NCSNpp(config).sigmas) == config.num_scales


def test_pixels_are_rounded_to_the_nearest_level() -> None:
    pixels = Pixels(256, lambda: torch.zeros(0))
    levels = torch.arange(256)
    for shift in (-0.4, 0.0, 0.4):
        assert torch.equal(pixels.quantise((levels + shift) / 127.5 - 1), levels.to(torch.uint8))
    assert pixels.quantise(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_held_out_images_come_from_a_file(rule_of: Any, tmp_path: Path) -> None:
    model, _ = _checkpoint(tmp_path, RECIPES["ve"], rule_of)
    images = np.zeros((4, 3, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", samples=images)
    np.savez(tmp_path / "floats.npz", samples=images.astype(np.float32))
    for held_out, error in (
        (None, UnsupportedError),
        (str(tmp_path / "images.npz"), None),
        (str(tmp_path / "floats.npz"), BenchError),
    ):
        discrete = replace(model, held_out=held_out).load(CPU, torch.float32).target.discrete
        assert discrete is not None
        if error is None:
            assert tuple(discrete.held_out().shape) == (4, 3, 8, 8)
        else:
            with pytest.raises(error, match=r"held-out|uint8"):
                discrete.held_out()
