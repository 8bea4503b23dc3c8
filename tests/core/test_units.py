"""Small parts: combinations, denoisers, data, the loop."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Corrector,
    CountedDenoiser,
    DiscreteData,
    NoiseProcess,
    NoiseStream,
    OdeSolver,
    Problem,
    Sampler,
    TimeGrid,
    combine,
    from_eps,
    from_score,
    require,
    rows_of,
    times_at_levels,
    unit_interval,
)
from bench.registry import Kind, load_registry


def _process(name: str = "vp") -> NoiseProcess:
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    return process


@pytest.mark.parametrize(
    "coefficients", [(2.0,), (0.25, 0.75), (0.3, 0.3), (1.0, 0.0), (1.5, -0.5, 2.0), (1.0,) * 5]
)
def test_combine_is_the_linear_combination(coefficients: tuple[float, ...]) -> None:
    terms = [(c, torch.arange(6.0).double() * (i + 1) - 4) for i, c in enumerate(coefficients)]
    copies = [t.clone() for _, t in terms]
    expected = sum(c * t for c, t in terms)
    result = combine(*terms)
    torch.testing.assert_close(result, expected)
    assert all(torch.equal(t, copy) for (_, t), copy in zip(terms, copies, strict=True))
    assert all(result.data_ptr() != t.data_ptr() for _, t in terms)


def test_rows_of_spans_the_sample_dimensions_alone() -> None:
    """Images whose width is the batch size must not get a level per column."""
    y = torch.ones(3, 1, 3, 3)
    scaled = rows_of(torch.tensor([1.0, 2.0, 3.0]), y) * y
    for i in range(3):
        assert scaled[i].unique().tolist() == [i + 1.0]
    assert rows_of(torch.tensor(2.0), y).shape == (1, 1, 1, 1)


@pytest.mark.parametrize("s", [torch.tensor(0.7), torch.tensor([0.1, 0.7, 3.0])])
def test_a_network_of_eps_or_score_becomes_a_denoiser(s: Tensor) -> None:
    """N(m, v): score -(y - m) / (v + s^2), eps = -s score."""
    y, m, v = torch.linspace(-1, 2, 12).reshape(3, 4), 0.3, 0.5
    level = rows_of(s, y)
    expected = m + v / (v + level**2) * (y - m)

    def score(y: Tensor, s: Tensor) -> Tensor:
        return -(y - m) / (v + rows_of(s, y) ** 2)

    torch.testing.assert_close(from_score(score)(y, s), expected)
    eps = from_eps(lambda y, s: -rows_of(s, y) * score(y, s))
    torch.testing.assert_close(eps(y, s), expected)


def test_problems_hand_the_level_over_in_the_dtype_of_x() -> None:
    seen: list[Tensor] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.extend((y, s))
        return y

    now = _process().at_s(2.0)
    for dtype in (torch.float32, torch.float64):
        seen.clear()
        x = torch.full((3, 2), now.alpha, dtype=dtype)
        Problem(_process(), denoise).denoise(x, now)
        y, s = seen
        assert y.dtype == s.dtype == dtype
        assert s.shape == ()
        assert float(s) == pytest.approx(2.0)
        torch.testing.assert_close(y, torch.ones_like(y))


def test_stages_in_lambda_lie_at_their_lambda() -> None:
    problem = Problem(_process(), lambda y, s: y)
    assert problem.at_lam(1.3).lam == pytest.approx(1.3)
    assert problem.at(0.4) == _process().at(0.4)


def test_grid_helpers() -> None:
    assert unit_interval(4).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    levels = torch.tensor([3.0, 1.0, 0.1], dtype=torch.float64)
    times = times_at_levels(_process(), levels)
    assert [time.s for time in times] == pytest.approx([3.0, 1.0, 0.1])


def test_require_refuses_with_its_message() -> None:
    require(True, "fine")
    with pytest.raises(ValueError, match="snr must be > 0"):
        require(False, "snr must be > 0")


class Trace:
    """A denoiser that notes the level of every evaluation."""

    def __init__(self) -> None:
        self.levels: list[float] = []

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self.levels.append(round(float(s), 9))
        return y / (1 + s * s)


def _times(steps: int) -> Any:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(_process("edm"), steps, 0.05, 20.0)


def test_the_loop_corrects_at_the_time_just_reached() -> None:
    trace, times = Trace(), _times(3)
    noise = NoiseStream(0, "sampler", 0, 2, (3,))
    predictor: Any = load_registry().get("reverse_diffusion", Kind.PREDICTOR).cls()
    corrector = load_registry().get("langevin", Kind.CORRECTOR).cls()
    assert isinstance(corrector, Corrector)
    problem = Problem(_process("edm"), trace, noise)
    Sampler(predictor, corrector).run(problem, torch.ones(2, 3), times)
    s = [round(float(torch.tensor(t.s)), 9) for t in times]
    # predict at s_0, correct at s_1, ..., correct at s_3, denoise at s_3
    assert trace.levels == [s[0], s[1], s[1], s[2], s[2], s[3], s[3]]


def test_the_final_denoise_is_the_posterior_mean_at_s_min() -> None:
    trace, times = Trace(), _times(3)
    solver: Any = load_registry().get("ddim", Kind.ODE_SOLVER).cls()
    problem = Problem(_process("edm"), trace)
    x = torch.ones(2, 3).double()
    rough = Sampler(solver, finish=False).run(problem, x, times)
    fine = Sampler(solver).run(problem, x, times)
    torch.testing.assert_close(fine, rough / (1 + 0.05**2))


def test_multistep_solvers_carry_their_state_beside_a_corrector() -> None:
    """A corrector that does nothing leaves the second-order method what it is."""

    class Idle(Corrector):
        def correct(self, problem: Problem, x: Tensor, now: Any) -> Tensor:
            return x

    times = _times(6)
    solver: Any = load_registry().get("dpmpp_2m", Kind.ODE_SOLVER).cls()
    problem = Problem(_process("edm"), Trace())
    x = torch.ones(2, 3).double()
    alone = Sampler(solver).run(problem, x, times)
    assert torch.equal(Sampler(solver, Idle()).run(problem, x, times), alone)


def test_solvers_do_not_remember_earlier_runs(fixed_solver: OdeSolver[Any]) -> None:
    times, problem = _times(4), Problem(_process("edm"), Trace())
    x = torch.ones(2, 3).double()
    first = fixed_solver.solve(problem, x, times)
    fixed_solver.solve(problem, 7 * x, times)
    assert torch.equal(fixed_solver.solve(problem, x, times), first)


def test_counters_are_separate() -> None:
    first, second = CountedDenoiser(Trace()), CountedDenoiser(Trace())
    first(torch.zeros(4, 2), torch.tensor(1.0))
    assert first.evaluations.rows == 4
    assert second.evaluations.rows == 0
    assert first.evaluations.nfe(2) == 2.0


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_dequantised_levels_come_back(levels: int) -> None:
    data = DiscreteData(levels, lambda: torch.zeros(0))
    image = torch.arange(levels, dtype=torch.uint8).repeat(40)[: 40 * levels].reshape(40, -1)
    stream = NoiseStream(0, "dequantise", 0, 40, (levels,), torch.float64)
    x = data.dequantise(image, stream)
    assert float(x.min()) >= -1.0
    assert float(x.max()) < 1.0
    assert torch.equal(data.quantise(x), image)
    # The noise fills each level's bin of width 2 / levels.
    inner = (x + 1) * levels / 2 - image
    assert float(inner.min()) >= 0.0
    assert float(inner.max()) < 1.0
    assert float(inner.mean()) == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / x.numel()))


def test_quantising_clamps() -> None:
    data = DiscreteData(256, lambda: torch.zeros(0))
    assert data.quantise(torch.tensor([-5.0, -1.0, 0.0, 0.9999, 1.0, 5.0])).tolist() == [
        0, 0, 128, 255, 255, 255,
    ]  # fmt: skip


def test_errors_of_the_core_are_those_of_the_user() -> None:
    heun: Any = load_registry().get("edm_heun", Kind.ODE_SOLVER).cls()
    with pytest.raises(BenchError, match="one step costs 3 NFE, more than the budget of 2"):
        Sampler(heun).steps_for(2)
