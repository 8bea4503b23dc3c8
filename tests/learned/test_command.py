"""`bench calibrate`: a run with its file is the run that calibrates itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench import load_results
from bench.cli import main as cli

SUITE = """
suites:
  {name}:
    models: {models}
    grids: [{grid}]
    solvers: [{solver}]
    nfe: [5, 6, 8]
    samples: 32
    metrics: [swd]
"""


def _write(
    place: Path, name: str, grid: str, solver: str, models: str = "[gaussian_mixture]"
) -> str:
    file = place / f"{name}.yaml"
    file.write_text(SUITE.format(name="s", models=models, grid=grid, solver=solver))
    return str(file)


def _bench(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["bench", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
    return int(end.value.code or 0)


GRID, SOLVER = (
    ("{name: ld3, samples: 8, %s}", "dpmpp_2m"),
    ("karras", "{name: s4s, samples: 8, %s}"),
)


@pytest.mark.parametrize(("grid", "solver"), [GRID, SOLVER])
def test_round_trip_is_exact(
    tmp_path: Path,
    grid: str,
    solver: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    def with_option(text: str) -> tuple[str, str]:
        return grid.replace("%s", text), solver.replace("%s", text)

    plain = _write(tmp_path, "plain", *with_option("iterations: 2"))
    assert _bench("calibrate", plain, "--out", "kept.json", "--json", "--device", "cpu") == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["entries"]) == err.count(" evaluations, ") == 3
    filed = _write(tmp_path, "filed", *with_option("iterations: 2, file: kept.json"))
    for file in (plain, filed):
        arguments = ("--device", "cpu", "--workers", "1", "--no-report")
        assert _bench("run", file, "--results", "results", *arguments) == 0
    one, other = (load_results(tmp_path / "results" / name) for name in ("plain", "filed"))
    assert one["calibration_evaluations"].gt(0).all()
    assert other["calibration_evaluations"].eq(0).all()
    assert one["value"].notna().all()
    np.testing.assert_array_equal(
        one.sort_values("budget")["value"], other.sort_values("budget")["value"]
    )


def test_files_are_not_replaced_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.json").write_text("mine")
    file = _write(tmp_path, "plain", "karras", "{name: s4s, samples: 4, iterations: 1}")
    assert _bench("calibrate", file, "--out", "kept.json") == 2
    assert "kept.json: exists" in capsys.readouterr().err
    assert (tmp_path / "kept.json").read_text() == "mine"
    assert _bench("calibrate", file, "--out", "kept.json", "--force", "--device", "cpu") == 0
    assert len(json.loads((tmp_path / "kept.json").read_text())["entries"]) == 3


@pytest.mark.parametrize(
    ("solver", "models", "message"),
    [
        ("ddim", "[gaussian_mixture]", "no grid or solver of its cells has numbers to learn"),
        ("s4s", "[gaussian_mixture, digits_mlp]", "more than one model"),
    ],
)
def test_suites_that_no_file_can_serve_are_refused(
    tmp_path: Path,
    solver: str,
    models: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    file = _write(tmp_path, "plain", "karras", solver, models)
    assert _bench("calibrate", file, "--out", "kept.json", "--device", "cpu") == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "kept.json").exists()
