"""A comparison of nothing is no success, in whatever form and however it came about."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench.compare.gates import Gate
from bench.compare.json_form import as_json
from bench.compare.junit import junit
from bench.compare.markdown import markdown
from bench.compare.question import CompareOptions
from bench.compare.result import Comparison, ExitCode
from bench.compare.text import text
from bench.core.errors import BenchError

BENCH = [sys.executable, "-c", "from bench.cli.main import main; main()"]


def _gates(*texts: str) -> CompareOptions:
    return CompareOptions(gates=tuple(Gate.parse(one) for one in texts))


def _headlines(found: Comparison) -> list[str]:
    """The verdict line of every form."""
    case = ET.fromstring(junit(found)).find(".//testcase[@name='verdict']")
    assert case is not None
    return [
        text(found, width=1000).splitlines()[0],
        markdown(found).splitlines()[0].replace("\\", ""),
        json.loads(as_json(found))["headline"],
        "".join(e.get("message", "") + (e.text or "") for e in case),
    ]


def _apart(made: Any) -> dict[str, tuple[list[Any], list[Any]]]:
    """BASE and HEAD of which no number can be compared, for every reason there is."""
    one = made.number(1.0)
    failed = {"status": "failed", "reason": "why"}
    return {
        "other suites": ([one], [made.number(1.0, suite="other")]),
        "other models": ([one], [made.number(1.0, model="unet")]),
        "other budgets": ([one], [made.number(1.0, budget=11)]),
        "other parameters": ([one], [made.number(1.0, solver_params='{"k":2}')]),
        "other metrics": ([one], [made.number(1.0, metric="kid")]),
        "BASE failed": ([made.number(None, **failed)], [one]),
        "HEAD failed": ([one], [made.number(None, **failed)]),
        "both failed": ([made.number(None, **failed)], [made.number(None, **failed)]),
        "not a number": ([one], [made.number(float("nan"))]),
        "other protocol": ([one], [made.number(1.0, dtype="float64")]),
        "other weights": ([one], [made.number(1.0, weights="w2")]),
        "diagnostics alone": tuple([{**one, "larger_is_better": None}] for _ in range(2)),  # type: ignore[dict-item]
    }


@pytest.mark.parametrize(
    "why",
    [
        "other suites",
        "other models",
        "other budgets",
        "other parameters",
        "other metrics",
        "BASE failed",
        "HEAD failed",
        "both failed",
        "not a number",
        "other protocol",
        "other weights",
        "diagnostics alone",
    ],
)
@pytest.mark.parametrize("allowed", [False, True])
def test_nothing_in_common_is_never_fine(made: Any, why: str, allowed: bool) -> None:
    found = made.compared(*_apart(made)[why], CompareOptions(allow_lost=allowed))
    assert found.exit_code == ExitCode.NOT_COMPARABLE
    assert found.points.empty
    for line in _headlines(found):
        assert "NOT COMPARABLE: nothing could be compared" in line
    assert ET.fromstring(junit(found)).findall(".//error")
    assert json.loads(as_json(found))["exit_code"] == 2


def test_the_command_says_it_in_every_format(made: Any, tmp_path: Path) -> None:
    """As a user has it: two runs of suites that share nothing."""
    for name in ("a", "b"):
        made.written(tmp_path / name, [made.number(1.0, suite=name)])
    for format_ in ("text", "markdown", "json", "junit"):
        done = subprocess.run(
            [*BENCH, "compare", "a", "b", "--format", format_, "--out", f"{format_}.txt"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        for told in (done.stdout, (tmp_path / f"{format_}.txt").read_text("utf-8")):
            assert "nothing could be compared" in told
            assert "1 numbers of BASE are missing in HEAD" in told


def test_lost_points_are_counted_and_fail_unless_they_may(made: Any) -> None:
    base = [made.number(1.0, budget=b) for b in (5, 10, 20)]
    strict = made.compared(base, base[:1])
    assert strict.exit_code == ExitCode.REGRESSION
    lines = _headlines(strict)
    assert all("POINTS LOST: " in line for line in lines[:3])
    assert all("2 numbers of BASE are missing in HEAD" in line for line in lines)
    assert json.loads(as_json(strict))["lost_points"] == 2
    allowed = made.compared(base, base[:1], CompareOptions(allow_lost=True))
    assert allowed.exit_code == ExitCode.FINE
    assert all("2 numbers of BASE are missing in HEAD" in line for line in _headlines(allowed))


@pytest.mark.parametrize("status", ["failed", "diverged", "timeout", "unsupported"])
def test_what_failed_is_never_allowed(made: Any, status: str) -> None:
    base = [made.number(1.0), made.number(1.0, budget=20)]
    head = [base[0], made.number(None, budget=20, status=status, reason="why")]
    found = made.compared(base, head, CompareOptions(allow_lost=True))
    assert found.exit_code == ExitCode.REGRESSION
    assert all("1 numbers of BASE failed in HEAD" in line for line in _headlines(found))


def test_only_what_is_gated_may_not_be_lost(made: Any) -> None:
    base = [made.number(1.0), made.number(1.0, metric="kid"), made.number(2.0, budget=20)]
    head = [base[0], base[2]]
    assert made.compared(base, head, _gates("fd")).exit_code == ExitCode.FINE
    assert made.compared(base[:2], base[1:2], _gates("kid", "fd")).exit_code == 2
    assert made.compared(base, base[:2], _gates("fd")).exit_code == ExitCode.REGRESSION
    # With a cell its time is lost, too.
    timed = [{**row, "s_per_evaluation": 1e-3} for row in base]
    assert made.compared(timed, timed[:2], _gates("time")).exit_code == ExitCode.REGRESSION


def _beside(made: Any, row: Any) -> list[Any]:
    """A number of another metric that is the same on both sides, and ``row``."""
    return [made.number(1.0, metric="kid"), row]


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "float64"},
        {"budget": 11},
        {"value": float("nan")},
        {"status": "failed", "reason": "why"},
        {"suite": "other"},
    ],
    ids=["refused", "other budget", "nan", "failed", "other suite"],
)
def test_a_gate_or_metric_of_which_nothing_is_compared_is_an_error(made: Any, change: Any) -> None:
    value = change.pop("value", 1.0)
    base, head = _beside(made, made.number(1.0)), _beside(made, made.number(value, **change))
    for question in (_gates("fd:+2%", "kid"), CompareOptions(metrics=("fd", "kid"))):
        found = made.compared(base, head, question)
        assert found.exit_code == ExitCode.NOT_COMPARABLE
        assert len(found.points) == 1
        name = "--gate fd:+2%" if question.gates else "--metric fd"
        for line in _headlines(found):
            assert f"{name}: none of its numbers could be compared" in line
        assert ET.fromstring(junit(found)).find(".//testcase[@name='verdict']/error") is not None


def test_a_real_regression_outweighs_a_gate_of_nothing(made: Any) -> None:
    base = [made.number(1.0, seed=s, metric="kid") for s in range(3)] + [made.number(1.0)]
    head = [made.number(2.0 + s / 100, seed=s, metric="kid") for s in range(3)]
    found = made.compared(base, head, _gates("kid", "fd"))
    assert found.exit_code == ExitCode.REGRESSION
    assert "none of its numbers" in _headlines(found)[0]


def test_a_gate_behind_another_that_names_all_of_it_is_told(made: Any) -> None:
    rows = [made.number(1.0), made.number(1.0, metric="fd_x")]
    assert made.compared(rows, rows, _gates("fd", "fd*")).exit_code == ExitCode.FINE
    found = made.compared(rows, rows, _gates("fd*", "fd:+1%"))
    assert found.exit_code == ExitCode.NOT_COMPARABLE
    assert "--gate fd:+1%: decides nothing" in _headlines(found)[0]


def test_times_that_cannot_be_compared_are_an_error(made: Any) -> None:
    row = {**made.number(1.0), "s_per_evaluation": 1e-3}
    without = {**row, "s_per_evaluation": None}
    elsewhere = {**row, "device": "other"}
    for question in (_gates("time", "fd"), CompareOptions(times=True)):
        assert made.compared([row], [row], question).exit_code == ExitCode.FINE
        for head in (without, elsewhere):
            found = made.compared([row], [head], question)
            assert found.exit_code == ExitCode.NOT_COMPARABLE
            assert found.unmet


def test_a_target_of_no_curve_is_an_error(made: Any) -> None:
    curve = [made.number(10.0 / b, budget=b) for b in (5, 10)]
    point = [made.number(1.0, metric="kid")]

    def asked(*metrics: str) -> Comparison:
        question = CompareOptions(targets=tuple((metric, 1.5) for metric in metrics))
        found: Comparison = made.compared([*curve, *point], [*curve, *point], question)
        return found

    assert asked("fd").exit_code == ExitCode.FINE
    assert asked("fd", "kid").unmet == ("--target kid: none of its curves could be compared",)
    assert asked("f*", "fd").exit_code == ExitCode.NOT_COMPARABLE
    with pytest.raises(BenchError, match="--target x: no result has such a metric"):
        asked("x")


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (("solver=heun",), "--only solver=heun: fits no result of HEAD"),
        (("solver=mine",), "--only solver=mine: fits no result of BASE"),
        (("nfe=10", "nfe=20"), "--only nfe=20: fits no result of HEAD"),
        (("solver=x*",), "fits neither BASE nor HEAD"),
        (("solver=euler", "suite=other"), "--only solver=euler suite=other: fits neither"),
    ],
)
def test_a_filter_that_fits_one_side_alone_is_an_error(
    made: Any, only: tuple[str, ...], told: str
) -> None:
    other = made.number(1.0, suite="other", solver="rk4")
    base = [made.number(1.0), made.number(1.0, solver="heun", budget=20), other]
    head = [made.number(1.0), made.number(1.0, solver="mine"), other]
    with pytest.raises(BenchError) as error:
        made.compared(base, head, CompareOptions(only=only, allow_lost=True))
    assert told in str(error.value)
