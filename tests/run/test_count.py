"""A file's cells are counted before any is made, and too many are refused with their number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli import main as cli
from bench.config.count import MAX_CELLS, METRICS, check_count
from bench.config.load import load_config
from bench.config.matrix import Matrix
from bench.core.errors import BenchError
from bench.registry import load_registry
from bench.run import plan as planning
from bench.run.plan import make_plan

FULL = """\
defaults: {processes: [vp, {name: ve, sigma_max: [50.0, 60.0]}], metrics: [rmse]}
suites:
  a:
    models: [gaussian_mixture, {name: random_mixture, dim: [2, 3]}]
    grids: [karras, {name: karras, rho: [3, 5]}]
    solvers:
      - ddim
      - {name: ancestral, corrector: [null, langevin, {name: langevin, snr: [0.1, 0.2, 0.3]}]}
      - {name: heun, grids: [log_snr, quadratic]}
      - {name: dopri5, rtol: [1.0e-2, 1.0e-3], atol: [1.0e-3, 1.0e-4]}
    nfe: [5, 10]
    seeds: [0, 1]
"""
CELLS = 3 * 3 * 2 * (3 * 2 + 5 * 3 * 2 + 2 * 2 + 4)


def _many(count: int, first: float = 0.001) -> str:
    return "[" + ", ".join(f"{first + i / 1000:.3f}" for i in range(count)) + "]"


def _suite(solvers: str = "[ddim]", metrics: str = "[rmse]", more: str = "nfe: [5]") -> str:
    return (
        f"suites:\n  a:\n    models: [gaussian_mixture]\n    solvers: {solvers}\n"
        f"    metrics: {metrics}\n    {more}\n"
    )


DOPRI = f"{{name: dopri5, rtol: {_many(300)}, atol: {_many(300)}}}"
LANGEVIN = f"{{name: langevin, snr: {_many(1000)}}}"
HUGE = {
    "90,000": _suite(f"[{DOPRI}]"),
    "1,000,000": _suite(f"[{{name: ddim_eta, eta: {_many(1000)}, corrector: {LANGEVIN}}}]"),
    "4,000,000": _suite(more=f"nfe: {list(range(5, 2005))}\n    seeds: {list(range(2000))}"),
    "8,000,000": _suite(
        f"[{{name: heun, grids: [{{name: karras, rho: {_many(2000)}}}]}}]",
        more=f"nfe: {list(range(5, 4005))}",
    ),
    "27,000,000": _suite(
        f"[{{name: dpmpp_sde, eta: {_many(300)}, s_noise: {_many(300)}, r: {_many(300)}}}]"
    ),
}


def _planned(text: str, folder: Path, most: int) -> int:
    path = folder / "f.yaml"
    path.write_text(text, encoding="utf-8")
    return len(make_plan(load_config(path), load_registry(), "cpu", most))


def _message(text: str, folder: Path, most: int = MAX_CELLS) -> str:
    with pytest.raises(BenchError) as caught:
        _planned(text, folder, most)
    return str(caught.value)


def test_the_count_is_that_of_the_cells(tmp_path: Path) -> None:
    assert _planned(FULL, tmp_path, CELLS) == CELLS
    message = _message(FULL, tmp_path, CELLS - 1)
    assert f"f.yaml:3: suites.a: makes {CELLS} cells (models 3 x processes 3 x" in message
    assert f"more than {CELLS - 1}; " in message
    assert message.endswith(f"allow them with --max-cells {CELLS}")


@pytest.mark.parametrize("cells", HUGE)
def test_no_plugin_is_built_where_there_are_too_many(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "build", lambda *_: pytest.fail("builds a plugin"))
    message = _message(HUGE[cells], tmp_path)
    assert f"suites.a: makes {cells} cells" in message
    assert f"--max-cells {cells.replace(',', '')}" in message


def test_metrics_weigh_too(tmp_path: Path) -> None:
    text = _suite(metrics=f"[{{name: swd, directions: {list(range(1, 61))}}}]", more="nfe: [5, 6]")
    message = _message(text, tmp_path, 11)
    assert (
        "f.yaml:5: suites.a.metrics: makes 120 numbers (60 metrics in each of 2 cells)" in message
    )
    assert f"more than {11 * METRICS}; " in message
    assert message.endswith("--max-cells 12")
    assert _planned(text, tmp_path, 12) == 2


def test_suites_add_up(tmp_path: Path) -> None:
    body = "{models: [gaussian_mixture], solvers: [ddim], nfe: [5, 6, 7], metrics: [rmse]}"
    text = f"suites:\n  a: {body}\n  b: {body}\n"
    assert _planned(text, tmp_path, 6) == 6
    assert "f.yaml: makes 6 cells in 2 suites, more than 5; run them apart" in _message(
        text, tmp_path, 5
    )


@pytest.mark.parametrize(
    "broken", ["zzz", "{name: zzz, a: [1, 2]}", "{name: 5}", "5", "[ddim]", "null", "{rtol: [1]}"]
)
def test_what_cannot_be_counted_is_left_to_the_plan(broken: str, tmp_path: Path) -> None:
    message = _message(_suite(f"[{broken}, ddim]"), tmp_path)
    assert "suites.a.solvers[0]" in message
    assert "cells" not in message


def test_the_option_lifts_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_text(_suite(more="nfe: [5, 6, 7]"), encoding="utf-8")
    command = ["bench", "run", "f.yaml", "--dry-run", "--json", "--max-cells"]
    monkeypatch.setattr("sys.argv", [*command, "2"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "makes 3 cells" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*command, "3"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 3


def test_the_values_are_counted_by_the_rule_of_the_plan(tmp_path: Path) -> None:
    """A list that is one value of a parameter that is a list counts as one."""
    path = tmp_path / "f.yaml"
    model = (
        "{name: gaussian_mixture, means: [[0.0, 1.0], [1.0, 0.0]], stds: [0.1, 0.2], weights: null}"
    )
    path.write_text(_suite().replace("gaussian_mixture", model), encoding="utf-8")
    config, registry = load_config(path), load_registry()
    check_count([Matrix.of(suite, registry) for suite in config.suites], 1)
    assert len(make_plan(config, registry, "cpu", 1)) == 1
