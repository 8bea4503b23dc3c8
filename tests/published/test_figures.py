"""The figures that ship: plugins, costs and ranges exist, and a suite measures each."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import pytest

from bench.config.load import load_config
from bench.config.suites import names, resolve
from bench.core.errors import BenchError
from bench.core.process import NoiseProcess
from bench.core.sample import Sampler
from bench.core.solver import Adaptive, Corrector, Stepper
from bench.published.figures import PublishedFigure, load_figures, of_suite, of_table
from bench.published.tables import PluginSetting, load_tables
from bench.registry import Kind, build, load_registry
from bench.run.cell import Cell
from bench.run.params import Params
from bench.run.plan import make_plan
from bench.run.spec import PluginSpec

FIGURES = load_figures()
RUNNABLE = tuple(figure for figure in FIGURES if not figure.unavailable)


def _built(plugin: PluginSetting, *kinds: Kind) -> object:
    """The plugin; its parameters are exactly those that differ from the defaults."""
    entry = load_registry().get(plugin.name, *kinds)
    made = build(entry.cls, plugin.params)
    assert PluginSpec.of(entry, made).changed == Params.of(plugin.params)
    return made


@pytest.mark.parametrize("figure", RUNNABLE, ids=lambda figure: figure.id)
def test_a_figure_names_plugins_that_exist_and_a_cost_that_can_be_met(
    figure: PublishedFigure,
) -> None:
    assert figure.solver is not None
    solver = _built(figure.solver, Kind.PREDICTOR, Kind.ODE_SOLVER)
    corrector = _built(figure.corrector, Kind.CORRECTOR) if figure.corrector else None
    process = _built(figure.process, Kind.PROCESS)
    _built(
        PluginSetting(figure.model.name, {"path": figure.checkpoint, **figure.model.params}),
        Kind.MODEL,
    )
    assert isinstance(solver, Stepper)
    assert isinstance(process, NoiseProcess)
    assert corrector is None or isinstance(corrector, Corrector)
    assert isinstance(solver, Adaptive) == (figure.evaluations is None) == (figure.grid is None)
    if figure.evaluations is not None and figure.grid is not None:
        _built(figure.grid, Kind.GRID)
        sampler = Sampler(solver, corrector, finish=figure.finish == "denoise")
        assert sampler.cost(sampler.steps_for(figure.evaluations)) == figure.evaluations
    low, high = process.s_range
    assert low <= figure.table.s_min * (1 + 1e-4)
    # The discrete tables reach a little higher than the continuous process.
    assert high >= figure.table.s_max * (1 - 1e-4) or "table of betas" in str(figure.deviations)


@lru_cache(maxsize=8)
def _cells(suite: str) -> tuple[Cell, ...]:
    return make_plan(load_config(resolve(Path(suite))), load_registry(), "cpu")


@pytest.mark.parametrize("figure", RUNNABLE, ids=lambda figure: figure.id)
def test_the_suite_of_a_figure_has_a_cell_with_its_protocol(
    figure: PublishedFigure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if figure.table.metric.name == "nll_bpd":
        pytest.skip("needs the test set, which the suite cannot name")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    assert any(_measures(cell, figure) for cell in _cells(figure.table.suite))


def _measures(cell: Cell, figure: PublishedFigure) -> bool:
    model = {**cell.model.changed, **cell.model.paths}
    metrics = {spec.name: spec.paths for spec in cell.metrics}
    metric = figure.table.metric
    return (
        cell.model.name == figure.model.name
        and model == {"path": figure.checkpoint, **figure.model.params}
        and _same(cell.process, figure.process)
        and _same(cell.grid, figure.grid)
        and _same(cell.solver, figure.solver)
        and _same(cell.corrector, figure.corrector)
        and cell.budget == figure.evaluations
        and metric.name in metrics
        and metrics[metric.name].get("against", "") in (metric.against or ("",))
        and cell.protocol.samples == metric.n
        and cell.protocol.finish == figure.finish
        and cell.protocol.dtype == figure.table.dtype
    )


def _same(spec: PluginSpec | None, plugin: PluginSetting | None) -> bool:
    if spec is None or plugin is None:
        return spec is None and plugin is None
    return spec.name == plugin.name and spec.changed == Params.of(plugin.params)


def test_a_minimum_of_three_is_run_three_times() -> None:
    for table in load_tables():
        if table.aggregate == "minimum":
            cells = [c for c in _cells(table.suite) if c.suite == "edm"]
            assert {cell.seed for cell in cells} == set(range(table.runs))


def test_every_table_names_its_source_and_a_suite_that_ships() -> None:
    for table in load_tables():
        assert table.source.url.startswith("https://")
        assert table.suite in names()
        assert all(value is None or value > 0 for curve in table.curves for value in curve.values)


def test_values_have_no_more_digits_than_are_printed() -> None:
    for item in FIGURES:
        assert math.isclose(item.value, float(item.text), rel_tol=1e-12), item.id


def test_figures_by_suite_and_table() -> None:
    assert {item.table.suite for item in of_suite(FIGURES, "ffhq64-edm")} == {"ffhq64-edm"}
    assert [item.text for item in of_table(FIGURES, "karras2022-cifar10")] == ["1.97", "1.79"]
    with pytest.raises(BenchError, match="the suite 'cifar'; there are: cifar10-edm"):
        of_suite(FIGURES, "cifar")
    with pytest.raises(BenchError, match="--table x: is not a table"):
        of_table(FIGURES, "x")


OWN = """
tables:
  - id: mine
    title: Mine
    source: {paper: Me 2026, place: Table 1, url: "https://example.org"}
    suite: mine
    dataset: digits
    model: {name: edm, checkpoint: mine.pkl, about: mine}
    process: {name: edm}
    grid: {name: karras}
    metric: {name: fid, n: 1000}
    s_min: 0.002
    s_max: 80.0
    decimals: 2
    spread: 0.01
    curves:
      - {label: Heun, solver: {name: edm_heun}, nfe: [35, 79], values: [2.0, null]}
"""


def _own(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_ones_own_and_values_that_a_source_lacks(tmp_path: Path) -> None:
    (figure,) = load_figures(_own(tmp_path, OWN))
    assert (figure.id, figure.nfe, figure.evaluations, figure.rounding) == (
        "mine/heun/35",
        35,
        35,
        0.005,
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("decimals: 2", "decimal: 2", r"own\.yaml:14: tables\[0\]\.decimal: unknown key 'decimal'"),
        ("    spread: 0.01\n", "", r"own\.yaml:3: tables\[0\]: 'spread' is missing; add it"),
        (
            "n: 1000",
            "n: many",
            r"own\.yaml:11: tables\[0\]\.metric\.n: input should be a valid int",
        ),
        ("nfe: [35, 79]", "nfe: [35]", r"own\.yaml:17: .*nfe has 1 entries for 2 values"),
        ("solver: {name: edm_heun}, ", "", "a curve without solver must say why"),
        ("    grid: {name: karras}\n", "", "grid is missing"),
        ("spread: 0.01", "spread: 0.0", "spread must be > 0"),
        ("spread: 0.01", "spread: .inf", "spread must be > 0"),
        ("decimals: 2", "decimals: -1", r"tables\[0\]: decimals must be the digits"),
        ("decimals: 2", "decimals: 400", r"tables\[0\]: decimals must be the digits"),
        ("values: [2.0, null]", "values: [.inf, null]", "values must be finite numbers"),
        ("values: [2.0, null]", "values: [.nan, null]", "values must be finite numbers"),
        ("spread: 0.01", "spread: 0.01\n    runs: 3", "runs must be 1 with aggregate: single"),
        ("values: [2.0, null]", "values: [2.0, oops]", r"tables\[0\]\.curves\[0\]\.values\[1\]"),
        ("tables:", "figures:", "'tables' is missing|unknown key 'figures'"),
        ("tables:", "tables: [", "is not valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in OWN
    with pytest.raises(BenchError, match=told):
        load_figures(_own(tmp_path, OWN.replace(old, new)))


def test_two_figures_of_one_name_are_refused(tmp_path: Path) -> None:
    line = OWN.rstrip().splitlines()[-1]
    with pytest.raises(BenchError, match="two figures are called 'mine/heun/35'"):
        load_figures(_own(tmp_path, f"{OWN}{line}\n"))
    with pytest.raises(BenchError, match="'mine' stands there twice"):
        load_figures(_own(tmp_path, OWN + OWN.replace("tables:\n", "").lstrip("\n")))
