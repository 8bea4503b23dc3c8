"""docs/foreign.md opens with commands that run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "foreign.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def _commands() -> list[list[str]]:
    return [line.partition("#")[0].split() for line in _block("sh").splitlines()]


@pytest.mark.slow
def test_the_commands_of_its_opening_end_in_a_curve_beside_ours(tmp_path: Path) -> None:
    install, *rest = _commands()
    assert install == ["pip", "install", "scorebench"]
    assert len(rest) <= 3
    (tmp_path / "my_sampler.py").write_text(_block("python"), encoding="utf-8")
    suite = _block("yaml").replace("samples: 1000", "samples: 64")
    (tmp_path / "mine.yaml").write_text(suite, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for place, *command in rest:
        assert place == "PYTHONPATH=."
        environment = {**os.environ, "PATH": path, "PYTHONPATH": "."}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    cells = (tmp_path / "results" / "mine" / "cells").rglob("*.parquet")
    frame = pd.concat(map(pd.read_parquet, cells))
    assert set(frame["status"]) == {"ok"}
    frame = frame[frame["metric"] == "rmse"].set_index(["solver", "budget"])["value"]
    for budget in (5, 10, 20, 40):  # the example is Heun's method
        assert frame["function", budget] == pytest.approx(frame["edm_heun", budget], rel=1e-3)
        assert frame["function", budget] > 0


def test_it_names_each_signature_and_the_other_pages() -> None:
    for text in ("k_diffusion", "`signature: edm`", "dpm_solver", "schedulers.md", "aliases.md"):
        assert text in PAGE
