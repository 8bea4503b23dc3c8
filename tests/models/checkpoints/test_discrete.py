"""Networks that are functions of (x_t, t): what they predict, their noise and their labels."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor

from bench.api import BenchError
from bench.files.contents import contents
from bench_plugins.checkpoints.discrete import DiscreteModel

CPU = torch.device("cpu")
DOCS = Path(__file__).parents[3] / "docs" / "checkpoints.md"
SOURCE = """
import torch

told = []

class Gaussian(torch.nn.Module):
    \"\"\"Of data N(0, 0.25): every prediction in closed form, from x_t and its noise.\"\"\"

    predicts = "eps"
    flow = False

    def forward(self, x, t):
        told.append((x.clone(), t.clone()))
        alpha, sigma = self.noise(t)
        d = 0.25 * alpha * x / (alpha**2 * 0.25 + sigma**2)
        eps = (x - alpha * d) / sigma
        return {
            "eps": eps, "x0": d, "v": alpha * eps - sigma * d, "score": -eps / sigma,
            "velocity": eps - d, "back": d - eps,
        }[self.predicts]

    def noise(self, t):
        t = t.double()
        if self.flow:
            sigma = (1 - t if self.predicts == "back" else t).reshape(-1, 1, 1, 1)
            return 1 - sigma, sigma
        betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float32).double()
        squared = (1 - betas).cumprod(0)[t.long()].reshape(-1, 1, 1, 1)
        return squared.sqrt(), (1 - squared).sqrt()

def of(predicts, flow=False):
    network = Gaussian()
    network.predicts, network.flow = predicts, flow
    return network

def eps(): return of("eps")
def x0(): return of("x0")
def v(): return of("v")
def score(): return of("score")
def velocity(): return of("velocity", True)
def back(): return of("back", True)

class Wide(torch.nn.Module):
    def forward(self, x, t):
        return torch.cat([x, 100 * x], 1)

class Told(torch.nn.Module):
    def forward(self, x, t):
        told.append((x.clone(), t.clone()))
        return x
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiscreteModel:
    (tmp_path / "my_function.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_function", raising=False)
    return DiscreteModel(factory="my_function:Told", shape=(3, 2, 2))


def _ratios(squares: Tensor) -> Tensor:
    return ((1 - squares) / squares).sqrt()


def _labels(model: DiscreteModel, s: float) -> tuple[Tensor, Tensor]:
    """x_t and the label that the network saw."""
    model.load(CPU, torch.float64).alike()(torch.ones(2, 3, 2, 2).double(), torch.tensor(s))
    found: tuple[Tensor, Tensor] = sys.modules["my_function"].__dict__["told"][-1]
    return found


@pytest.mark.parametrize("predicts", ["eps", "x0", "v", "score"])
@pytest.mark.parametrize("label", [0, 1, 500, 999])
def test_every_prediction_of_a_table_means_the_same_denoiser(
    predicts: Any, label: int, model: DiscreteModel
) -> None:
    model = replace(model, factory=f"my_function:{predicts}", predicts=predicts)
    loaded = model.load(CPU, torch.float64)
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float32).double()
    s = _ratios((1 - betas).cumprod(0)[label])
    y = torch.randn(2, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = 0.25 * y / (0.25 + s**2)
    torch.testing.assert_close(loaded.alike()(y, s), wanted, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(loaded.alike()(y, s.expand(2)), wanted, rtol=1e-9, atol=1e-12)
    assert loaded.s_min * (1 - 1e-9) <= float(s) <= loaded.s_max * (1 + 1e-9)


@pytest.mark.parametrize(("factory", "back"), [("velocity", False), ("back", True)])
@pytest.mark.parametrize("s", [0.002, 0.5, 1.0, 300.0])
def test_velocities_run_either_way(
    factory: str, back: bool, s: float, model: DiscreteModel
) -> None:
    model = replace(
        model,
        factory=f"my_function:{factory}",
        predicts="velocity",
        schedule="flow",
        labels="unit",
        towards_data=back,
    )
    loaded, level = model.load(CPU, torch.float64), torch.tensor(s, dtype=torch.float64)
    y = torch.ones(2, 3, 2, 2).double()
    wanted = 0.25 * y / (0.25 + level**2)
    torch.testing.assert_close(loaded.alike()(y, level), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("labels", "whole", "wanted"),
    [
        ("diffusers", None, 2),
        ("ddpm", None, 3),
        ("score_sde", None, 2.0),
        ("rescaled", None, 500.0),
        ("diffusers", False, 2.0),
        ("rescaled", True, 500),
    ],
)
def test_conventions_of_labels_of_a_table(
    labels: Any, whole: bool | None, wanted: float, model: DiscreteModel
) -> None:
    squares = (0.9, 0.6, 0.3, 0.1)
    model = replace(model, alphas_cumprod=squares, labels=labels, whole=whole)
    x, found = _labels(model, float(_ratios(torch.tensor(0.3, dtype=torch.float64))))
    assert found.tolist() == pytest.approx([wanted, wanted])
    assert found.dtype == (torch.int64 if isinstance(wanted, int) else torch.float64)
    torch.testing.assert_close(x, torch.full_like(x, math.sqrt(0.3)))


def test_labels_between_levels_are_the_nearest_or_interpolated(model: DiscreteModel) -> None:
    squares = (0.9, 0.6, 0.3, 0.1)
    logs = _ratios(torch.tensor(squares, dtype=torch.float64)).log()
    s = float((logs[1] + 0.4 * (logs[2] - logs[1])).exp())
    assert _labels(replace(model, alphas_cumprod=squares), s)[1].tolist() == [1, 1]
    between = replace(model, alphas_cumprod=squares, whole=False)
    assert _labels(between, s)[1].tolist() == pytest.approx([1.4, 1.4])


@pytest.mark.parametrize(
    ("schedule", "labels", "wanted"),
    [
        ("flow", "unit", 0.75),
        ("flow", "thousand", 750.0),
        ("flow", "diffusers", 75.0),
        ("flow", "score_sde", 0.75 * 99),
        ("vp", "unit", 0.25),
        ("vp", "thousand", 250.0),
        ("vp", "score_sde", 0.25 * 99),
    ],
)
def test_conventions_of_labels_of_a_time(
    schedule: Any, labels: Any, wanted: float, model: DiscreteModel
) -> None:
    model = replace(model, schedule=schedule, labels=labels, levels=100)
    integral = 0.25 * (0.1 + 0.5 * 0.25 * 19.9)
    s = 3.0 if schedule == "flow" else math.sqrt(math.expm1(integral))
    x, found = _labels(model, s)
    assert found.tolist() == pytest.approx([wanted, wanted], rel=1e-6)
    alpha = 0.25 if schedule == "flow" else math.exp(-integral / 2)
    torch.testing.assert_close(x, torch.full_like(x, alpha), rtol=1e-6, atol=0)
    assert _labels(replace(model, whole=True), s)[1].tolist() == [round(wanted)] * 2


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "cosine"])
def test_named_schedules_are_those_of_diffusers(schedule: Any, model: DiscreteModel) -> None:
    diffusers = pytest.importorskip("diffusers")
    name = "squaredcos_cap_v2" if schedule == "cosine" else schedule
    betas = diffusers.DDPMScheduler(beta_schedule=name, num_train_timesteps=100).betas.double()
    s = _ratios((1 - betas).cumprod(0))
    loaded = replace(model, schedule=schedule, levels=100).load(CPU, torch.float32)
    assert (loaded.s_min, loaded.s_max) == pytest.approx((float(s[0]), float(s[-1])))


def test_tables_of_files_are_those_of_lists(model: DiscreteModel, tmp_path: Path) -> None:
    betas = np.linspace(0.01, 0.2, 20)
    squares = np.cumprod(1 - betas)
    inline = replace(model, betas=tuple(betas.tolist())).load(CPU, torch.float32)
    path = tmp_path / "table.npz"
    for arrays in ({"betas": betas}, {"alphas_cumprod": squares}):
        np.savez(path, **arrays)
        loaded = replace(model, table=str(path)).load(CPU, torch.float32)
        assert (loaded.s_min, loaded.s_max) == pytest.approx((inline.s_min, inline.s_max))
    before = contents(replace(model, table=str(path)))
    np.savez(path, betas=betas / 2)
    assert contents(replace(model, table=str(path))) != before
    for arrays in ({"other": betas}, {"betas": betas, "alphas_cumprod": squares}):
        np.savez(path, **arrays)
        with pytest.raises(BenchError, match="must hold one array"):
            replace(model, table=str(path)).fingerprint()
    np.savez(path, betas=betas * 10)
    with pytest.raises(BenchError, match="betas must be at least two, between 0 and 1"):
        replace(model, table=str(path)).fingerprint()


def test_a_last_level_without_signal_is_left_out(model: DiscreteModel) -> None:
    whole = replace(model, betas=(0.1, 0.2, 0.3)).load(CPU, torch.float32)
    for change in ({"betas": (0.1, 0.2, 0.3, 1.0)}, {"alphas_cumprod": (0.9, 0.72, 0.504, 0.0)}):
        loaded = replace(model, **change).load(CPU, torch.float32)  # type: ignore[arg-type]
        assert (loaded.s_min, loaded.s_max) == pytest.approx((whole.s_min, whole.s_max))


def test_variances_are_dropped_where_they_are_announced(model: DiscreteModel) -> None:
    y, s = torch.ones(2, 3, 2, 2), torch.tensor(1.0)
    wide = replace(model, factory="my_function:Wide", predicts="x0")
    found = replace(wide, variances=True).load(CPU, torch.float32).alike()(y, s)
    assert found.shape == y.shape
    assert float(found.max()) < 1
    with pytest.raises(BenchError, match="set variances: true"):
        wide.load(CPU, torch.float32).alike()(y, s)
    with pytest.raises(BenchError, match=r"gives \(3, 2, 2\)"):
        replace(model, variances=True).load(CPU, torch.float32).alike()(y, s)


@pytest.mark.parametrize(
    "change",
    [
        {"betas": (0.1, 0.2), "alphas_cumprod": (0.9, 0.8)},
        {"betas": (0.1, 0.2), "schedule": "cosine"},
        {"betas": (0.1, 2.0)},
        {"betas": (0.1,)},
        {"alphas_cumprod": (0.5, 0.6)},
        {"alphas_cumprod": (1.0, 0.6)},
        {"predicts": "velocity"},
        {"predicts": "v", "schedule": "flow", "labels": "unit"},
        {"labels": "unit"},
        {"schedule": "vp"},  # 'diffusers' has no labels of it
        {"schedule": "flow", "labels": "ddpm"},
        {"schedule": "vp", "labels": "unit", "beta_start": 20.0, "beta_end": 0.1},
        {"towards_data": True},
        {"beta_end": 3.0},
        {"levels": 1},
        {"factory": "os.system"},
        {"shape": (0,)},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|exclude"):
        DiscreteModel(**{"factory": "a:b", **change})


def test_a_network_with_parameters_needs_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of the documentation, as it stands there."""
    text = DOCS.read_text("utf-8").split("## A function of (x_t, t)")[1]
    source = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    config = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert source is not None
    assert config is not None
    (tmp_path / "mynet.py").write_text(source[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "mynet", raising=False)
    ((given),) = yaml.safe_load(config[1])
    assert given.pop("name") == "discrete"
    model = DiscreteModel(**{**given, "shape": tuple(given["shape"])})
    with pytest.raises(BenchError, match=r"mynet\.safetensors"):
        contents(model)
    with pytest.raises(BenchError, match=r"lacks 'embedding\.weight'"):
        replace(model, weights="").load(CPU, torch.float32)
    from mynet import Net  # type: ignore[import-not-found]

    network = Net()
    save_file(network.state_dict(), tmp_path / "mynet.safetensors")
    loaded = model.load(CPU, torch.float32)
    betas = torch.linspace(1e-4, 0.02, 1000).double()
    s = _ratios((1 - betas).cumprod(0)[700]).float()
    y = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        eps = network(y / (1 + s**2).sqrt(), torch.full((2,), 700))
        torch.testing.assert_close(loaded.alike()(y, s), y - s * eps, rtol=1e-4, atol=1e-4)
    assert contents(model) != contents(replace(model, weights=""))
