"""Paths of a process against its closed form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.core.target import Model, ScoreModel
from bench.registry import Kind, load_registry
from bench.results.path_file import Paths
from bench.results.schema import Status
from bench.results.store import Store
from bench.run import paths as module
from bench.run.cell import Cell
from bench.run.machine import Machine
from bench.run.paths import draw_paths
from bench.run.pool import run_cells
from bench.run.spec import PluginSpec


def spec(name: str, kind: Kind, **params: object) -> PluginSpec:
    """A plugin's specification."""
    entry = load_registry().get(name, kind)
    return PluginSpec.of(entry, entry.cls(**params))


LIKE = torch.empty(0, dtype=torch.float64)


def loaded(model: PluginSpec, like: torch.Tensor = LIKE) -> ScoreModel:
    """The model."""
    built = model.build(load_registry())
    assert isinstance(built, Model)
    return built.load(like.device, like.dtype)


def made(process: str, dimension: int = 1, **params: object) -> Paths:
    """The paths of one Gaussian, N(0.5, 0.3^2) in every coordinate."""
    model = spec(
        "gaussian_mixture", Kind.MODEL, means=((0.5,) * dimension,), stds=(0.3,), weights=None
    )
    found = draw_paths(model, spec(process, Kind.PROCESS, **params), loaded(model), LIKE)
    assert found is not None
    return found


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("name", ["ve", "vp", "subvp", "edm", "rectified_flow"])
def test_the_density_is_the_closed_form(name: str, dimension: int) -> None:
    arrays = made(name, dimension).arrays
    process = spec(name, Kind.PROCESS).build(load_registry())
    for t, row in list(zip(arrays["t"], arrays["density"], strict=True))[::8]:
        point = process.at(float(t))  # type: ignore[attr-defined]
        mean, variance = 0.5 * point.alpha, (0.3 * point.alpha) ** 2 + point.sigma**2
        exact = np.exp(-((arrays["x"] - mean) ** 2) / (2 * variance))
        assert row / 255 == pytest.approx(exact / exact.max(), abs=0.006)


@pytest.mark.parametrize("name", ["ve", "vp", "subvp"])
def test_paths_have_the_process_marginals(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN", 2000)
    module._paths.cache_clear()
    arrays = made(name).arrays
    module._paths.cache_clear()
    process = spec(name, Kind.PROCESS).build(load_registry())
    for i in (0, 12, 24, 36, 48):
        point = process.at(float(arrays["t"][i]))  # type: ignore[attr-defined]
        deviation = np.hypot(0.3 * point.alpha, point.sigma)
        for kind in ("forward", "reverse", "flow"):
            x = arrays[kind][:, i].astype(float)
            assert x.mean() == pytest.approx(0.5 * point.alpha, abs=5 * deviation / 2000**0.5)
            assert x.std() == pytest.approx(deviation, rel=0.09), (kind, i)


def test_a_model_in_single_precision_has_the_same_picture() -> None:
    wide, single = made("vp", 2), torch.empty(0, dtype=torch.float32)
    module._paths.cache_clear()
    model = spec("gaussian_mixture", Kind.MODEL, means=((0.5,) * 2,), stds=(0.3,), weights=None)
    narrow = draw_paths(model, spec("vp", Kind.PROCESS), loaded(model, single), single)
    module._paths.cache_clear()
    assert narrow is not None
    for kind in ("forward", "reverse", "flow"):
        np.testing.assert_allclose(narrow.arrays[kind], wide.arrays[kind], atol=1e-3)


def test_higher_dimensions_and_unknown_distributions_have_no_picture() -> None:
    model = spec("gaussian_mixture", Kind.MODEL, means=((0.0,) * 3,), stds=(1.0,), weights=None)
    process = spec("vp", Kind.PROCESS)
    assert draw_paths(model, process, loaded(model), LIKE) is None
    plane = spec("gaussian_mixture", Kind.MODEL)
    known = loaded(plane)
    unknown = replace(known, target=replace(known.target, exact=None))
    assert draw_paths(plane, process, unknown, LIKE) is None


def test_paths_are_kept_once(tmp_path: Path) -> None:
    store, found = Store(tmp_path), made("vp")
    store.write_paths(found)
    (file,) = (tmp_path / "paths").iterdir()
    before = file.stat().st_ino
    store.write_paths(found)
    assert file.stat().st_ino == before
    with np.load(file, allow_pickle=False) as arrays:
        assert json.loads(str(arrays["about"]))["process"] == "vp"
    assert file.stat().st_size < 30_000


def test_references_of_all_runs_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.references() == {}
    store.write_references({"ode_solver a": "A 2020"})
    store.write_references({"metric b": "B 2021"})
    assert store.references() == {"ode_solver a": "A 2020", "metric b": "B 2021"}
    (tmp_path / "references.json").write_text("[1", encoding="utf-8")
    assert store.references() == {}


def test_a_run_draws_each_picture_once(
    cells_of: Callable[[str], tuple[Cell, ...]], tmp_path: Path
) -> None:
    """It takes a second, and cells of strangers have no process before them that drew it."""
    text = "suites:\n  a: {models: [gaussian_mixture], solvers: [ddim], nfe: [5, 6, 7], "
    cells = cells_of(text + "samples: 64, metrics: [rmse]}\n")
    results = [
        result for _, result in run_cells(cells, Machine("cpu", 1, 1), tmp_path / "log", print)
    ]
    assert [result.status for result in results] == [Status.OK] * 3
    assert [result.paths is not None for result in results].count(True) == 1
