"""The model plugin of EDM: its pickles, its preconditionings, its classes."""

from __future__ import annotations

import json
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.api import NO_CLASS, BenchError, Conditional
from bench.files.contents import contents
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.edm_precond import EdmRecipe, iddpm_levels
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig

CPU = torch.device("cpu")
CASES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "edm.json").read_text(encoding="utf-8")
)["preconditionings"]
OUTER = {"edm": "EDMPrecond", "vp": "VPPrecond", "ve": "VEPrecond", "iddpm": "iDDPMPrecond"}


class Persistent:
    """Pickles as EDM's `torch_utils.persistence` does: a call with source text and state."""

    def __init__(self, kind: str, state: dict[str, Any]) -> None:
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('was executed')",
            "class_name": kind,
            "state": state,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        function = sys.modules["torch_utils.persistence"].__dict__["_reconstruct_persistent_obj"]
        return function, (self.meta,), None


@pytest.fixture(autouse=True)
def _persistence() -> Iterator[None]:
    module = types.ModuleType("torch_utils.persistence")

    def _reconstruct_persistent_obj(meta: object) -> None:
        raise AssertionError("was executed")

    _reconstruct_persistent_obj.__module__ = module.__name__
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    module.__dict__["_reconstruct_persistent_obj"] = _reconstruct_persistent_obj
    sys.modules["torch_utils"] = types.ModuleType("torch_utils")
    sys.modules[module.__name__] = module
    yield
    sys.modules.pop("torch_utils")
    sys.modules.pop(module.__name__)


def _tree(module: nn.Module, kind: str, **more: object) -> Persistent:
    state = {
        "training": False,
        "_parameters": OrderedDict((k, v) for k, v in module._parameters.items()),
        "_buffers": OrderedDict(
            (k, v) for k, v in module._buffers.items() if k in module.state_dict()
        ),
        "_modules": OrderedDict(
            (name, _tree(part, type(part).__name__)) for name, part in module._modules.items()
        ),
    }
    return Persistent(kind, {**state, **more})


def _write(path: Path, case: dict[str, Any], name: str, rule_of: Any, **outer: object) -> None:
    """The network of a fixture, pickled with EDM's layout."""
    config = EdmUnetConfig(**_tuples(case["config"]))
    network = EdmUnet(config)
    prefixed = {f"model.{key}": tensor for key, tensor in network.state_dict().items()}
    if name == "iddpm":  # the outer module's buffer comes first
        prefixed = {"u": torch.zeros(1001), **prefixed}
    weights = rule_of(case["seed"]).weights(prefixed)
    network.load_state_dict({k[6:]: v for k, v in weights.items() if k.startswith("model.")})
    asked = {key: item for key, item in case["config"].items() if key != "family"}
    kind = "DhariwalUNet" if config.family == "dhariwal" else "SongUNet"
    inner = _tree(network, kind, _init_kwargs={**asked, "dropout": 0.13}, _init_args=())
    state = {
        "_parameters": OrderedDict(),
        "_buffers": OrderedDict(),
        "_modules": OrderedDict(model=inner),
        "sigma_min": case["sigma_min"],
        "sigma_max": float("inf") if name == "edm" else case["sigma_max"],
        **outer,
    }
    if name == "edm":
        state["sigma_data"] = 0.5
    content = {
        "ema": Persistent(OUTER[name], state),
        "loss_fn": Persistent("EDMLoss", {"P_mean": -1.2}),
        "augment_pipe": None,
        "dataset_kwargs": {"path": "./datasets/cifar10-32x32.zip"},
    }
    path.write_bytes(pickle.dumps(content))


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in record.items()}


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("row", [0, 1, 2])
def test_denoisers_are_the_authors(name: str, row: int, rule_of: Any, tmp_path: Path) -> None:
    case, path = CASES[name], tmp_path / "network.pkl"
    _write(path, case, name, rule_of)
    model = Edm(path=str(path), label=case["classes"][row], s_max=case["s"][-1])
    rule = rule_of(case["seed"])
    for dtype in (torch.float32, torch.float64):
        loaded = model.load(CPU, dtype)
        s = torch.tensor(case["s"], dtype=torch.float64)
        y = rule.input((3, 3, 16, 16)) * (1 + s**2).sqrt()[:, None, None, None]
        with torch.no_grad():
            found = loaded.alike()(y[row : row + 1].to(dtype), s[row].to(dtype))
        scale = max(map(abs, case["output"][row]))
        assert found.dtype == dtype
        # The authors' figures are float32's.
        assert rule.figures(found) == pytest.approx(case["output"][row], abs=1e-5 * scale)
    assert loaded.target.data == "cifar10-32x32"
    assert loaded.shape == (3, 16, 16)


def test_iddpm_levels_follow_the_recursion() -> None:
    recipe = EdmRecipe("iddpm", EdmUnetConfig(), M=50)
    levels = iddpm_levels(recipe)

    def bar(j: int) -> Tensor:
        angle = 0.5 * torch.pi * j / 50 / 1.008
        return torch.tensor(angle, dtype=torch.float64).sin() ** 2

    u = torch.zeros((), dtype=torch.float64)
    for j in range(50, 0, -1):
        u = ((u**2 + 1) / (bar(j - 1) / bar(j)).clamp_min(1e-3) - 1).sqrt()
        assert float(levels[j - 1]) == pytest.approx(float(u), rel=1e-9)


def test_noise_ranges_are_those_of_the_sampler(rule_of: Any, tmp_path: Path) -> None:
    for name, expected in (("edm", (0.002, 80.0)), ("ve", (0.02, 80.0)), ("vp", (0.002, 80.0))):
        path = tmp_path / f"{name}.pkl"
        _write(path, CASES[name], name, rule_of)
        model = Edm(path=str(path))
        loaded = model.load(CPU, torch.float32)
        assert (loaded.s_min, loaded.s_max) == pytest.approx(expected)
    assert replace(model, s_max=150.0).load(CPU, torch.float32).s_max == 150.0
    with pytest.raises(BenchError, match="was asked, but"):
        replace(model, s_max=1000.0).load(CPU, torch.float32)


def test_classes(rule_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.pkl"
    _write(path, CASES["edm"], "edm", rule_of)
    y, s = rule_of(1).input((2, 3, 16, 16)).float(), torch.tensor(1.0)
    with torch.no_grad():
        none, one, two = (
            Edm(path=str(path), label=label).load(CPU, torch.float32).alike()(y, s)
            for label in (-1, 1, 2)
        )
    assert not torch.allclose(none, one, atol=1e-3)
    assert not torch.allclose(one, two, atol=1e-3)
    with pytest.raises(BenchError, match="has classes 0 to 9"):
        Edm(path=str(path), label=10).load(CPU, torch.float32)
    drawn = Edm(path=str(path)).load(CPU, torch.float32).denoiser
    assert isinstance(drawn, Conditional)
    assert drawn.plain
    with torch.no_grad():
        each, free = (drawn.network(y, s, torch.tensor(c)) for c in ([1, 2], [NO_CLASS] * 2))
    torch.testing.assert_close(each, torch.stack([one[0], two[1]]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(free, none, rtol=1e-4, atol=1e-5)
    dealt = Edm(path=str(path), label="balanced").load(CPU, torch.float32).denoiser
    assert isinstance(dealt, Conditional)
    assert dealt.labels(0, 0, 50, CPU).bincount().tolist() == [5] * 10


def test_an_unconditional_network_has_no_classes(rule_of: Any, tmp_path: Path) -> None:
    path, case = tmp_path / "network.pkl", CASES["vp"]
    _write(path, {**case, "config": {**case["config"], "label_dim": 0}}, "vp", rule_of)
    assert not isinstance(Edm(str(path)).load(CPU, torch.float32).denoiser, Conditional)
    asked: list[dict[str, Any]] = [{"label": 0}, {"label": "balanced"}]
    for model in (Edm(path=str(path), **options) for options in asked):
        with pytest.raises(BenchError, match="knows no classes"):
            model.load(CPU, torch.float32)


def test_safetensors_are_the_same_network(rule_of: Any, tmp_path: Path) -> None:
    path, safe = tmp_path / "network.pkl", tmp_path / "network.safetensors"
    _write(path, CASES["edm"], "edm", rule_of)
    Edm(path=str(path)).export(safe)
    y, s = rule_of(1).input((2, 3, 16, 16)).float(), torch.tensor(1.0)
    with torch.no_grad():
        one, two = (
            Edm(str(p), label=1).load(CPU, torch.float32).alike()(y, s) for p in (path, safe)
        )
    assert torch.equal(one, two)
    save_file({"a": torch.ones(1)}, safe)
    with pytest.raises(BenchError, match="does not say what network it is"):
        Edm(path=str(safe)).load(CPU, torch.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_channels": 2**16, "num_blocks": 64}, "has shape"),
        ({"model_channels": 2**40}, "no numbers and names"),
        ({"num_blocks": 10_000}, "must be <= 64"),
        ({"model_channels": [1]}, "valid integer"),
        ({"embedding_type": "other"}, "'positional' or 'fourier'"),
        ({"channel_mult": [1, 2, 2]}, "lacks|has shape"),
        ({"channel_mult": None}, "no numbers and names"),
    ],
)
def test_sizes_that_lie_are_refused(
    change: dict[str, Any], message: str, rule_of: Any, tmp_path: Path
) -> None:
    path, case = tmp_path / "network.pkl", CASES["edm"]
    network = EdmUnet(EdmUnetConfig(**_tuples(case["config"])))
    told = {key: item for key, item in case["config"].items() if key != "family"}
    inner = _tree(network, "SongUNet", _init_kwargs={**told, **change})
    outer = Persistent("EDMPrecond", {"_modules": {"model": inner}})
    path.write_bytes(pickle.dumps({"ema": outer}))
    with pytest.raises(BenchError, match=message) as caught:
        Edm(path=str(path)).load(CPU, torch.float32)
    assert "\n" not in str(caught.value)


def test_other_pickles_are_refused(rule_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.pkl"
    net = {"_modules": {"model": Persistent("Other", {})}}
    bare = {"_modules": {"model": Persistent("SongUNet", {})}}
    for content, message in [
        ({"G_ema": 1}, "no network under 'ema'"),
        ([], "no network under 'ema'"),
        ({"ema": Persistent("Generator", {})}, "no network under 'ema'"),
        ({"ema": Persistent("EDMPrecond", {})}, "neither a SongUNet"),
        ({"ema": Persistent("EDMPrecond", net)}, "neither a SongUNet"),
        ({"ema": Persistent("EDMPrecond", bare)}, "does not say by name how it was made"),
    ]:
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(BenchError, match=message):
            Edm(path=str(path)).load(CPU, torch.float32)
    _write(path, CASES["edm"], "edm", rule_of, sigma_min="low")
    with pytest.raises(BenchError, match="are no numbers"):
        Edm(path=str(path)).load(CPU, torch.float32)
    with pytest.raises(BenchError, match="fetch it and put it there"):
        contents(Edm(path=str(tmp_path / "none.pkl")))


def test_keys_that_are_not_known_are_refused_by_name(rule_of: Any, tmp_path: Path) -> None:
    path, case = tmp_path / "network.pkl", CASES["edm"]
    known = {"img_resolution": 16, "label_dim": case["config"].get("label_dim", 0)}
    _write(path, case, "edm", rule_of, use_fp16=True, training=False, _extra=1, **known)
    Edm(path=str(path)).load(CPU, torch.float32)
    for outer, message in [
        ({"sigma_shift": 1.0}, r"network\.pkl: EDMPrecond: sigma_shift: a key that is not known"),
        ({"label_dim": 77}, "its label_dim is not its network's"),
        ({"img_channels": 1}, "its img_channels is not its network's, 3"),
    ]:
        _write(path, case, "edm", rule_of, **outer)
        with pytest.raises(BenchError, match=message):
            Edm(path=str(path)).load(CPU, torch.float32)
    told = {key: item for key, item in case["config"].items() if key != "family"}
    network = EdmUnet(EdmUnetConfig(**_tuples(case["config"])))
    for made, message in [
        ({"_init_kwargs": {**told, "rope": True}}, "SongUNet: rope: a key that is not known"),
        ({"_init_kwargs": told, "_init_args": (16,)}, "does not say by name"),
    ]:
        inner = _tree(network, "SongUNet", **made)
        outer = Persistent("EDMPrecond", {"_modules": {"model": inner}})
        path.write_bytes(pickle.dumps({"ema": outer}))
        with pytest.raises(BenchError, match=message):
            Edm(path=str(path)).load(CPU, torch.float32)
    path.write_bytes(pickle.dumps({"ema": outer, "post_hoc": 1}))
    with pytest.raises(BenchError, match="post_hoc: a key that is not known"):
        Edm(path=str(path)).load(CPU, torch.float32)


@pytest.mark.parametrize("change", [{"path": ""}, {"label": -2}, {"s_min": 0.0}])
def test_wrong_parameters_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        Edm(**change)
