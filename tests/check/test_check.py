"""`bench check` finds each fault by name, and nothing on good samplers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bench.api import BenchError
from bench_check.checks import examine
from bench_check.checks.order import slope_of
from bench_check.claims import Claims
from bench_check.commands import bench_commands
from bench_check.finding import Finding, Verdict, exit_code
from bench_plugins.foreign.function import Function

SAMPLERS = Path(__file__).parent / "samplers"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(SAMPLERS))
    yield
    sys.modules.pop("reviewed_samplers", None)


def _examine(name: str, claims: Claims | None = None, **parameters: Any) -> dict[str, Finding]:
    given = {"signature": "k_diffusion", **parameters}
    function = Function(call=f"reviewed_samplers:{name}", **given)
    return {item.check: item for item in examine(function, claims or Claims())}


GOOD: dict[str, tuple[Claims, dict[str, Any]]] = {
    "sample_euler": (Claims(order=1, evaluations=1), {}),
    "sample_heun": (Claims(order=2, evaluations=2), {}),
    "sample_euler_ancestral": (Claims(order=1, evaluations=1), {}),
    "sample_two_steps_at_least": (Claims(order=2, evaluations=2), {}),
    "plain_midpoint": (Claims(order=2, evaluations=2), {"signature": "callable"}),
    "sample_dpm_2": (Claims(order=2, evaluations=2), {}),
    "sample_dpm_2_ancestral": (Claims(order=2, evaluations=2), {}),
    "sample_dpmpp_2s_ancestral": (Claims(order=2, evaluations=2), {}),
    "sample_dpmpp_2m": (Claims(order=2, evaluations=1), {}),
    "edm_sampler": (Claims(order=2, evaluations=2), {"signature": "edm"}),
    "plain_two_step": (Claims(order=2, evaluations=1), {"signature": "callable"}),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_samplers_have_no_finding(name: str) -> None:
    claims, parameters = GOOD[name]
    unnamed = ("sample_two_steps_at_least", "plain_midpoint", "plain_two_step")
    found = _examine(name, claims, **parameters)
    assert {item.verdict for item in found.values()} <= {Verdict.GOOD, Verdict.SKIPPED}
    assert exit_code(list(found.values())) == 0
    assert found["order"].numbers["order"] == pytest.approx(claims.order, abs=0.1)
    if name not in unnamed:
        assert found["distance"].numbers["difference"] < 1e-9


FAULTS: dict[str, tuple[str, str, Claims]] = {
    "noise_at_the_end": ("end", "adds noise of standard deviation 0.02 after the last", Claims()),
    "stops_early": ("end", "should end in x_0, and ends at s = 0.02", Claims()),
    "one_more": ("cost", "1 a step are claimed", Claims(evaluations=1)),
    "moody": ("cost", "on another model", Claims()),
    "wrong_weight": ("order", "2 is claimed", Claims(order=2)),
    "coupled": ("batch", "depends on the others of its batch", Claims()),
    "global_generator": ("randomness", "torch's global generator", Claims()),
    "settings": ("state", "changes the process", Claims()),
    "single": ("dtype", "float32 and float64 differ", Claims()),
    "remembers": ("randomness", "keeps something between calls", Claims()),
}


def test_norms_over_the_batch_are_found() -> None:
    found = _examine("langevin_of_the_batch", signature="callable")
    assert found["batch"].verdict is Verdict.FAULT
    assert "depends on the others of its batch" in found["batch"].text


def test_numpys_global_generator_is_found() -> None:
    found = _examine("generator_of_numpy")
    assert found["runs"].verdict is Verdict.FAULT
    assert "draws from the global generator of numpy" in found["runs"].text


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_by_name(name: str) -> None:
    check, text, claims = FAULTS[name]
    found = _examine(name, claims)
    assert found[check].verdict is Verdict.FAULT
    assert text in found[check].text
    assert exit_code(list(found.values())) == 1


@pytest.mark.parametrize(
    ("name", "check", "text"),
    [
        ("unused_draws", "randomness", "none is used"),
        ("in_place", "input", "writes into its input"),
    ],
)
def test_habits_are_noted_and_are_no_faults(name: str, check: str, text: str) -> None:
    found = _examine(name)
    assert found[check].verdict is Verdict.NOTE
    assert text in found[check].text
    assert exit_code(list(found.values())) == 0


def test_another_method_of_the_same_name_is_noted_and_against_a_claim_a_fault() -> None:
    assert _examine("sample_heun", Claims(against="ddim"))["distance"].verdict is Verdict.FAULT
    assert _examine("in_place", Claims(against="ddim"))["distance"].verdict is Verdict.GOOD


def test_a_slope_has_its_interval() -> None:
    steps = (10, 20, 40, 80)
    slope, half = slope_of(steps, [n**-3.0 for n in steps])
    assert slope == pytest.approx(3)
    assert half < 1e-9
    slope, half = slope_of(steps, [2 ** (i % 2) * n**-3.0 for i, n in enumerate(steps)])
    assert abs(slope - 3) < half
    with pytest.raises(BenchError, match="round-off"):
        slope_of(steps, [1e-3, 1e-12, 1e-13, 1e-13])


def _app() -> typer.Typer:
    app = typer.Typer()
    for command in bench_commands():
        assert not isinstance(command.run, typer.Typer)
        app.command(command.name)(command.run)
    return app


def test_json_holds_every_finding() -> None:
    result = CliRunner().invoke(
        _app(), ["reviewed_samplers:one_more", "--evaluations", "1", "--json"]
    )
    page = json.loads(result.stdout)
    assert result.exit_code == page["exit_code"] == 1
    assert [item["check"] for item in page["findings"]][:3] == ["runs", "cost", "order"]
    cost = next(item for item in page["findings"] if item["check"] == "cost")
    assert cost["numbers"]["evaluations"]["8"] == 18
    assert len(page["code"]) == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_module_here:f"], "cannot be imported"),
        (["reviewed_samplers:nobody"], "is no function or class"),
        (["reviewed_samplers"], "call must be package.module:name"),
        (["reviewed_samplers:sample_heun", "--param", "x"], "write NAME=VALUE"),
        (["reviewed_samplers:sample_heun", "--param", "q=1"], "has no parameter 'q'"),
        (["reviewed_samplers:sample_heun", "--against", "hoyn"], "--against hoyn"),
    ],
)
def test_bad_calls_are_told_in_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(_app(), arguments)
    assert isinstance(result.exception, BenchError)
    assert message in str(result.exception)


def test_the_command_ends_with_two_for_bad_input() -> None:
    command = [str(Path(sys.executable).with_name("bench")), "check", "no_such_module_here:f"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "cannot be imported" in done.stderr


def test_a_function_that_makes_its_own_levels_is_examined_on_its_grid() -> None:
    found = _examine("sample_equal_steps", Claims(order=1, evaluations=1, against="ddim"))
    assert "log_snr" in found["runs"].text
    notes = {name for name, item in found.items() if item.verdict is not Verdict.GOOD}
    assert notes == {"randomness"}  # its draws are of no use
    assert found["randomness"].verdict is Verdict.NOTE
