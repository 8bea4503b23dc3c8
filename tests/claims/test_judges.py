"""Each claim is judged right where the truth is known: its own cells, with numbers made up."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from bench.run.cell import Cell
from bench_claims.claims import CLAIMS
from bench_claims.claims.orders import ORDERS
from bench_claims.rows import Rows
from bench_claims.verdict import Outcome, Verdict

Numbers = Callable[[Cell], Mapping[str, float]]
Planned = Callable[[str, Numbers], Rows]

BY_NAME = {claim.name: claim for claim in CLAIMS}
STOCHASTIC = ("ancestral", "dpmpp_2m_sde", "euler_maruyama", "reverse_diffusion")


def _noise(cell: Cell, size: float) -> float:
    """A factor about 1 that is another one for each cell, the same in each call."""
    seed = zlib.crc32(cell.title.encode())  # not its key, which changes with the code
    return math.exp(size * float(np.random.default_rng(seed).normal()))


def _judge(planned: Planned, name: str, numbers: Numbers) -> Verdict:
    return BY_NAME[name].judge(planned(name, numbers))


def _outcomes(verdict: Verdict) -> set[Outcome]:
    return {finding.outcome for finding in verdict.findings}


def _sampled(cell: Cell, value: float, size: float = 0.01) -> Mapping[str, float]:
    """The number of each sample metric of a cell."""
    noisy = value * _noise(cell, size)
    return {spec.name: noisy for spec in cell.metrics if spec.name in ("fd_digits", "swd", "rmse")}


@pytest.mark.parametrize(
    ("sde", "expected"), [(2.0, Outcome.HOLDS), (0.5, Outcome.FAILS), (0.9, Outcome.DEPENDS)]
)
def test_rk45_saves_where_its_quality_is_the_same(
    planned: Planned, sde: float, expected: Outcome
) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return _sampled(cell, 1.0 if cell.solver.name == "rk45" else sde)

    verdict = _judge(planned, "rk45_saves", numbers)
    assert verdict.outcome is expected
    for finding in verdict.findings:
        assert finding.estimate == pytest.approx(-math.log(sde), abs=0.03)


@pytest.mark.parametrize(
    ("factor", "size", "expected"),
    [(0.8, 0.01, Outcome.HOLDS), (1.2, 0.01, Outcome.FAILS), (1.0, 0.3, Outcome.UNDECIDED)],
)
def test_correctors(planned: Planned, factor: float, size: float, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return _sampled(cell, factor if cell.corrector else 1.0, size)

    verdict = _judge(planned, "predictor_corrector", numbers)
    assert verdict.outcome is expected
    assert len(verdict.findings) == 8  # models, processes, budgets
    assert all(finding.n == 5 for finding in verdict.findings)


def test_correctors_that_pay_under_one_process_alone(planned: Planned) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        factor = 0.8 if cell.process.name == "ve" else 1.2
        return _sampled(cell, factor if cell.corrector else 1.0)

    verdict = _judge(planned, "predictor_corrector", numbers)
    assert verdict.outcome is Outcome.DEPENDS
    for finding in verdict.findings:
        wanted = Outcome.HOLDS if ", ve," in finding.label else Outcome.FAILS
        assert finding.outcome is wanted


@pytest.mark.parametrize(("excess", "expected"), [(2.0, Outcome.HOLDS), (9.0, Outcome.DEPENDS)])
def test_marginals(planned: Planned, excess: float, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return {**_sampled(cell, 0.05), "marginals": excess * _noise(cell, 0.05)}

    verdict = _judge(planned, "same_marginals", numbers)
    assert verdict.outcome is expected


def test_other_marginals(planned: Planned) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        worse = 2.0 if cell.solver.name in STOCHASTIC else 1.0
        return {**_sampled(cell, worse), "marginals": 20.0 * _noise(cell, 0.05)}

    assert _judge(planned, "same_marginals", numbers).outcome is Outcome.FAILS


@pytest.mark.parametrize(
    ("error", "correlation", "expected"),
    [
        (1e-5, 0.99, Outcome.HOLDS),
        (1e-5, 0.5, Outcome.DEPENDS),
        (1e-1, 0.5, Outcome.FAILS),
    ],
)
def test_codes(planned: Planned, error: float, correlation: float, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return {
            "code_error": error * _noise(cell, 0.01),
            "code_correlation": correlation * _noise(cell, 0.001),
            "code_correlation_shuffled": 0.01 * _noise(cell, 0.1),
        }

    assert _judge(planned, "unique_codes", numbers).outcome is expected


@pytest.mark.parametrize(
    ("order", "expected"), [(4, Outcome.DEPENDS), (0, Outcome.FAILS), (40, Outcome.HOLDS)]
)
def test_likelihoods_by_the_solvers_error(planned: Planned, order: int, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        assert cell.budget is not None
        error = (10.0 / cell.budget) ** order * _noise(cell, 0.01)
        return {
            "nll_nats": 1.0 + error,
            "nll_exact_nats": 1.0,
            "nll_error_nats": error,
            "nll_bpd_error": error,
        }

    assert _judge(planned, "exact_likelihood", numbers).outcome is expected


@pytest.mark.parametrize(("sign", "expected"), [(1, Outcome.HOLDS), (-1, Outcome.FAILS)])
def test_bounds(planned: Planned, sign: int, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        assert cell.budget is not None
        gap = sign * (30.0 / cell.budget) ** (1 if sign > 0 else -1) * _noise(cell, 0.01)
        return {"elbo_gap_nats": gap, "elbo_bpd": 2.0 + gap, "nll_bpd_converged": 2.0}

    verdict = _judge(planned, "variational_bound", numbers)
    found = _outcomes(verdict) - {Outcome.NOT_RUN}
    assert found == {expected}


@pytest.mark.parametrize(
    ("trained", "own", "expected"),
    [(-0.05, -0.05, Outcome.HOLDS), (-0.05, 0.0, Outcome.DEPENDS), (0.05, 0.0, Outcome.FAILS)],
)
def test_sub_vp(planned: Planned, trained: float, own: float, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        shift = own if cell.model.name == "digits_mlp" else trained
        value = 2.4 + (0.0 if cell.process.name == "vp" else shift)
        value += 0.0005 * math.log(_noise(cell, 1.0))
        return {"nll_bpd": value, "nll_bpd_converged": value}

    verdict = _judge(planned, "subvp_likelihood", numbers)
    assert verdict.outcome is expected
    assert [finding.n for finding in verdict.findings] == [4, 3]


def _order_numbers(cell: Cell, short: float) -> Mapping[str, float]:
    noise = _noise(cell, 0.01)
    order = ORDERS.get(cell.solver.name, 1) - short
    if cell.suite.startswith("orders_step_"):
        return {"rmse": (int(cell.suite.split("_")[-1]) / 1000) ** (order + 1) * noise}
    assert cell.budget is not None
    steps = cell.budget / {"heun": 2, "rk4": 4}.get(cell.solver.name, 1)
    return {"rmse": steps**-order * noise}


def test_orders_as_claimed(planned: Planned) -> None:
    verdict = _judge(planned, "orders", lambda cell: _order_numbers(cell, 0.0))
    assert verdict.outcome is Outcome.HOLDS
    assert len(verdict.findings) == 9


def test_orders_that_fall_short(planned: Planned) -> None:
    verdict = _judge(planned, "orders", lambda cell: _order_numbers(cell, 0.5))
    assert verdict.outcome is Outcome.FAILS


@pytest.mark.parametrize(("without", "expected"), [(1.3, Outcome.HOLDS), (0.7, Outcome.FAILS)])
def test_the_last_denoise(planned: Planned, without: float, expected: Outcome) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return _sampled(cell, 1.0 if cell.protocol.finish == "denoise" else without)

    assert _judge(planned, "last_denoise", numbers).outcome is expected


def test_more_steps_and_who_gains_by_them(planned: Planned) -> None:
    """An ODE that has its best at once, and an SDE that goes on."""

    def numbers(cell: Cell) -> Mapping[str, float]:
        assert cell.budget is not None
        stochastic = cell.solver.name in STOCHASTIC
        return _sampled(cell, 0.5 + 20 / cell.budget if stochastic else 1.0 + 10 / cell.budget**2)

    for finding in _judge(planned, "more_steps", numbers).findings:
        flat = "ODE" in finding.label and "50 to 300" in finding.label
        assert (finding.outcome is Outcome.HOLDS) is not flat
    assert _judge(planned, "sde_or_ode", numbers).outcome is Outcome.HOLDS


@pytest.mark.parametrize(("power", "expected"), [(0.9, Outcome.HOLDS), (3.0, Outcome.FAILS)])
def test_adaptive_steps(planned: Planned, power: float, expected: Outcome) -> None:
    """Fixed steps of so low, or so high an order."""

    def numbers(cell: Cell) -> Mapping[str, float]:
        if cell.budget is None:
            assert cell.tolerance is not None
            return _sampled(cell, 0.3 * cell.tolerance)
        return _sampled(cell, 0.2 * (10 / cell.budget) ** power * (1 if power > 1 else 1.5))

    verdict = _judge(planned, "adaptive_steps", numbers)
    assert _outcomes(verdict) - {Outcome.NOT_RUN} == {expected}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_without_rows_a_claim_is_not_run(planned: Planned, claim: object) -> None:
    nothing = planned("orders", lambda cell: {"rmse": 1.0})
    empty = Rows(nothing.frame[:0])
    assert BY_NAME[claim.name].judge(empty).outcome is Outcome.NOT_RUN  # type: ignore[attr-defined]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_no_cell_belongs_to_two_suites(
    cells: Mapping[str, tuple[Cell, ...]], claim: object
) -> None:
    """Else a claim would miss the rows of one: equal cells run once, in the suite named last."""
    suites: dict[str, set[str]] = {}
    for each in cells.values():
        for cell in each:
            suites.setdefault(cell.key, set()).add(cell.suite)
    own = cells[claim.name]  # type: ignore[attr-defined]
    assert all(len(suites[cell.key]) == 1 for cell in own)
