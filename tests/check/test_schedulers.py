"""`bench check` on schedulers of diffusers: what is known of them is found, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bench.api import BenchError
from bench_check.checks import examine
from bench_check.claims import Claims
from bench_check.commands import bench_commands
from bench_check.finding import Finding, Verdict
from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler

KARRAS = {"use_karras_sigmas": True}
SDE = {**KARRAS, "algorithm_type": "sde-dpmsolver++"}

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning"),
]


def _examine(
    name: str, config: dict[str, Any], claims: Claims | None = None, **arguments: Any
) -> dict[str, Finding]:
    solver = DiffusersScheduler(scheduler=name, config=config, arguments=arguments)
    return {item.check: item for item in examine(solver, claims or Claims())}


RIGHT: list[tuple[str, dict[str, Any], float, dict[str, Any]]] = [
    ("DDIMScheduler", {"clip_sample": False}, 1.0, {}),
    ("DDIMScheduler", {"clip_sample": False}, 0.8, {"eta": 1.0}),
    ("DDPMScheduler", {"clip_sample": False}, 0.8, {}),
    ("EulerDiscreteScheduler", {}, 1.0, {}),
    ("EDMEulerScheduler", {}, 1.0, {}),
    ("EulerAncestralDiscreteScheduler", {}, 0.8, {}),
    ("HeunDiscreteScheduler", {}, 2.0, {}),
    ("DPMSolverMultistepScheduler", {}, 2.1, {}),
    ("DPMSolverMultistepScheduler", SDE, 2.1, {}),
    ("EDMDPMSolverMultistepScheduler", {}, 2.1, {}),
    ("UniPCMultistepScheduler", {}, 3.1, {}),
]
"""Scheduler, configuration, order as measured, arguments of its step."""


@pytest.mark.parametrize("case", RIGHT, ids=[f"{c[0]}-{i}" for i, c in enumerate(RIGHT)])
def test_right_ones_have_no_finding(case: Any) -> None:
    name, config, order, arguments = case
    found = _examine(name, config, **arguments)
    assert {item.verdict for item in found.values()} == {Verdict.GOOD}, found
    assert found["order"].numbers["order"] == pytest.approx(order, abs=0.12)
    assert found["distance"].numbers["difference"] < 1e-5


def test_the_wrong_sign_of_the_third_order_sde_solver_is_found() -> None:
    config = {**SDE, "solver_order": 3, "beta_schedule": "scaled_linear"}
    found = _examine(
        "DPMSolverMultistepScheduler", {**config, "beta_start": 0.00085, "beta_end": 0.012}
    )
    assert found["order"].verdict is Verdict.FAULT
    assert "2 is its own claim" in found["order"].text
    assert found["distance"].verdict is Verdict.NOTE
    assert found["distance"].numbers["against"] == "dpmpp_3m_sde"
    assert found["distance"].numbers["difference"] > 0.1


def test_churn_after_the_last_evaluation_is_found() -> None:
    found = _examine("EulerDiscreteScheduler", KARRAS, s_churn=1.0)
    assert found["end"].verdict is Verdict.FAULT
    assert "after the last evaluation" in found["end"].text


def test_values_that_are_not_finite_are_found() -> None:
    """B1(h) of UniPC where the last step is to noise level 0."""
    found = _examine("UniPCMultistepScheduler", {**KARRAS, "solver_type": "bh1"})
    assert list(found) == ["runs"]
    assert found["runs"].verdict is Verdict.FAULT
    assert "not finite" in found["runs"].text


def test_the_quadrature_of_lms_is_noted() -> None:
    found = _examine("LMSDiscreteScheduler", {})
    assert found["distance"].verdict is Verdict.NOTE
    assert 1e-5 < found["distance"].numbers["difference"] < 1e-3


class Coupled(DiffusersScheduler):
    """Adds the mean of the batch at the end."""

    def trace(self, problem: Any, x: Any, times: Any) -> Any:
        end, draws = super().trace(problem, x, times)
        return end + 1e-3 * end.mean(0, keepdim=True), draws


def test_coupling_and_claims_are_found() -> None:
    coupled = Coupled(scheduler="EDMEulerScheduler")
    found = {item.check: item for item in examine(coupled, Claims(order=2, evaluations=2))}
    for check, text in (
        ("batch", "depends on the others"),
        ("order", "2 is claimed"),
        ("cost", "2 a step are claimed"),
    ):
        assert found[check].verdict is Verdict.FAULT
        assert text in found[check].text


def _invoke(*arguments: str) -> Any:
    app = typer.Typer()
    for command in bench_commands():
        assert not isinstance(command.run, typer.Typer)
        app.command(command.name)(command.run)
    return CliRunner().invoke(app, list(arguments))


def test_the_command_takes_a_class_of_diffusers() -> None:
    result = _invoke("diffusers:DDIMScheduler", "--param", "eta=1.0", "--json")
    page = json.loads(result.stdout)
    assert result.exit_code == page["exit_code"] == 0
    assert page["call"] == "diffusers:DDIMScheduler"
    assert page["ends_in_x0"]
    assert page["params"] == {"eta": 1.0}
    assert next(x for x in page["findings"] if x["check"] == "distance")["numbers"]["against"] == (
        "ddim_eta"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diffusers:Nothing"], "scheduler must be one of"),
        (["diffusers:RePaintScheduler"], "needs an image and a mask"),
        (["diffusers:DDIMScheduler", "--param", "q=1"], "DDIMScheduler.step takes no 'q'"),
        (["diffusers:DDIMScheduler", "--signature", "edm"], "are for functions"),
    ],
)
def test_bad_calls_are_told_in_one_line(arguments: list[str], message: str) -> None:
    result = _invoke(*arguments)
    assert isinstance(result.exception, BenchError)
    assert message in str(result.exception)
