"""Cells that run strangers' code, what their workers import, and imports that cannot be undone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.config.load import load_config
from bench.core.errors import BenchError
from bench.registry import Kind, Meddling, build, load_registry, own_sources, registry_of
from bench.results.schema import Status
from bench.run.cell import Cell
from bench.run.fresh import late_imports, runs_foreign_code
from bench.run.machine import Machine
from bench.run.plan import make_plan
from bench.run.pool import run_cells
from bench.run.runner import Request, plan_run
from bench.run.spec import PluginSpec

MATRIX = """\
suites:
  a: {models: [gaussian_mixture], solvers: [ddim], nfe: [5], samples: 64, metrics: [rmse]}
"""


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    """A cell of the host's own plugins."""
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    (found,) = make_plan(load_config(tmp_path / "b.yaml"), load_registry(), "cpu")
    return found


def _of_someone(spec: PluginSpec) -> PluginSpec:
    return replace(spec, source=replace(spec.source, distribution="someone"))


def test_the_hosts_own_plugins_are_no_strangers(cell: Cell) -> None:
    assert not runs_foreign_code(cell, load_registry())


@pytest.mark.parametrize("place", ["model", "process", "grid", "solver"])
def test_one_plugin_of_someone_is_enough(place: str, cell: Cell) -> None:
    changed = replace(cell, **{place: _of_someone(getattr(cell, place))})
    assert runs_foreign_code(changed, load_registry())


def test_a_metric_or_a_corrector_of_someone_is_enough(cell: Cell) -> None:
    metric = _of_someone(cell.metrics[0])
    assert runs_foreign_code(replace(cell, metrics=(*cell.metrics, metric)), load_registry())
    corrector = _of_someone(cell.solver)
    assert runs_foreign_code(replace(cell, corrector=corrector), load_registry())


def test_a_factory_of_the_users_is_a_strangers_code(cell: Cell) -> None:
    entry = load_registry().get("module", Kind.MODEL)
    spec = PluginSpec.of(entry, build(entry.cls, {"factory": "mine:network"}))
    assert runs_foreign_code(replace(cell, model=spec), load_registry())


NETWORK = """\
import os
from pathlib import Path
import torch

class Mine(torch.nn.Module):
    def forward(self, y, s):
        with Path(__file__).with_name("processes.txt").open("a") as file:
            print(os.getpid(), file=file)
        return y / (1 + s.reshape(-1, 1).to(y.dtype) ** 2)
"""
OF_MINE = """\
suites:
  a:
    models: [{name: discrete, factory: "mine:Mine", predicts: x0, shape: [4]}]
    solvers: [ddim]
    nfe: [5, 6, 7]
    samples: 64
    metrics: [rmse]
"""


def test_every_cell_of_a_stranger_has_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(OF_MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    cells = make_plan(load_config(tmp_path / "b.yaml"), load_registry(), "cpu")
    done = run_cells(cells, Machine("cpu", 1, 1), tmp_path / "log", lambda cell: None)
    assert [result.status for _, result in done] == [Status.OK] * 3
    processes = (tmp_path / "processes.txt").read_text(encoding="utf-8").split()
    assert len(set(processes)) == 3
    assert str(os.getpid()) not in processes


def test_a_registry_of_a_cell_has_the_plugins_of_its_entry_points_alone(cell: Cell) -> None:
    whole, own = load_registry(), registry_of(spec.source for spec in cell.plugins)
    points = {spec.source.entry_point for spec in cell.plugins}
    assert {entry.source.entry_point for entry in own.entries} == points
    assert set(own.entries) < set(whole.entries)
    for spec in cell.plugins:
        assert own.get(spec.name, spec.kind) == whole.get(spec.name, spec.kind)
    with pytest.raises(BenchError, match="unknown ode solver 'unipc'"):
        own.get("unipc", Kind.ODE_SOLVER)


def test_the_hosts_own_entry_points_are_all_there() -> None:
    own = {entry.source.entry_point for entry in load_registry().entries}
    assert {"ddim", "models", "metrics"} < own
    assert {source.entry_point for source in own_sources()} >= {
        entry.source.entry_point
        for entry in load_registry().entries
        if entry.source.distribution == "scorebench"
    }


def test_the_server_imports_what_the_hosts_own_metrics_import_late(cell: Cell) -> None:
    entry = load_registry().get("fd_digits", Kind.METRIC)
    digits = PluginSpec.of(entry, build(entry.cls, {}))
    assert late_imports([cell], load_registry()) == ()
    asked = [cell, replace(cell, metrics=(digits, _of_someone(cell.metrics[0])))]
    assert late_imports(asked, load_registry()) == ("bench_plugins.metrics.extractors",)


def test_an_import_that_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    request = Request(tmp_path / "b.yaml", tmp_path / "results", device="cpu")
    words = "resource.RLIMIT_AS: (-1, -1) became (9, 9)"
    lasting = Meddling("limiter", "someone", "1.0", words, words, words)
    with pytest.raises(BenchError) as refused:
        plan_run(request, replace(load_registry(), meddling=(lasting,)))
    for part in ("'limiter' of 'someone'", words, "BENCH_WITHOUT=limiter"):
        assert part in str(refused.value)
    harmless = replace(lasting, lasting="thread 'x' was left running", inherited="")
    assert plan_run(request, replace(load_registry(), meddling=(harmless,))).cells


def test_the_server_of_workers_computes_nothing() -> None:
    """Threads, and a GPU in use, could not be copied."""
    code = (
        "import bench.run.preload, torch, threading\n"
        "print(threading.active_count(), torch.cuda.is_initialized())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["1", "False"]
