"""Networks in half precision, TF32 and compiled: what changes, and what must not."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.api import BenchError, ScoreModel
from bench_plugins.checkpoints.module import ModuleModel
from bench_plugins.checkpoints.precision import NetworkModel, Running

CPU = torch.device("cpu")
KINDS = ("edm", "ncsnpp", "ddpmpp", "diffusers", "image_v1", "hdit")

Half = Literal["bfloat16", "float16"]
# Unit roundoff 2^-9 and 2^-12; a network of some twenty layers adds up a few of them.
ERRORS: dict[Half, float] = {"bfloat16": 3e-2, "float16": 4e-3}


def _levels(loaded: ScoreModel) -> list[float]:
    return [loaded.s_min, 0.5, 5.0, loaded.s_max]


def _y(loaded: ScoreModel, s: float, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((2, *loaded.shape), generator=generator).to(dtype) * (1 + s * s) ** 0.5


def _rms(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())


@pytest.mark.parametrize("half", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_near(kind: str, half: Half, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    exact = model.load(CPU, torch.float32)
    rounded = replace(model, precision=half).load(CPU, torch.float32)
    for s in _levels(exact):
        y = _y(exact, s)
        with torch.no_grad():
            d, found = (m.alike()(y, torch.tensor(s)) for m in (exact, rounded))
        assert found.dtype == torch.float32
        # Preconditioning is exact: only the network's part of D, y - D = s eps, has errors.
        assert _rms(found - d) < ERRORS[half] * _rms(y - d)
        assert not torch.equal(found, d)  # the choice does something


@pytest.mark.parametrize("kind", ["edm", "image_v1", "hdit"])
def test_errors_are_bounded_by_the_data_where_the_preconditioning_bounds_them(
    kind: str, zoo: Any
) -> None:
    """c_out is at most sigma_data: at s = 80 the error does not grow with s."""
    model: NetworkModel = zoo.model(kind)
    exact = model.load(CPU, torch.float32)
    rounded = replace(model, precision="float16").load(CPU, torch.float32)
    y, s = _y(exact, 80.0), torch.tensor(80.0)
    with torch.no_grad():
        gap = _rms(exact.alike()(y, s) - rounded.alike()(y, s))
    assert gap < 4e-3


@pytest.mark.parametrize("half", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_stays_finite_at_the_highest_noise(kind: str, half: Half, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    loaded = replace(model, precision=half).load(CPU, torch.float32)
    for s in (loaded.s_min, 80.0, 100.0, loaded.s_max):
        with torch.no_grad():
            d = loaded.alike()(_y(loaded, s), torch.tensor(s))
        assert bool(torch.isfinite(d).all())
    if kind == "ncsnpp":
        assert loaded.s_max == 2696.0  # not scaled down by any c_in


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_keeps_the_dtype_of_the_protocol(kind: str, zoo: Any) -> None:
    """With float64 outside, float32 inside is as near as float32 is, and no nearer."""
    model: NetworkModel = zoo.model(kind)
    exact = model.load(CPU, torch.float64)
    mixed = replace(model, precision="float32").load(CPU, torch.float64)
    s = 0.5
    y = _y(exact, s, torch.float64)
    with torch.no_grad():
        d, found = (m.alike()(y, torch.tensor(s, dtype=torch.float64)) for m in (exact, mixed))
    assert found.dtype == torch.float64
    assert 1e-10 < _rms(found - d) / _rms(y - d) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_unless_asked(kind: str, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    y, s = _y(model.load(CPU, torch.float32), 2.0), torch.tensor(2.0)
    with torch.no_grad():
        plain, named, tf32 = (
            replace(model, precision=precision).load(CPU, torch.float32).alike()(y, s)
            for precision in (None, "float32", "tf32")
        )
    assert torch.equal(plain, named)
    assert torch.equal(plain, tf32)  # a CPU has none


@pytest.mark.parametrize("half", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow(kind: str, half: Half, zoo: Any) -> None:
    """Products with the Jacobian, as likelihoods need them, in the dtype of the state."""
    model: NetworkModel = zoo.model(kind)
    products = []
    for precision in (None, half):
        loaded = replace(model, precision=precision).load(CPU, torch.float32)
        y = _y(loaded, 1.0).requires_grad_()
        d = loaded.alike()(y, torch.tensor(1.0))
        probe = torch.ones_like(y)
        probe[..., ::2] = -1.0
        (product,) = torch.autograd.grad((d * probe).sum(), y)
        assert product.dtype == torch.float32
        products.append(product)
    assert _rms(products[0] - products[1]) < 2 * ERRORS[half] * _rms(products[0])


class Watched(nn.Module):
    """Notes in what arithmetic it is called."""

    seen: list[tuple[object, ...]]

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        self.seen.append(
            (
                torch.backends.cudnn.allow_tf32,
                torch.backends.cuda.matmul.allow_tf32,
                torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None,
                y.dtype,
                s.dtype,
            )
        )
        return y


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleModel:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr(Watched, "seen", seen, raising=False)
    module = type(sys)("watched_nets")
    module.__dict__["Watched"] = Watched
    module.__spec__ = type(pytest.__spec__)("watched_nets", None) if pytest.__spec__ else None
    monkeypatch.setitem(sys.modules, "watched_nets", module)
    save_file({}, tmp_path / "none.safetensors")
    weights = str(tmp_path / "none.safetensors")
    return ModuleModel(factory="watched_nets:Watched", weights=weights, shape=(1, 2, 2))


@pytest.mark.parametrize(
    ("precision", "dtype", "expected"),
    [
        (None, torch.float32, (False, False, None, torch.float32, torch.float32)),
        (None, torch.float64, (False, False, None, torch.float64, torch.float64)),
        ("float32", torch.float64, (False, False, None, torch.float32, torch.float32)),
        ("tf32", torch.float32, (True, True, None, torch.float32, torch.float32)),
        ("tf32", torch.float64, (True, True, None, torch.float32, torch.float32)),
        ("float16", torch.float32, (False, False, torch.float16, torch.float32, torch.float32)),
        ("bfloat16", torch.float64, (False, False, torch.bfloat16, torch.float32, torch.float32)),
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_the_arithmetic_inside_and_afterwards(
    precision: Any, dtype: torch.dtype, expected: object, before: bool, watched: ModuleModel
) -> None:
    loaded = replace(watched, precision=precision).load(CPU, dtype)
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    kept = convolutions.allow_tf32, products.allow_tf32
    try:
        convolutions.allow_tf32 = products.allow_tf32 = before
        # Nor does the caller's autocast reach the network.
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=before):
            found = loaded.alike()(torch.ones(1, 1, 2, 2, dtype=dtype), torch.ones((), dtype=dtype))
        assert (convolutions.allow_tf32, products.allow_tf32) == (before, before)
    finally:
        convolutions.allow_tf32, products.allow_tf32 = kept
    assert Watched.seen == [expected]
    assert found.dtype == dtype


@pytest.mark.parametrize("kind", ["edm", "ncsnpp", "ddpmpp", "diffusers", "image_v1"])
@pytest.mark.parametrize("precision", [None, "bfloat16"])
def test_convolutions_see_and_leave_channels_last(kind: str, precision: Any, zoo: Any) -> None:
    loaded = replace(zoo.model(kind), precision=precision).load(CPU, torch.float32)
    strided: list[bool] = []

    def note(module: nn.Module, inputs: object, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d) and module.in_channels > 4 and module.out_channels > 4:
            ours = module.weight.is_contiguous(memory_format=torch.channels_last)
            strided.append(ours and output.is_contiguous(memory_format=torch.channels_last))

    handle = nn.modules.module.register_module_forward_hook(note)  # type: ignore[arg-type]
    try:
        with torch.no_grad():
            loaded.alike()(_y(loaded, 1.0), torch.tensor(1.0))
    finally:
        handle.remove()
    assert all(strided)
    assert strided or kind == "edm"  # EDM's convolutions are a class of their own


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile has much to say about itself
@pytest.mark.parametrize("kind", ["edm", "image_v1"])
def test_compiled_networks_are_the_same(kind: str, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    eager = model.load(CPU, torch.float32)
    fast = replace(model, compiled=True).load(CPU, torch.float32)
    for s in (0.5, 20.0):
        y = _y(eager, s)
        with torch.no_grad():
            d, found = (m.alike()(y, torch.tensor(s)) for m in (eager, fast))
        assert _rms(found - d) < 1e-5 * _rms(y - d)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_compiler_that_does_not_work_is_named() -> None:
    from torch._inductor import config

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sin() + 1

    running = Running(Net(), torch.float32, "cpu", compiled=True)
    broken = {"cpp.cxx": (None, "/nonexistent"), "force_disable_caches": True}
    with (
        config.patch(broken),
        pytest.raises(BenchError, match="install a C\\+\\+ compiler") as caught,
    ):
        running(torch.ones(7))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_precision_is_part_of_the_parameters(kind: str, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    assert model.precision is None
    assert not model.compiled
    assert replace(model, precision="tf32") != model
