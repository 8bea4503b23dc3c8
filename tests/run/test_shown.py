"""What is kept of a cell to be looked at: samples of several questions, and what they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bench.registry import Kind, load_registry
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.rows import CellResult
from bench.run.shown import EXACT

Planner = Callable[[str], tuple[Cell, ...]]

TEXT = """\
suites:
  a:
    models: [{model}]
    tasks: [{task}]
    processes: [edm]
    solvers: [ddim]
    guidance: [{guidance}]
    nfe: [3]
    samples: {samples}
    metrics: [swd]
"""


@pytest.fixture
def result_of(cells_of: Planner) -> Callable[..., CellResult]:
    """Runs one cell."""

    def run(model: str, task: str, guidance: str, samples: int, **protocol: Any) -> CellResult:
        text = TEXT.format(model=model, task=task, guidance=guidance, samples=samples)
        (cell,) = cells_of(text)
        cell = replace(cell, protocol=replace(cell.protocol, **protocol))
        return run_cell(cell, Machine("cpu", 1, 1))

    return run


MIXTURE = ("gaussian_mixture", "{name: inpainting, draws: 192, noise: 0.01}", "exact", 1152)


def test_points_of_several_questions_are_kept(result_of: Callable[..., CellResult]) -> None:
    found = result_of(*MIXTURE)
    kept, samples = found.answers, found.samples
    assert samples is not None
    assert Counter(kept["number"].tolist()) == {0: 128, 1: 128, 2: 128, 3: 128}
    assert samples.shape == kept["truth"].shape == kept["observation"].shape == (512, 2)
    for name in ("truth", "observation"):  # one for each question
        assert len(np.unique(kept[name], axis=0)) == 4
    gap = kept["observation"][:, 0] - kept["truth"][:, 0]  # the half that is seen
    assert 0 < np.abs(gap).max() < 0.06
    assert np.abs(samples[:, 0] - kept["observation"][:, 0]).max() < 0.2
    assert kept["observation"][:, 1].max() == 0  # the half that is not


def test_exact_samples_are_of_the_posterior_of_their_question(
    result_of: Callable[..., CellResult],
) -> None:
    kept = result_of(*MIXTURE).answers
    assert kept["exact"].shape == (4, EXACT, 2)
    seen = kept["observation"][::128, 0]
    spread = np.abs(kept["exact"][:, :, 0] - seen[:, None])
    assert spread.max() < 0.06
    assert kept["exact"][:, :, 1].std(1).min() > 0.01


def test_what_is_kept_does_not_depend_on_the_batch(result_of: Callable[..., CellResult]) -> None:
    one, two = (result_of(*MIXTURE, batch=batch) for batch in (128, 1152))
    assert one.samples is not None
    assert two.samples is not None
    assert (one.samples == two.samples).all()
    for name in ("number", "observation", "truth", "exact"):
        assert (one.answers[name] == two.answers[name]).all()


def test_images_are_kept_as_bytes_with_their_truth(result_of: Callable[..., CellResult]) -> None:
    found = result_of("digits_mlp", "{name: inpainting, noise: 0, draws: 8}", "ddnm", 64)
    kept, samples = found.answers, found.samples
    assert samples is not None
    assert kept["number"].tolist() == [n for n in range(4) for _ in range(4)]
    shape = (16, *samples.shape[1:])
    for array in (samples, kept["truth"], kept["observation"]):
        assert (array.shape, array.dtype) == (shape, np.uint8)
    discrete = _model("digits_mlp").target.discrete
    assert discrete is not None
    held_out = (discrete.held_out()[::2][:4] * (255 // (discrete.levels - 1))).numpy()
    assert (kept["truth"][::4] == held_out).all()
    half = shape[-1] // 2
    assert (kept["observation"][..., :half] == kept["truth"][..., :half]).all()
    assert len(np.unique(kept["observation"][..., half:])) == 1
    assert "exact" not in kept


def _model(name: str) -> Any:
    model: Any = load_registry().get(name, Kind.MODEL).cls()
    return model.load(torch.device("cpu"), torch.float32)


def test_without_observations_the_first_samples_are_kept(
    result_of: Callable[..., CellResult],
) -> None:
    found = result_of("digits_mlp", "null", "null", 64)
    assert found.answers == {}
    assert found.samples is not None
    assert len(found.samples) == 16


def test_a_picture_that_cannot_be_made_costs_no_number(
    result_of: Callable[..., CellResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.core.observation import LinearOperator

    def fail(*_: object) -> None:
        raise ValueError("no picture")

    monkeypatch.setattr(LinearOperator, "show", fail)
    found = result_of(*MIXTURE)
    assert found.answers == {}
    assert found.samples is not None
