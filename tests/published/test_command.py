"""`bench published` at the command line, and the section of the report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.cli.main import app
from bench.config.suites import names
from bench.core.errors import BenchError
from bench.published.figures import PublishedFigure, figure_called, load_figures
from bench.report import write_report
from bench.results.store import Store

Rows = Callable[..., pd.DataFrame]
FIGURES = load_figures()
FEW = figure_called(FIGURES, "zhou2023-cifar10/ipndm-4/10")
BYTES = figure_called(FIGURES, "song2021-best-ve/ncsnpp-cont/2000")


@pytest.fixture(name="stored")
def stored_(rows_of: Rows, tmp_path: Path) -> Callable[..., Path]:
    """Writes a run of these figures and returns its folder."""

    def write(*measured: tuple[PublishedFigure, float]) -> Path:
        store = Store(tmp_path / "run")
        keys = []
        for figure, value in measured:
            (row,) = rows_of(figure, [value]).astype(object).to_dict("records")
            plain: dict[str, Any] = {str(k): None if pd.isna(v) else v for k, v in row.items()}
            keys.append(f"{len(keys):064d}")
            store.write(keys[-1], [plain | {"key": keys[-1]}], None)
        store.write_plan("run", keys)
        return store.root

    return write


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["published", *arguments])
    if isinstance(result.exception, BenchError):
        raise result.exception
    return result.exit_code, result.output


def test_all_figures_are_listed() -> None:
    code, text = _run("--json")
    records = json.loads(text)["figures"]
    assert (code, len(records)) == (0, len(FIGURES))
    assert {"value", "source", "solver", "grid", "finish", "n", "nfe"} <= records[0].keys()
    code, text = _run("cifar10-edm")
    assert code == 0
    assert "iPNDM-4" in text
    assert "FFHQ" not in text


def test_a_reproduced_run_exits_with_0(stored: Callable[..., Path]) -> None:
    code, text = _run("--results", str(stored((FEW, 2.78))), "--format", "markdown")
    assert code == 0
    assert "1 reproduced, 0 off, 0 with another protocol, 220 not run" in text
    assert (
        "| iPNDM-4 | 10 | 2.77 | 2.780 (one run) | +0.010 (+0.4 %) | ±0.123 | reproduced |" in text
    )


def test_a_run_that_is_off_exits_with_1(stored: Callable[..., Path]) -> None:
    folder = str(stored((FEW, 3.50)))
    code, text = _run("--results", folder, "--format", "markdown")
    assert code == 1
    assert "off by +0.730 (+26.4 %)" in text
    code, text = _run("--results", folder, "--json")
    assert code == 1
    (record,) = [c for c in json.loads(text)["comparisons"] if c["verdict"] == "off by"]
    assert record["figure"]["id"] == FEW.id
    assert record["relative"] == pytest.approx(0.2635, abs=1e-3)
    assert _run("--results", folder, "--sigmas", "30")[0] == 0


def test_another_protocol_is_never_off_however_far(stored: Callable[..., Path]) -> None:
    code, text = _run("--results", str(stored((BYTES, 9.0), (FEW, 2.78))))
    assert code == 0
    assert "1 reproduced, 0 off, 1 with another protocol" in text
    assert "samples are cut down to bytes" in " ".join(text.split())


@pytest.mark.parametrize("form", [(), ("--json",), ("--format", "markdown")])
def test_nothing_that_can_be_compared_is_no_success(
    stored: Callable[..., Path], form: tuple[str, ...]
) -> None:
    for measured, options in (((BYTES, 9.0), ()), ((FEW, 2.78), ("--table", "karras2022-cifar10"))):
        with pytest.raises(BenchError, match="nothing could be compared"):
            _run("--results", str(stored(measured)), *options, *form)


def test_bad_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no published figures belong to the suite 'x'"):
        _run("x")
    with pytest.raises(BenchError, match="holds no results"):
        _run("--results", str(tmp_path))
    with pytest.raises(BenchError, match="there is no such file"):
        _run("--figures", str(tmp_path / "none.yaml"))


def test_markup_in_a_file_of_figures_is_text(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        """
tables:
  - id: own
    title: "[bold]x[/nope]"
    source: {paper: "<b>", place: "[/x]", url: "https://example.org"}
    suite: own
    dataset: d
    model: {name: edm, checkpoint: c, about: "[/a]"}
    process: {name: edm}
    grid: {name: karras}
    metric: {name: fid, n: 1}
    s_min: 0.1
    s_max: 1.0
    decimals: 1
    spread: 0.1
    notes: ["[/note]"]
    curves: [{label: "a|b [/l]", solver: {name: ddim}, nfe: [1], values: [1.0]}]
""",
        encoding="utf-8",
    )
    assert "[bold]x[/nope]" in _run("--figures", str(path))[1]
    assert "a\\|b" in _run("--figures", str(path), "--format", "markdown")[1]


def test_torch_is_not_imported() -> None:
    code = (
        "import sys\nfrom bench.cli.main import app\n"
        "app(['published', '--json'], standalone_mode=False)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_lists_every_suite() -> None:
    text = CliRunner().invoke(app, ["run", "--help"]).output
    assert [name for name in names() if name not in text] == []


def test_the_report_has_the_figures_that_the_run_measured(
    stored: Callable[..., Path], tmp_path: Path
) -> None:
    page = write_report(stored((FEW, 2.78), (BYTES, 2.5)), tmp_path / "report").page
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert "Against published figures" in text
    assert "2.780 (one run)" in text
    assert "protocol differs: source" in text
    assert "Zhou et al. 2023" in text
    assert "Ho et al. 2020" not in text


def test_a_report_of_other_models_has_no_such_section(
    stored: Callable[..., Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    own = replace(FEW, checkpoint="mine.pkl")
    page = write_report(stored((own, 2.78)), tmp_path / "report").page
    assert "Against published figures" not in page.read_text(encoding="utf-8")
