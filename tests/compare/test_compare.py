"""Pairing, refusing, estimating: what is compared with what, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench.compare.compare import compare
from bench.compare.gates import Gate
from bench.compare.junit import junit
from bench.compare.question import CompareOptions
from bench.compare.result import ExitCode
from bench.core.errors import BenchError
from bench.stats.spread import block_means, paired_spread, unpaired_spread


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_common_noise_is_a_paired_t_test(made: Any) -> None:
    noise = 10 + _rng().normal(size=100)
    base, head = noise, (noise + 0.1 + 0.3 * _rng(1).normal(size=100)).astype(np.float32)
    row = made.samples_compared({10: base}, {10: head}).points.iloc[0]
    test = stats.ttest_rel(head.astype(float), base.astype(np.float32).astype(float))
    assert row["basis"] == "paired samples"
    assert row["p"] == pytest.approx(test.pvalue, rel=1e-6)
    low, high = test.confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-6)


def test_other_seeds_are_welchs_t_test(made: Any) -> None:
    base, head = _rng().normal(10, 1, 100), _rng(1).normal(10.4, 2, 100)
    row = made.samples_compared({10: base}, {10: head}, seeds=(0, 1)).points.iloc[0]
    test = stats.ttest_ind(head, base, equal_var=False)
    assert row["basis"] == "samples"
    assert row["p"] == pytest.approx(test.pvalue, rel=1e-4)


def test_several_seeds_are_strata_of_the_samples() -> None:
    gaps = [_rng(i).normal(i, 1, 200).astype(np.float32) for i in range(3)]
    zeros = [np.zeros(200, np.float32)] * 3
    found = paired_spread(zeros, gaps)
    assert found is not None
    expected = np.sqrt(sum(g.astype(float).var(ddof=1) / 200 for g in gaps)) / 3
    assert (found.std_error, found.freedom) == (pytest.approx(expected), 597)


def test_samples_that_share_an_error_norm_are_blocks() -> None:
    shared = np.repeat(_rng().normal(size=16), 64).astype(np.float32)
    zeros = np.zeros(1024, np.float32)
    naive, honest = (paired_spread([zeros], [shared], size) for size in (1, 64))
    assert naive is not None
    assert honest is not None
    assert honest.std_error == pytest.approx(shared[::64].std(ddof=1) / 4, rel=1e-5)
    assert naive.std_error < honest.std_error / 5
    assert block_means(np.arange(5.0), 2).mean() == pytest.approx(2.0)


def test_samples_of_a_batch_coupled_solver_are_blocks_of_its_shards(made: Any) -> None:
    shared = np.repeat(_rng().normal(size=16), 64)
    own = 5 + np.random.default_rng(1).normal(size=1024)
    for coupled, expected in (
        (True, shared[::64].std(ddof=1) / 4),
        (False, shared.std(ddof=1) / 32),
    ):
        sides = [
            made.side(name, [made.sampled(values, batch_coupled=coupled)], {0: values})
            for name, values in (("base", own), ("head", own + shared))
        ]
        (row,) = compare(*sides, CompareOptions()).points.itertuples()
        assert row.basis == "paired samples"
        assert row.std_error == pytest.approx(expected, rel=1e-5)


def test_too_few_samples_for_an_error_are_none() -> None:
    few = np.zeros(40, np.float32)
    assert paired_spread([few], [few], 64) is None
    assert unpaired_spread([few], [few], 64) is None
    assert paired_spread([few], [few[:30]]) is None


def test_without_samples_seeds_are_paired(made: Any) -> None:
    base = [made.number(v, seed=i) for i, v in enumerate((5.0, 6.0, 7.0))]
    head = [made.number(v, seed=i) for i, v in enumerate((5.2, 6.1, 7.3))]
    row = made.compared(base, head).points.iloc[0]
    assert row["basis"] == "paired seeds"
    assert row["p"] == pytest.approx(stats.ttest_rel([5.2, 6.1, 7.3], [5, 6, 7]).pvalue)


def test_without_samples_other_seeds_are_apart(made: Any) -> None:
    base = [made.number(v, seed=i) for i, v in enumerate((5.0, 6.0, 7.0))]
    head = [made.number(v, seed=i + 9) for i, v in enumerate((5.2, 6.1, 7.3, 7.0))]
    row = made.compared(base, head).points.iloc[0]
    test = stats.ttest_ind([5.2, 6.1, 7.3, 7.0], [5.0, 6.0, 7.0], equal_var=False)
    assert (row["basis"], row["p"]) == ("seeds", pytest.approx(test.pvalue))


def test_one_seed_with_standard_errors(made: Any) -> None:
    row = made.compared(
        [made.number(5.0, std_error=0.3)], [made.number(6.0, std_error=0.4)]
    ).points.iloc[0]
    assert (row["basis"], row["std_error"]) == ("standard errors", pytest.approx(0.5))


def test_one_seed_with_nothing_is_inconclusive(made: Any) -> None:
    row = made.compared([made.number(5.0)], [made.number(9.0)]).points.iloc[0]
    assert (row["basis"], row["verdict"]) == ("nothing", "inconclusive")


def test_only_common_seeds_count(made: Any) -> None:
    base = [made.number(5.0, seed=0), made.number(6.0, seed=1), made.number(99.0, seed=2)]
    head = [made.number(5.0, seed=0), made.number(6.5, seed=1), made.number(-99.0, seed=3)]
    found = made.compared(base, head)
    assert (found.points["base"].iloc[0], found.points["head"].iloc[0]) == (5.5, 5.75)


def test_the_same_bits_are_said_so(made: Any) -> None:
    values = {10: 10 + _rng().normal(size=100), 20: 5 + _rng(1).normal(size=100)}
    found = made.samples_compared(values, values)
    assert found.points["identical"].all()
    assert set(found.points["verdict"]) == {"same"}
    assert found.exit_code == ExitCode.FINE


def test_the_same_value_on_other_samples_is_not_identical(made: Any) -> None:
    values = 10 + _rng().normal(size=100).astype(np.float32)
    assert not made.samples_compared({10: values}, {10: values[::-1]}).points["identical"].any()


def test_evidence_of_another_number_is_not_believed(made: Any) -> None:
    values = _rng().normal(size=100)
    rows = [made.number(5.0, std_error=0.1)]
    sides = [made.side(name, rows, {0: values}) for name in ("base", "head")]
    assert compare(*sides, CompareOptions()).points["basis"].iloc[0] == "standard errors"


@pytest.mark.parametrize(
    ("field", "base", "head"),
    [
        ("metric_n", 100, 200),
        ("samples", 100, 200),
        ("dtype", "float32", "float64"),
        ("s_min", 0.002, 0.01),
        ("s_max", 80.0, 50.0),
        ("finish", "denoise", "none"),
        ("weights", "a" * 64, "b" * 64),
        ("reference_hash", "a" * 64, "b" * 64),
    ],
)
def test_another_protocol_is_refused_with_the_field_and_both_values(
    made: Any, field: str, base: object, head: object
) -> None:
    found = made.compared([made.number(1.0, **{field: base})], [made.number(1.0, **{field: head})])
    assert found.exit_code == ExitCode.NOT_COMPARABLE
    assert found.points.empty
    (refusal,) = found.refused
    shown = [f"{v:g}" if isinstance(v, float | int) else str(v)[:16] for v in (base, head)]
    told = [v[:16] for v in (refusal.base, refusal.head)]
    assert (refusal.field, told[0], told[1]) == (field, *[v[:16] for v in shown])


def test_round_off_of_a_grids_end_is_no_difference(made: Any) -> None:
    found = made.compared([made.number(1.0, s_min=0.002)], [made.number(1.0, s_min=0.0020000001)])
    assert found.exit_code == ExitCode.FINE


def test_the_code_of_solvers_may_differ(made: Any) -> None:
    found = made.compared(
        [made.number(1.0, solver_source="a", core="x")],
        [made.number(1.0, solver_source="b", core="y")],
    )
    assert len(found.points) == 1


def test_references_drawn_with_the_seed_agree_seed_by_seed(made: Any) -> None:
    rows = [made.number(1.0 + i, seed=i, reference_hash=f"r{i}") for i in range(3)]
    assert made.compared(rows, rows).exit_code == ExitCode.FINE
    other = [made.number(1.0 + i, seed=i, reference_hash=f"x{i}") for i in range(3)]
    assert made.compared(rows, other).exit_code == ExitCode.NOT_COMPARABLE


def test_references_of_other_seeds_must_be_shown_to_come_from_the_seed(made: Any) -> None:
    rows = [made.number(1.0 + i, seed=i, reference_hash=f"r{i}") for i in range(4)]
    assert made.compared(rows[:2], rows[2:]).exit_code == ExitCode.FINE
    found = made.compared(rows[:1], rows[1:2])
    assert found.exit_code == ExitCode.NOT_COMPARABLE
    assert "same seeds" in found.refused[0].remedy


def test_what_agrees_is_compared_beside_what_is_refused(made: Any) -> None:
    base = [made.number(1.0), made.number(1.0, budget=20)]
    head = [made.number(1.0), made.number(1.0, budget=20, dtype="float64")]
    found = made.compared(base, head)
    assert (len(found.points), found.refused[0].points) == (1, 1)


def _worse(made: Any) -> tuple[list[Any], list[Any]]:
    base = [made.number(v, seed=i) for i, v in enumerate((5.0, 6.0, 7.0))]
    head = [made.number(v + 3, seed=i) for i, v in enumerate((5.0, 6.001, 7.0))]
    return base, head


def test_a_loss_is_a_regression_and_a_gain_is_none(made: Any) -> None:
    base, head = _worse(made)
    assert made.compared(base, head).exit_code == ExitCode.REGRESSION
    assert made.compared(head, base).exit_code == ExitCode.FINE


def test_more_is_better_turns_the_sign(made: Any) -> None:
    base, head = ([{**row, "larger_is_better": True} for row in rows] for rows in _worse(made))
    assert made.compared(base, head).points["verdict"].iloc[0] == "better"


def test_gates_decide_what_fails(made: Any) -> None:
    base, head = _worse(made)
    both = [[*rows, *({**row, "metric": "other"} for row in rows)] for rows in (base, head)]
    both[1] = [*head, *({**row, "metric": "other"} for row in base)]
    assert made.compared(*both).exit_code == ExitCode.REGRESSION
    gate = replace(CompareOptions(), gates=(Gate.parse("oth*:+2%"),))
    found = made.compared(*both, gate)
    assert found.exit_code == ExitCode.FINE
    assert set(found.points["verdict"]) == {"worse", "same"}


def test_a_tolerance_lets_pass(made: Any) -> None:
    base, head = _worse(made)
    for text, code in (("fd:+60%", 0), ("fd:+40%", 1), ("fd:+3.2", 0), ("fd:+2.9", 1)):
        found = made.compared(base, head, CompareOptions(gates=(Gate.parse(text),)))
        assert int(found.exit_code) == code, text


@pytest.mark.parametrize("text", ["fd:±2%", "fd:+-2%", "fd:+/-0.02"])
def test_a_gate_on_both_sides_fails_on_gains(made: Any, text: str) -> None:
    head, base = _worse(made)
    assert made.compared(base, head).exit_code == ExitCode.FINE
    found = made.compared(base, head, CompareOptions(gates=(Gate.parse(text),)))
    assert found.exit_code == ExitCode.REGRESSION
    assert found.points["verdict"].tolist() == ["better"]
    assert 'failures="1"' in junit(found)


@pytest.mark.parametrize("text", ["", ":+2%", "fd:", "fd:two", "fd:+2%%", "fd:nan", "fd:1e999"])
def test_a_bad_gate_is_told(text: str) -> None:
    with pytest.raises(BenchError, match="METRIC:"):
        Gate.parse(text)


def test_a_diagnostic_is_compared_only_when_it_is_named(made: Any) -> None:
    base, head = _worse(made)
    rows = [[{**row, "larger_is_better": None} for row in side] for side in (base, head)]
    assert made.compared(*rows).exit_code == ExitCode.NOT_COMPARABLE
    found = made.compared(*rows, CompareOptions(metrics=("fd",)))
    assert (found.points["verdict"].iloc[0], found.exit_code) == ("changed", ExitCode.FINE)
    found = made.compared(*rows, CompareOptions(gates=(Gate.parse("fd"),)))
    assert found.exit_code == ExitCode.REGRESSION


def test_a_new_failure_is_a_regression_with_its_reason(made: Any) -> None:
    bad = made.number(None, status="diverged", reason="3 samples are not finite")
    well = made.number(1.0, budget=20)
    found = made.compared([made.number(1.0), well], [bad, well])
    (lost,) = found.missing
    assert (lost.status, lost.reason) == ("diverged", "3 samples are not finite")
    assert found.exit_code == ExitCode.REGRESSION


@pytest.mark.parametrize("metric", ["precision", "prc_f_score"])
def test_a_failed_metric_of_several_numbers_is_found_by_its_plugin(made: Any, metric: str) -> None:
    """Whatever its numbers are called, and even where what HEAD never ran may be lost."""
    one = made.number(2.0, metric=metric, metric_plugin="prc")
    gone = made.number(None, metric="prc", metric_plugin="prc", status="failed", reason="why")
    found = made.compared([made.number(1.0), one], [made.number(1.0), gone])
    assert [(lost.metric, lost.status, lost.reason) for lost in found.missing] == [
        (metric, "failed", "why")
    ]
    allowed = CompareOptions(allow_lost=True)
    found = made.compared([made.number(1.0), one], [made.number(1.0), gone], allowed)
    assert found.exit_code == ExitCode.REGRESSION


def test_a_failed_metric_says_nothing_of_others_whose_names_it_begins(made: Any) -> None:
    one = made.number(2.0, metric="nll_other", metric_plugin="nll_other")
    gone = made.number(None, metric="nll", metric_plugin="nll", status="failed", reason="why")
    found = made.compared([made.number(1.0), one], [made.number(1.0), gone])
    assert [(lost.metric, lost.status) for lost in found.missing] == [("nll_other", "missing")]


def test_a_metric_that_head_did_not_measure_is_missing(made: Any) -> None:
    other = made.number(None, metric="rmse", status="unsupported", reason="stochastic")
    base = [made.number(1.0), made.number(2.0, metric="nll")]
    found = made.compared(base, [made.number(1.0), other])
    assert [(lost.metric, lost.status) for lost in found.missing] == [("nll", "missing")]
    assert found.exit_code == ExitCode.REGRESSION


def test_a_seed_that_fails_in_head_is_a_regression(made: Any) -> None:
    base = [made.number(1.0, seed=0), made.number(1.0, seed=1)]
    head = [made.number(1.0, seed=0), made.number(None, seed=1, status="timeout", reason="late")]
    assert made.compared(base, head).exit_code == ExitCode.REGRESSION


def test_what_failed_before_is_no_regression(made: Any) -> None:
    bad = made.number(None, budget=20, status="failed", reason="x")
    found = made.compared([made.number(1.0), bad], [made.number(1.0), bad])
    assert (found.missing, found.exit_code) == ((), ExitCode.FINE)


def test_curves_of_head_alone_are_listed(made: Any) -> None:
    found = made.compared([made.number(1.0)], [made.number(1.0), made.number(1.0, solver="new")])
    assert found.new.to_dict("records") == [
        {"suite": "toys", "model": "mlp", "curve": "new on karras", "metric": "fd", "points": 1}
    ]


def test_a_solver_under_a_new_name(made: Any) -> None:
    question = CompareOptions(renames=(("euler", "mine"),))
    found = made.compared([made.number(1.0)], [made.number(1.0, solver="mine")], question)
    assert found.points["curve"].tolist() == ["mine on karras"]


def test_two_samplers_of_one_run_by_their_labels(made: Any) -> None:
    tuned = {"solver": "heun", "solver_params": '{"k":2}', "sampler": "heun(k=2)"}
    rows = [made.number(1.0), made.number(2.0, **tuned)]
    found = made.compared(rows, rows, CompareOptions(renames=(("euler", "heun(k=2)"),)))
    assert found.points[["base", "head"]].to_numpy().tolist() == [[1.0, 2.0]]


def test_a_rename_of_nothing_is_told(made: Any) -> None:
    with pytest.raises(BenchError, match="BASE has: euler"):
        made.compared([made.number(1.0)], [made.number(1.0)], CompareOptions(renames=(("a", "b"),)))


def test_only_what_fits(made: Any) -> None:
    rows = [made.number(1.0), made.number(1.0, budget=20), made.number(1.0, solver="heun")]
    found = made.compared(rows, rows, CompareOptions(only=("solver=eu*", "nfe=20")))
    assert found.points[["solver", "budget"]].to_numpy().tolist() == [["euler", 20.0]]
    for bad in ("solver=x", "nonsense", "color=red"):
        with pytest.raises(BenchError, match="--only"):
            made.compared(rows, rows, CompareOptions(only=(bad,)))


@pytest.mark.parametrize("question", [{"metrics": ("x",)}, {"gates": (Gate("x", 0.1),)}])
def test_a_metric_or_gate_that_names_nothing_is_told(made: Any, question: Any) -> None:
    rows = [made.number(1.0)]
    with pytest.raises(BenchError, match="there are: fd, time"):
        made.compared(rows, rows, CompareOptions(**question))


def test_two_numbers_for_one_point_are_told(made: Any) -> None:
    rows = [made.number(1.0), made.number(2.0)]
    with pytest.raises(BenchError, match="BASE has two numbers"):
        made.compared(rows, rows[:1])


def test_times_are_ratios_on_the_same_hardware(made: Any) -> None:
    base = [made.number(1.0, budget=b) for b in (5, 10, 20, 40)]
    factors = (1.3, 1.31, 1.29, 1.3)
    slow = [{**row, "s_per_evaluation": 1e-3 * f} for row, f in zip(base, factors, strict=True)]
    found = made.compared(base, slow, CompareOptions(times=True))
    (time,) = found.points[found.points["metric"].eq("time")].to_dict("records")
    assert (time["verdict"], time["relative"]) == ("worse", pytest.approx(0.3, abs=1e-3))
    assert found.exit_code == ExitCode.FINE  # no gate on it
    gated = made.compared(base, slow, CompareOptions(gates=(Gate.parse("time:+10%"),)))
    assert gated.exit_code == ExitCode.REGRESSION


def test_times_of_other_hardware_are_refused(made: Any) -> None:
    found = made.compared(
        [made.number(1.0)], [made.number(1.0, device="gpu")], CompareOptions(times=True)
    )
    assert [(r.metric, r.field) for r in found.refused] == [("time", "device")]
    assert found.points["metric"].tolist() == ["fd"]


def test_families_do_not_count_what_is_identical(made: Any) -> None:
    same = {10 + i: 10 + _rng(i).normal(size=100) for i in range(8)}
    changed = {**same, 10: same[10] + 0.001 * _rng(99).normal(size=100)}
    points = made.samples_compared(same, changed).points
    assert set(points["family"]) == {1.0}
    assert points["p_holm"].notna().sum() == 1
