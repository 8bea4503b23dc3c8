"""k-diffusion's networks and checkpoints against figures made outside of this repository."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.api import BenchError
from bench.files.contents import contents
from bench_plugins.checkpoints.k_diffusion import KDiffusion
from bench_plugins.checkpoints.k_diffusion_config import KDiffusionRecipe, recipe_of
from bench_plugins.checkpoints.networks.image_transformer_v2 import ImageTransformerV2
from bench_plugins.checkpoints.networks.image_v1 import ImageV1, ImageV1Config

CPU = torch.device("cpu")
FIXTURE = json.loads((Path(__file__).parent / "k_diffusion.json").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = FIXTURE["networks"]
U_NET, CLASSES = "image_v1", "image_transformer_v2, classes"

Dictionary = dict[str, Any]


def _recipe(case: Dictionary) -> KDiffusionRecipe:
    return recipe_of(json.dumps(case["config"]), "config.json")


def _network(recipe: KDiffusionRecipe) -> nn.Module:
    config = recipe.network
    return ImageV1(config) if isinstance(config, ImageV1Config) else ImageTransformerV2(config)


def _state(case: Dictionary, rule_of: Any) -> dict[str, Tensor]:
    """The weights of a fixture under the names of k-diffusion's file."""
    wrapped = case["config"]["model"].get("augment_wrapper", False)
    prefix = "inner_model." if wrapped else ""
    own = _network(_recipe(case)).double().state_dict()
    named = {prefix + name: tensor for name, tensor in own.items()}
    rule = rule_of(case["seed"])
    assert rule.keys(named) == case["keys"]
    made: dict[str, Tensor] = rule.weights(named)
    return made


def _write(path: Path, case: Dictionary, rule_of: Any, **more: object) -> KDiffusion:
    """A checkpoint as its training writes it."""
    state = _state(case, rule_of)
    other = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    content = {"config": case["config"], "model": other, "model_ema": state, "step": 1, **more}
    torch.save({name: item for name, item in content.items() if item is not None}, path)
    return KDiffusion(path=str(path))


def _denoised(model: KDiffusion, case: Dictionary, rule_of: Any, row: int) -> Tensor:
    rule, s = rule_of(case["seed"]), torch.tensor(case["s"], dtype=torch.float64)
    shape = (3, case["config"]["model"]["input_channels"], *case["config"]["model"]["input_size"])
    y = rule.input(shape) * (1 + s**2).sqrt()[:, None, None, None]
    found = []
    for dtype in (torch.float64, torch.float32):
        with torch.no_grad():
            loaded = model.load(CPU, dtype)
            found.append(loaded.alike()(y[row : row + 1].to(dtype), s[row].to(dtype)))
            assert found[-1].dtype == dtype
    scale = float(found[0].abs().max())
    assert float((found[0] - found[1]).abs().max()) < 1e-5 * scale
    return found[0]


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("title", list(CASES))
def test_denoisers_are_k_diffusions(title: str, row: int, rule_of: Any, tmp_path: Path) -> None:
    case = CASES[title]
    model = _write(tmp_path / "model.pth", case, rule_of)
    labels = case["labels"]
    if labels is not None:
        # The last entry of its table is no class.
        last = case["config"]["dataset"]["num_classes"]
        model = replace(model, label=-1 if labels[row] == last else labels[row])
    expected = case["output"][row]
    found = rule_of(case["seed"]).figures(_denoised(model, case, rule_of, row))
    # A network has the weights of its file in float32 first.
    assert found == pytest.approx(expected, abs=1e-5 * max(map(abs, expected)))


@pytest.mark.parametrize("title", list(CASES))
def test_networks_agree_in_float64(title: str, rule_of: Any) -> None:
    case = CASES[title]
    recipe, rule = _recipe(case), rule_of(case["seed"])
    network = _network(recipe).double().eval()
    network.load_state_dict(
        {name.removeprefix("inner_model."): t for name, t in _state(case, rule_of).items()}
    )
    s = torch.tensor(case["s"], dtype=torch.float64)
    y = rule.input((3, *recipe.shape)) * (1 + s**2).sqrt()[:, None, None, None]
    labels = None if case["labels"] is None else torch.tensor(case["labels"])
    variance = (s**2 + recipe.sigma_data**2)[:, None, None, None]
    sigma = s[:, None, None, None]
    with torch.no_grad():
        raw = network(y / variance.sqrt(), s.log() / 4, labels)
    d = recipe.sigma_data**2 / variance * y + sigma * recipe.sigma_data / variance.sqrt() * raw
    for row, expected in enumerate(case["output"]):
        scale = max(map(abs, expected))
        assert rule.figures(d[row : row + 1]) == pytest.approx(expected, abs=1e-10 * scale)


def test_neighbourhoods_and_windows_matter(rule_of: Any) -> None:
    """The fixtures could not tell a mask from none if all tokens saw each other anyway."""
    for title in ("image_transformer_v2, neighbourhoods", "image_transformer_v2, windows"):
        network = _network(_recipe(CASES[title]))
        masks = [mask for name, mask in network.named_buffers() if name.endswith("_mask")]
        assert masks
        assert all(bool(mask.any(1).all()) and not bool(mask.all()) for mask in masks)


_U = {"sigma_min": 0.01, "sigma_max": 80, "sigma_data": 0.5, "input_channels": 3}
_T = {**_U, "type": "image_transformer_v2"}
_FLOWERS = {
    **_T,
    "input_size": [256, 256],
    "patch_size": [4, 4],
    "depths": [2, 2, 4],
    "widths": [128, 256, 512],
}
_WINDOW = {"type": "shifted-window", "d_head": 64, "window_size": 8}
PUBLISHED: dict[str, tuple[Dictionary, int]] = {
    "config_cifar10.json": (
        {
            **_U,
            "type": "image_v1",
            "input_size": [32, 32],
            "mapping_out": 256,
            "depths": [2, 4, 4],
            "channels": [128, 256, 512],
            "self_attn_depths": [False, True, True],
        },
        0,
    ),
    "config_mnist.json": (
        {
            **_U,
            "type": "image_v1",
            "input_channels": 1,
            "input_size": [28, 28],
            "mapping_out": 256,
            "depths": [2, 4, 4],
            "channels": [128, 128, 256],
            "self_attn_depths": [False, False, True],
        },
        0,
    ),
    "config_cifar10_transformer.json": (
        {
            **_T,
            "input_size": [32, 32],
            "patch_size": [2, 2],
            "depths": [2, 4],
            "widths": [256, 512],
            "self_attns": [{"type": "global"}, {"type": "global"}],
        },
        10,
    ),
    "config_mnist_transformer.json": (
        {
            **_T,
            "input_channels": 1,
            "input_size": [28, 28],
            "patch_size": [4, 4],
            "depths": [8],
            "widths": [256],
        },
        10,
    ),
    "config_oxford_flowers.json": (_FLOWERS, 0),
    "config_oxford_flowers_shifted_window.json": (
        {**_FLOWERS, "self_attns": [_WINDOW, _WINDOW, {"type": "global", "d_head": 64}]},
        0,
    ),
}


@pytest.mark.parametrize("title", list(PUBLISHED))
def test_parameters_are_as_many_as_k_diffusions(title: str) -> None:
    model, classes = PUBLISHED[title]
    recipe = recipe_of(json.dumps({"model": model, "dataset": {"num_classes": classes}}), title)
    with torch.device("meta"):
        network = _network(recipe)
    assert sum(p.numel() for p in network.parameters()) == FIXTURE["counts"][title]


def _same(one: KDiffusion, two: KDiffusion, **tolerance: float) -> bool:
    y, s = torch.ones(2, 3, 16, 16), torch.tensor([0.5, 3.0])
    with torch.no_grad():
        a, b = (model.load(CPU, torch.float32).alike()(y, s) for model in (one, two))
    return torch.allclose(a, b, **tolerance)


def test_the_configuration_is_in_the_file_or_beside_it(rule_of: Any, tmp_path: Path) -> None:
    case = CASES[U_NET]
    inside = _write(tmp_path / "a.pth", case, rule_of)
    without = _write(tmp_path / "b.pth", case, rule_of, config=None)
    with pytest.raises(BenchError, match="as the parameter config"):
        without.load(CPU, torch.float32)
    beside = tmp_path / "config.json"
    beside.write_text(json.dumps(case["config"]), encoding="utf-8")
    given = replace(without, config=str(beside))
    assert _same(inside, given)
    loaded = given.load(CPU, torch.float32)
    assert (loaded.shape, loaded.s_min, loaded.s_max) == ((3, 16, 16), 0.01, 80)
    before = contents(given)
    changed = {**case["config"]["model"], "sigma_data": 0.6}
    beside.write_text(json.dumps({**case["config"], "model": changed}), encoding="utf-8")
    os.utime(beside, ns=(1, 1))
    assert contents(given) != before
    assert not _same(inside, given)


def test_slim_files_say_what_they_are(rule_of: Any, tmp_path: Path) -> None:
    """What convert_for_inference writes: half precision, and the configuration as text."""
    case, path = CASES[U_NET], tmp_path / "model.safetensors"
    state = _state(case, rule_of)
    half = {name: tensor.half() for name, tensor in state.items()}
    save_file(half, path, {"config": json.dumps(case["config"])})
    full = _write(tmp_path / "model.pth", case, rule_of)
    assert _same(KDiffusion(path=str(path)), full, atol=2e-2)
    assert not _same(KDiffusion(path=str(path)), full, atol=1e-6)
    save_file(half, path)
    with pytest.raises(BenchError, match="as the parameter config"):
        KDiffusion(path=str(path)).load(CPU, torch.float32)


def test_a_file_is_described(rule_of: Any, tmp_path: Path) -> None:
    case, path = CASES[CLASSES], tmp_path / "model.pth"
    _write(path, case, rule_of)
    recipe = _recipe(case)
    found = KDiffusion.describe(str(path))
    assert found == {
        "network": f"k-diffusion's ImageTransformerV2, sigma_data {recipe.sigma_data:g}",
        "parameters": sum(p.numel() for p in _network(recipe).parameters()),
        "data": recipe.data,
        "shape": list(recipe.shape),
        "classes": recipe.classes,
        "s": [recipe.sigma_min, recipe.sigma_max],
    }
    slim = tmp_path / "slim.safetensors"
    save_file({"a": torch.ones(1)}, slim, {"config": json.dumps(case["config"])})
    assert KDiffusion.describe(str(slim)) == found
    _write(path, {**case, "config": case["config"]}, rule_of, config=None)
    assert "set config" in str((KDiffusion.describe(str(path)) or {})["network"])
    save_file({"a": torch.ones(1)}, slim)
    torch.save({"model": {}, "ema": {}}, path)
    for other in (slim, path, tmp_path / "a.pkl"):
        assert KDiffusion.describe(str(other)) is None


def test_weights_are_the_moving_average_unless_asked(rule_of: Any, tmp_path: Path) -> None:
    model = _write(tmp_path / "model.pth", CASES[U_NET], rule_of)
    y = torch.ones(1, 3, 16, 16)
    loaded = replace(model, weights="model").load(CPU, torch.float32)
    # All weights of that entry are zero: what is left is the skip.
    assert torch.allclose(loaded.alike()(y, torch.tensor(0.5)), 0.5 * y)
    assert not _same(model, replace(model, weights="model"), atol=1e-2)


def test_classes(rule_of: Any, tmp_path: Path) -> None:
    model = _write(tmp_path / "model.pth", CASES[CLASSES], rule_of)
    assert not _same(replace(model, label=-1), replace(model, label=0), atol=1e-4)
    assert not _same(replace(model, label=1), replace(model, label=0), atol=1e-4)
    with pytest.raises(BenchError, match="has classes 0 to 9"):
        replace(model, label=10).load(CPU, torch.float32)
    u_net = _write(tmp_path / "u_net.pth", CASES[U_NET], rule_of)
    with pytest.raises(BenchError, match="knows no classes"):
        replace(u_net, label=0).load(CPU, torch.float32)


def test_noise_ranges(rule_of: Any, tmp_path: Path) -> None:
    model = _write(tmp_path / "model.pth", CASES[U_NET], rule_of)
    loaded = replace(model, s_min=0.1, s_max=50.0).load(CPU, torch.float32)
    assert (loaded.s_min, loaded.s_max) == (0.1, 50.0)
    with pytest.raises(BenchError, match="must be below"):
        replace(model, s_min=90.0).load(CPU, torch.float32)


def _changed(base: Dictionary, **change: object) -> Dictionary:
    return {**base, "model": {**base["model"], **change}}


_BAD: list[tuple[str, Callable[[Dictionary], Dictionary], str]] = [
    (U_NET, lambda c: {}, "model: Field required"),
    (U_NET, lambda c: _changed(c, type="image_transformer_v1"), "image_v1 and image_transformer"),
    (U_NET, lambda c: _changed(c, mistyped=1), "mistyped"),
    (U_NET, lambda c: _changed(c, cross_cond_dim=768), "cross_cond_dim"),
    (U_NET, lambda c: _changed(c, mapping_cond_dim=768), "mapping_cond_dim"),
    (U_NET, lambda c: _changed(c, unet_cond_dim=3), "unet_cond_dim"),
    (U_NET, lambda c: _changed(c, depths=[1]), "one entry for each"),
    (U_NET, lambda c: _changed(c, depths=[1, 10**6]), "from 1 to 64"),
    (U_NET, lambda c: _changed(c, input_size=[15, 15]), "divisible by 2"),
    (U_NET, lambda c: _changed(c, sigma_min=90), "sigma_min < sigma_max"),
    (U_NET, lambda c: _changed(c, sigma_data=0), "sigma_data"),
    (U_NET, lambda c: _changed(c, loss_config="simple", has_variance=True), "has_variance"),
    (U_NET, lambda c: _changed(c, channels=[32, 2**20]), "has shape"),
    (U_NET, lambda c: _changed(c, mapping_out=33), "even"),
    (U_NET, lambda c: _changed(c, skip_stages=2), "skip_stages"),
    (CLASSES, lambda c: {**c, "dataset": {"num_classes": "ten"}}, "whole number"),
    (CLASSES, lambda c: {**c, "dataset": {}}, "class_emb"),
    (CLASSES, lambda c: _changed(c, patch_size=[3, 3]), "divisible by the patches"),
    (CLASSES, lambda c: _changed(c, patch_size=[0, 1]), "patch_size"),
    (CLASSES, lambda c: _changed(c, self_attns=[{"type": "linear"}]), "'global'"),
    (CLASSES, lambda c: _changed(c, self_attns=[{"type": "global", "d_head": 12}]), "d_head"),
    (CLASSES, lambda c: _changed(c, self_attns=[{"type": "shifted-window"}]), "window_size"),
    (
        CLASSES,
        lambda c: _changed(c, self_attns=[{"type": "shifted-window", "window_size": 3}]),
        "must divide",
    ),
    (
        CLASSES,
        lambda c: _changed(c, self_attns=[{"type": "neighborhood", "kernel_size": 4}]),
        "must be odd",
    ),
    (CLASSES, lambda c: _changed(c, augment_wrapper=True), "augment_wrapper"),
    (CLASSES, lambda c: _changed(c, skip_stages=1), "skip_stages"),
]


@pytest.mark.parametrize(("title", "change", "message"), _BAD)
def test_configurations_that_cannot_be_are_refused(
    title: str,
    change: Callable[[Dictionary], Dictionary],
    message: str,
    rule_of: Any,
    tmp_path: Path,
) -> None:
    case = CASES[title]
    model = _write(tmp_path / "model.pth", case, rule_of, config=change(case["config"]))
    with pytest.raises(BenchError, match=message) as caught:
        model.load(CPU, torch.float32)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(rule_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    model = KDiffusion(path=str(path))
    for content, message in (
        ({"state_dict": {}}, "no entry 'model_ema'"),
        ([1], "no entry 'model_ema'"),
        ({"config": CASES[U_NET]["config"], "model_ema": {"a": "b"}}, "more than tensors"),
        ({"config": {"model": {1: torch.ones(1)}}, "model_ema": {"a": torch.ones(1)}}, "more than"),
    ):
        torch.save(content, path)
        with pytest.raises(BenchError, match=message):
            model.load(CPU, torch.float32)
    with pytest.raises(BenchError, match="fetch it and put it there"):
        contents(KDiffusion(path=str(tmp_path / "none.pth")))
    config = tmp_path / "none.json"
    with pytest.raises(BenchError, match=r"none\.json"):
        replace(_write(path, CASES[U_NET], rule_of), config=str(config)).load(CPU, torch.float32)


def test_a_program_in_the_file_is_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "model.pth"
    torch.save({"config": CASES[U_NET]["config"], "model_ema": Bomb()}, path)
    with pytest.raises(BenchError, match="refused, and nothing in it was run"):
        KDiffusion(path=str(path)).load(CPU, torch.float32)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("change", [{"path": ""}, {"label": -2}, {"s_min": 0.0}])
def test_wrong_parameters_are_refused(change: Dictionary) -> None:
    with pytest.raises(ValueError, match="must"):
        KDiffusion(**change)
