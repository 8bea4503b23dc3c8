"""From YAML to cells: spelling, expansion, keys, filters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main as cli
from bench.config.load import load_config
from bench.core.errors import BenchError
from bench.registry import Kind, load_registry
from bench.run.cell import Cell
from bench.run.params import Params
from bench.run.select import CellFilter
from bench.run.spec import PluginSpec

Planner = Callable[[str], tuple[Cell, ...]]

HEAD = "suites:\n  a:\n    models: [gaussian_mixture]\n    metrics: [rmse]\n    samples: 64\n"


def _solvers(text: str, nfe: str = "[5]") -> str:
    return f"{HEAD}    nfe: {nfe}\n    solvers: [{text}]\n"


def _params(spec: PluginSpec | None) -> dict[str, Any]:
    assert spec is not None
    return dict(spec.params)


def test_numbers_are_those_of_yaml_1_2(cells_of: Planner) -> None:
    (cell,) = cells_of(_solvers("{name: dopri5, rtol: 1e-5, atol: 1E-3}"))
    assert _params(cell.solver) == {"rtol": 1e-5, "atol": 1e-3}
    (cell,) = cells_of(_solvers("ddim") + "    grids: [{name: karras, rho: 7}]\n")
    assert cell.grid is not None
    assert cell.grid.changed == Params()  # the integer 7 is the default 7.0


@pytest.mark.parametrize("word", ["no", "off", "yes", "on", "y", "n"])
def test_words_are_not_booleans(word: str, cells_of: Planner) -> None:
    with pytest.raises(BenchError, match=f"valid boolean, not '{word}'"):
        cells_of(_solvers(f"{{name: ancestral, forward_variance: {word}}}"))
    with pytest.raises(BenchError, match=f"unknown predictor or ode solver '{word}'"):
        cells_of(_solvers(word))


def test_true_and_false_are(cells_of: Planner) -> None:
    cells = cells_of(_solvers("{name: ancestral, forward_variance: [true, false]}"))
    assert [_params(cell.solver)["forward_variance"] for cell in cells] == [True, False]


def test_lists_of_parameters_give_their_product(cells_of: Planner) -> None:
    cells = cells_of(_solvers("{name: dopri5, rtol: [1e-2, 1e-3, 1e-4], atol: [null, 1e-6]}"))
    found = [(_params(cell.solver)["rtol"], _params(cell.solver)["atol"]) for cell in cells]
    assert found == [(r, a) for r in (1e-2, 1e-3, 1e-4) for a in (None, 1e-6)]


def test_a_parameter_that_is_a_list_is_one_value(cells_of: Planner) -> None:
    model = "{name: gaussian_mixture, means: [[0.0], [1.0]], stds: [1.0, 2.0], weights: [1, 3]}"
    (cell,) = cells_of(_solvers("ddim").replace("[gaussian_mixture]", f"[{model}]"))
    assert _params(cell.model)["means"] == [[0.0], [1.0]]
    assert _params(cell.model)["weights"] == [1.0, 3.0]


def test_a_list_of_such_lists_gives_several(cells_of: Planner) -> None:
    model = "{name: gaussian_mixture, means: [[0.0], [1.0]], stds: [[1.0, 2.0], [3.0, 4.0]]"
    text = _solvers("ddim").replace("[gaussian_mixture]", f"[{model}, weights: null}}]")
    assert [_params(cell.model)["stds"] for cell in cells_of(text)] == [[1.0, 2.0], [3.0, 4.0]]


def test_the_matrix_is_the_product_of_everything(cells_of: Planner) -> None:
    text = _solvers("ddim, heun", "[4, 8, 16]")
    text += "    processes: [vp, edm]\n    grids: [karras, uniform_t]\n    seeds: [0, 1]\n"
    cells = cells_of(text)
    assert len(cells) == 2 * 3 * 2 * 2 * 2
    assert len({cell.key for cell in cells}) == len(cells)


def test_corrector_lists_take_null_for_none(cells_of: Planner) -> None:
    corrector = "[null, langevin, {name: langevin, snr: [0.1, 0.2]}]"
    cells = cells_of(_solvers(f"{{name: ancestral, corrector: {corrector}}}"))
    assert [cell.sampler for cell in cells] == [
        "ancestral",
        "ancestral + langevin",
        "ancestral + langevin(snr=0.1)",
        "ancestral + langevin(snr=0.2)",
    ]


def test_a_solver_may_have_grids_of_its_own(cells_of: Planner) -> None:
    text = _solvers("ddim, {name: euler, grids: [uniform_t, {name: karras, rho: [3.0, 5.0]}]}")
    labels = [(c.solver.name, c.grid.label() if c.grid else "") for c in cells_of(text)]
    assert labels == [
        ("ddim", "karras"),
        ("euler", "uniform_t"),
        ("euler", "karras(rho=3.0)"),
        ("euler", "karras(rho=5.0)"),
    ]


def test_adaptive_solvers_have_a_ladder_instead_of_budgets_and_grids(cells_of: Planner) -> None:
    text = _solvers("{name: dopri5, rtol: [1e-2, 1e-4], atol: 1e-6}", "[5, 10]")
    cells = cells_of(text + "    grids: [karras, uniform_t]\n")
    assert [cell.tolerance for cell in cells] == [1e-2, 1e-4]
    assert {(cell.budget, cell.grid) for cell in cells} == {(None, None)}
    assert {cell.sampler for cell in cells} == {"dopri5(atol=1e-06)"}  # one curve
    assert [cell.point for cell in cells] == ["rtol 0.01", "rtol 0.0001"]
    assert cells[0].evaluations is None


def test_adaptive_solvers_alone_need_no_budgets(cells_of: Planner) -> None:
    assert len(cells_of(f"{HEAD}    solvers: [dopri5]\n")) == 1


def test_equal_cells_stand_once(cells_of: Planner) -> None:
    spelled = "ddim, {name: ddim}, dopri5, {name: dopri5, rtol: 1e-5}, {name: dopri5, atol: null}"
    assert [cell.solver.name for cell in cells_of(_solvers(spelled))] == ["ddim", "dopri5"]


def test_merge_keys_and_anchors_work(cells_of: Planner) -> None:
    text = HEAD.replace("a:", "a: &a") + "    nfe: [5]\n    solvers: [ddim]\n"
    first, second = cells_of(text + "  b:\n    <<: *a\n    nfe: [6]\n")
    assert (first.suite, first.budget) == ("a", 5)
    assert (second.suite, second.budget) == ("b", 6)


def test_a_suite_overrides_the_defaults(cells_of: Planner) -> None:
    text = "defaults: {samples: 7, seeds: [1, 2]}\n" + _solvers("ddim")
    assert [(cell.protocol.samples, cell.seed) for cell in cells_of(text)] == [(64, 1), (64, 2)]


def test_includes_are_relative_to_their_file_and_come_first(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "part.yaml").write_text(_solvers("ddim").replace("a:", "part:", 1))
    top = tmp_path / "all.yaml"
    top.write_text("include: [sub/part.yaml]\n" + _solvers("ddim"), encoding="utf-8")
    config = load_config(top)
    assert config.name == "all"
    assert [suite.name for suite in config.suites] == ["part", "a"]


# Keys


def test_key_ignores_order_and_spelled_out_defaults(cells_of: Planner) -> None:
    (plain,) = cells_of(_solvers("dopri5"))
    (spelled,) = cells_of(_solvers("{atol: null, rtol: 0.00001, name: dopri5}"))
    assert spelled == plain
    assert spelled.key == plain.key
    reordered = (
        "suites:\n  a:\n    solvers: [dopri5]\n    nfe: [5]\n    dtype: float32\n    samples: 64\n"
        "    processes: [{name: vp, beta_max: 20, beta_min: 0.1}]\n    metrics: [rmse]\n"
        "    models: [gaussian_mixture]\n"
    )
    assert cells_of(reordered)[0].key == plain.key


@pytest.mark.parametrize(
    "more",
    [
        "samples: 65",
        "batch: 128",
        "shard: 32",
        "dtype: float64",
        "s_min: 0.01",
        "s_max: 10.0",
        "finish: none",
        "seeds: [1]",
        "processes: [edm]",
        "processes: [{name: vp, beta_max: 19.0}]",
        "grids: [uniform_t]",
    ],
)
def test_key_changes_with_whatever_changes_the_numbers(more: str, cells_of: Planner) -> None:
    base = _solvers("ddim").replace("    samples: 64\n", "")
    samples = "" if more.startswith("samples") else "    samples: 64\n"
    (plain,) = cells_of(_solvers("ddim"))
    (other,) = cells_of(f"{base}{samples}    {more}\n")
    assert other.key != plain.key


def test_key_changes_with_code_host_and_device_but_not_with_the_timeout(cells_of: Planner) -> None:
    (cell,) = cells_of(_solvers("ddim"))
    source = replace(cell.solver.source, code="0" * 16)
    changed = [
        replace(cell, solver=replace(cell.solver, source=source)),
        replace(cell, solver=replace(cell.solver, source=replace(source, version="9"))),
        replace(cell, model=replace(cell.model, extra="other weights")),
        replace(cell, metrics=(replace(cell.metrics[0], source=source),)),
        replace(cell, core="0.0.0+0"),
        replace(cell, device_kind="cuda"),
        replace(cell, run="other"),
    ]
    assert len({cell.key, *(other.key for other in changed)}) == len(changed) + 1
    (slow,) = cells_of(_solvers("ddim") + "    timeout: 5\n")
    assert slow.timeout == 5.0
    assert slow.key == cell.key


def test_key_changes_with_the_data_that_a_model_reads(tmp_path: Path, cells_of: Planner) -> None:
    import numpy as np

    path = tmp_path / "data.npy"
    text = _solvers("ddim").replace(
        "[gaussian_mixture]", f"[{{name: empirical, data: '{path}', levels: 4}}]"
    )
    np.save(path, np.zeros((3, 2), dtype=np.uint8))
    (before,) = cells_of(text)
    np.save(path, np.ones((3, 2), dtype=np.uint8))
    (after,) = cells_of(text)
    assert before.model.params != after.model.params
    assert before.key != after.key


def test_a_specification_builds_its_plugin_again(cells_of: Planner) -> None:
    (cell,) = cells_of(_solvers("{name: dopri5, rtol: 1e-3}"))
    registry = load_registry()
    again = cell.solver.build(registry)
    entry = registry.get("dopri5", Kind.ODE_SOLVER)
    assert again == entry.cls(rtol=1e-3)  # type: ignore[call-arg]
    assert PluginSpec.of(entry, again) == cell.solver


# --only


@pytest.fixture
def matrix(cells_of: Planner) -> tuple[Cell, ...]:
    text = _solvers("ddim, heun, {name: ancestral, corrector: [null, langevin]}, dopri5", "[5, 10]")
    return cells_of(text + "    seeds: [0, 1]\n    processes: [vp, subvp]\n")


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ([], 36),
        (["solver=ddim"], 8),
        (["solver=ddim", "solver=heun"], 16),  # the same field: or
        (["solver=ddim", "nfe=5"], 4),  # other fields: and
        (["solver=d*"], 12),
        (["process=vp"], 18),
        (["process=*vp"], 36),
        (["corrector=langevin"], 8),
        (["corrector="], 28),
        (["sampler=ancestral"], 8),
        (["sampler=ancestral*"], 16),
        (["nfe="], 4),
        (["grid="], 4),
        (["seed=1"], 18),
        (["suite=b"], 0),
        (["model=gaussian_mixture", "process=vp", "solver=ddim", "seed=0", "nfe=10"], 1),
        (["heun"], 8),
        (["NFE 10"], 16),
        (["DDIM"], 0),  # case counts
    ],
)
def test_only(only: list[str], count: int, matrix: tuple[Cell, ...]) -> None:
    assert sum(map(CellFilter.parse(only).accepts, matrix)) == count


def test_only_refuses_unknown_fields() -> None:
    with pytest.raises(BenchError, match="unknown field 'sovler'; there are: suite, model"):
        CellFilter.parse(["sovler=ddim"])


# --dry-run


def _run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("b.yaml").write_text(_solvers("ddim, dopri5", "[5, 10]"), encoding="utf-8")
    code, out, err = _run(["run", "b.yaml", "--dry-run", "--json"], monkeypatch, capsys)
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert (plan["run"], plan["cells"], plan["missing"]) == ("b", 3, 3)
    assert plan["evaluations"] == (5 + 10) * 64
    assert [item["evaluations"] for item in plan["plan"]] == [320, 640, None]
    code, out, err = _run(["run", "b.yaml", "--dry-run"], monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert "960 + 1 adaptive cells" in " ".join(out.split())
    assert [item.name for item in tmp_path.iterdir()] == ["b.yaml"]


def test_only_that_fits_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text(_solvers("ddim"), encoding="utf-8")
    code, out, err = _run(["run", "b.yaml", "--only", "solver=heun"], monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert err == "bench: b.yaml: no cell fits --only solver=heun\n"
    assert [item.name for item in tmp_path.iterdir()] == ["b.yaml"]


def test_options_of_the_denoiser_make_cells_of_their_own(cells_of: Planner) -> None:
    text = "{name: ddim, denoising: [null, {afs: true}, {clip: 1}]}, edm_heun"
    plain, afs, clipped, other = cells_of(_solvers(text))
    labels = [cell.sampler for cell in (plain, afs, clipped, other)]
    assert labels == ["ddim", "ddim, afs", "ddim, clip=1", "edm_heun"]
    assert len({plain.key, afs.key, clipped.key}) == 3
    (one,) = cells_of(_solvers("{name: ddim, denoising: {clip: 1.0}}"))
    assert one.key == clipped.key


def test_options_of_a_suite_hold_for_solvers_without_their_own(cells_of: Planner) -> None:
    more = "    denoising: [{threshold: 0.995}]\n"
    first, second = cells_of(_solvers("ddim, {name: heun, denoising: null}") + more)
    assert (first.sampler, second.sampler) == ("ddim, threshold=0.995", "heun")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{afs: 1}", r"solvers\[0\].denoising.afs: input should be a valid boolean"),
        ("{clip: -1}", r"solvers\[0\].denoising: clip must be > 0"),
        ("{clp: 1}", "unknown key 'clp'; did you mean 'clip'"),
        ("[{afs: true}, {threshold: 2}]", r"denoising\[1\]: threshold must be a share"),
        ("[]", "must not be empty; use null for none"),
        ("afs", r"must be null, or options such as \{clip: 1\}"),
    ],
)
def test_options_that_mean_nothing_are_refused(text: str, words: str, cells_of: Planner) -> None:
    with pytest.raises(BenchError, match=words):
        cells_of(_solvers(f"{{name: ddim, denoising: {text}}}"))
