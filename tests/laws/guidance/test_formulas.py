"""Guided denoisers against what the papers write, and against each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    CountedDenoiser,
    Draw,
    Problem,
    Sampler,
    ScoreModel,
    UnsupportedError,
    combine,
    generate,
    guide,
)
from bench.registry import Kind, ParameterError, build, load_registry
from bench.testing import grid_of, model_of, process_of, stepper_of

CPU = torch.device("cpu")
N = 24


def _model(**parameters: object) -> ScoreModel:
    return model_of("class_mixture", depth=2, **parameters).load(CPU, torch.float64)


def _guidance(name: str, **parameters: object) -> Any:
    return build(load_registry().get(name, Kind.GUIDANCE).cls, parameters)


def _bind(model: ScoreModel, name: str, **parameters: object) -> Any:
    denoiser = guide(model, _guidance(name, **parameters), None, torch.float64).denoiser
    return CountedDenoiser(denoiser).of_samples(3, 0, N, CPU)


def _points(s: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    y = torch.randn(N, 2, generator=generator, dtype=torch.float64) * (0.5 + s)
    return y, torch.tensor(s, dtype=torch.float64)


LEVELS = [0.05, 0.4, 2.0, 30.0]


@pytest.mark.parametrize("s", LEVELS)
@pytest.mark.parametrize("w", [0.0, 1.0, 2.5])
def test_the_models_own_classifier_guides_as_cfg_does(w: float, s: float) -> None:
    model, (y, level) = _model(), _points(s)
    found = _bind(model, "classifier", scale=w)(y, level)
    torch.testing.assert_close(found, _bind(model, "cfg", scale=w)(y, level), rtol=0, atol=1e-9)


@pytest.mark.parametrize("s", LEVELS)
def test_apg_without_its_parts_is_cfg(s: float) -> None:
    model, (y, level) = _model(), _points(s)
    found = _bind(model, "apg", scale=3.0, parallel=1.0, momentum=0.0)(y, level)
    torch.testing.assert_close(found, _bind(model, "cfg", scale=3.0)(y, level))


@pytest.mark.parametrize("s", LEVELS)
def test_apg_moves_across_its_own_d_and_no_further_than_the_norm(s: float) -> None:
    model, (y, level) = _model(), _points(s)
    own = _bind(model, "cfg", scale=1.0)(y, level)
    moved = _bind(model, "apg", scale=5.0, momentum=0.0)(y, level) - own
    assert float(moved.abs().max()) > 1e-3
    torch.testing.assert_close((moved * own).sum(1), torch.zeros(N).double(), rtol=0, atol=1e-12)
    short = _bind(model, "apg", scale=5.0, momentum=0.0, norm=0.01, parallel=1.0)(y, level) - own
    whole = _bind(model, "cfg", scale=5.0)(y, level) - own
    expected = whole.norm(dim=1).clamp_max(4 * 0.01)
    torch.testing.assert_close(short.norm(dim=1), expected)


def test_apg_remembers_each_call_of_its_batch() -> None:
    model = _model()
    bound = _bind(model, "apg", scale=2.0, parallel=1.0, momentum=-0.5)
    total = torch.zeros(N, 2, dtype=torch.float64)
    for s in (5.0, 1.0, 0.2):
        y, level = _points(s)
        own, double = (_bind(model, "cfg", scale=w)(y, level) for w in (1.0, 2.0))
        total = (double - own) - 0.5 * total
        torch.testing.assert_close(bound(y, level), own + total)
    y, level = _points(5.0)
    fresh = _bind(model, "apg", scale=2.0, parallel=1.0, momentum=-0.5)(y, level)
    torch.testing.assert_close(fresh, _bind(model, "cfg", scale=2.0)(y, level))


@pytest.mark.parametrize("s", [0.05, 0.4, 2.0])
def test_zero_star_is_the_papers_sum_of_velocities(s: float) -> None:
    model, (y, level) = _model(), _points(s)
    w, u = 2.5, s / (1 + s)
    d = _bind(model, "cfg_zero_star", scale=w, zero=0.0)(y, level)
    x_u = (1 - u) * y
    own, plain = ((x_u - _bind(model, "cfg", scale=scale)(y, level)) / u for scale in (1.0, 0.0))
    fitted = torch.stack([(c @ v) / (v @ v) for c, v in zip(own, plain, strict=True)])[:, None]
    expected = (1 - w) * fitted * plain + w * own
    torch.testing.assert_close((x_u - d) / u, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["cfg", "apg", "cfg_zero_star", "autoguidance", "classifier"])
def test_each_row_may_have_a_level_of_its_own(name: str) -> None:
    model = _model()
    parameters: dict[str, object] = {"s_low": 0.1, "s_high": 3.0, "schedule": "linear"}
    if name == "apg":
        parameters["momentum"] = 0.0
    levels = torch.tensor(LEVELS, dtype=torch.float64).repeat(N // 4)
    y, _ = _points(1.0)
    counted = CountedDenoiser(
        guide(model, _guidance(name, **parameters), None, torch.float64).denoiser
    )
    bound: Any = counted.of_samples(3, 0, N, CPU)
    found = bound(y, levels)
    rows = counted.evaluations.rows + counted.evaluations.vjp_rows
    guidance = _guidance(name, **parameters)
    assert rows == sum(sum(guidance.passes_at(s)) for s in levels.tolist())
    for i in range(4):
        alone = _bind(model, name, **parameters)(y, levels[i])
        torch.testing.assert_close(found[i::4], alone[i::4], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_interval_is_open_below_and_closed_above(dtype: torch.dtype) -> None:
    """A step that begins at s_low is not guided, one that begins at s_high is (Eq. 6)."""
    low, high = 0.1, 3.0
    guidance = _guidance("cfg", scale=3.0, s_low=low, s_high=high)
    levels = torch.tensor([low, 1.01 * low, high, 1.01 * high], dtype=torch.float64).to(dtype)
    model, (y, _) = _model(), _points(1.0)
    bound = _bind(model, "cfg", scale=3.0, s_low=low, s_high=high)
    for level, guided in zip(levels, (False, True, True, False), strict=True):
        assert guidance.passes_at(float(level)).forward == (2 if guided else 1)
        expected = _bind(model, "cfg", scale=3.0 if guided else 1.0)(y, level)
        torch.testing.assert_close(bound(y, level), expected, rtol=0, atol=0)


def test_cfg_pp_under_ddim_is_the_papers_step() -> None:
    model, process = _model(), process_of("vp")
    now, then = process.at_s(1.3), process.at_s(0.7)
    bound = _bind(model, "cfg_pp", scale=0.6)
    x = _points(1.3)[0] * now.alpha
    found, _ = stepper_of("ddim").step(Problem(process, bound), x, now, then, None)
    s = torch.tensor(now.s, dtype=torch.float64)
    plain, own = (_bind(model, "cfg", scale=w)(x / now.alpha, s) for w in (0.0, 1.0))
    eps = (x - now.alpha * plain) / now.sigma
    expected = then.alpha * (plain + 0.6 * (own - plain)) + then.sigma * eps
    torch.testing.assert_close(found, expected)


def test_solvers_that_renoise_agree_under_cfg_pp() -> None:
    model, process = _model(), process_of("vp")
    times = grid_of("karras").times(process, 6, 0.01, 50.0)
    guided = guide(model, _guidance("cfg_pp"), None, torch.float64).denoiser
    ends = []
    for solver in (stepper_of("ddim_eta"), stepper_of("ancestral"), stepper_of("euler_a")):
        draw = Draw(0, N, N, (2,), torch.float64)
        (batch,) = generate(process, CountedDenoiser(guided), Sampler(solver), times, draw)
        ends.append(batch.x)
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(ends[2], ends[0], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [None, "cfg", "temperature"])
def test_other_guidances_leave_the_noise_to_the_guided_d(name: str | None) -> None:
    model, process = _model(), process_of("vp")
    bound: Any = _bind(model, name or "cfg", **({} if name else {"scale": 1.0}))
    times = grid_of("karras").times(process, 4, 0.01, 50.0)
    x = y = _points(1.0)[0] * times[0].sigma
    for now, then in pairwise(times):
        x, _ = stepper_of("ddim").step(Problem(process, bound), x, now, then, None)
        keep, d = then.sigma / now.sigma, Problem(process, bound).denoise(y, now)
        y = combine((keep, y), (then.alpha - keep * now.alpha, d))
        assert torch.equal(x, y)


def test_the_weaker_model_is_asked_for_the_samples_class() -> None:
    model, (y, level) = _model(blur=0.05, weak_blur=0.2), _points(0.4)
    other = _model(blur=0.2, weak_blur=0.3)
    weak, own = (_bind(m, "cfg", scale=1.0)(y, level) for m in (other, model))
    found = _bind(model, "autoguidance", scale=2.0)(y, level)
    torch.testing.assert_close(found, 2 * own - weak)
    torch.testing.assert_close(_bind(model, "autoguidance", scale=0.0)(y, level), weak)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("cfg", {"scale": float("nan")}),
        ("cfg", {"power": 3.0}),
        ("cfg", {"schedule": "power", "power": 0.0}),
        ("cfg", {"s_low": 2.0, "s_high": 1.0}),
        ("cfg", {"s_low": -1.0}),
        ("cfg", {"schedule": "sine"}),
        ("cfg_pp", {"scale": 1.5}),
        ("apg", {"norm": 0.0}),
        ("apg", {"momentum": -1.0}),
        ("cfg_zero_star", {"zero": 0.9}),
        ("temperature", {"tau": 0.0}),
        ("temperature", {"std": 0.0}),
    ],
)
def test_wrong_parameters_are_refused(name: str, change: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        _guidance(name, **change)


def test_what_is_missing_is_named() -> None:
    plain = model_of("gaussian_mixture").load(CPU, torch.float64)
    y, level = _points(1.0)
    for name, message in (
        ("cfg", "class-conditional model"),
        ("apg", "class-conditional model"),
        ("cfg_zero_star", "class-conditional model"),
        ("cfg_pp", "class-conditional model"),
        ("autoguidance", "weaker version"),
        ("classifier", "needs classes"),
    ):
        with pytest.raises(UnsupportedError, match=message):
            _bind(plain, name)(y, level)
    assert issubclass(UnsupportedError, BenchError)
