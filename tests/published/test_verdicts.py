"""What a run says of a figure: each verdict, and each difference of protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.files.pins import Pin, set_pin
from bench.published.figures import load_figures
from bench.published.records import comparison_record
from bench.published.text import line
from bench.published.verdicts import FigureComparison, FigureVerdict, compare

Rows = Callable[..., pd.DataFrame]
FIGURES = load_figures()
BY_ID = {figure.id: figure for figure in FIGURES}
FEW = BY_ID["zhou2023-cifar10/ipndm-4/10"]
LEAST = BY_ID["karras2022-cifar10/unconditional-vp/35"]
CORRECTED = BY_ID["song2021-best-ve/ncsnpp-cont/2000"]
ODE = BY_ID["song2021-table2-nll-vp/ddpm-cont-vp"]


def _one(item: Any, rows: pd.DataFrame) -> FigureComparison:
    (found,) = compare([item], rows)
    return found


def test_reproduced(rows_of: Rows) -> None:
    found = _one(FEW, rows_of(FEW, [2.79]))
    assert (found.verdict, found.seeds, found.differences) == (FigureVerdict.REPRODUCED, 1, ())
    assert found.keys == (f"{FEW.id}@2.79",)


def test_off(rows_of: Rows) -> None:
    found = _one(FEW, rows_of(FEW, [3.4]))
    assert found.verdict is FigureVerdict.OFF
    assert found.deviation is not None
    assert found.deviation.difference == pytest.approx(0.63)


def test_a_published_zero_has_no_share(rows_of: Rows) -> None:
    zero = replace(FEW, value=0.0)
    found = _one(zero, rows_of(zero, [3.4]))
    assert found.verdict is FigureVerdict.OFF
    assert comparison_record(found)["relative"] is None
    assert "3.40" in " ".join(line(found))
    assert "%" not in " ".join(line(found))


def test_three_seeds_are_one_number(rows_of: Rows) -> None:
    found = _one(LEAST, rows_of(LEAST, [1.99, 1.96, 1.98]))
    assert (found.verdict, found.seeds) == (FigureVerdict.REPRODUCED, 3)
    assert found.deviation is not None
    assert found.deviation.measured == 1.96


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("metric_n", 10_000, "n"),
        ("finish", "denoise", "finish"),
        ("s_min", 0.01, "s_min"),
        ("s_max", 40.0, "s_max"),
        ("dtype", "float64", "dtype"),
        ("process", "vp", "process"),
        ("process_params", '{"sigma_max":40.0}', "process"),
        ("grid", "log_snr", "grid"),
        ("grid_params", '{"rho":5.0}', "grid"),
        ("solver_params", '{"highest":3}', "solver.highest"),
        ("task", "inpainting", "task"),
        ("guidance", "cfg", "guidance"),
        ("metric_params", '{"against":"cifar10-train"}', "reference"),
        ("metric_params", "{}", "reference"),
        (
            "metric_params",
            '{"against":"published:edm-fid-refs-cifar10-32x32","weights":"mine.pth"}',
            "extractor.weights",
        ),
        (
            "model_params",
            '{"label":3,"path":"published:edm-cifar10-32x32-uncond-vp"}',
            "model.label",
        ),
    ],
)
def test_another_protocol_is_named_and_never_reproduced(
    rows_of: Rows, column: str, value: Any, field: str
) -> None:
    found = _one(FEW, rows_of(FEW, [2.77], **{column: value}))
    assert found.verdict is FigureVerdict.DIFFERS
    assert [difference.field for difference in found.differences] == [field]
    assert found.deviation is not None
    assert found.deviation.within


def test_a_published_run_that_cannot_be_repeated_is_never_reproduced(rows_of: Rows) -> None:
    item = BY_ID["zhou2023-cifar10/ipndm-v-4/10"]
    found = _one(item, rows_of(item, [item.value]))
    assert found.verdict is FigureVerdict.DIFFERS
    assert str(found.differences[0]).startswith("source: coefficients of the third")


def test_what_is_done_to_the_denoiser_is_part_of_the_protocol(rows_of: Rows) -> None:
    item = BY_ID["zhou2023-cifar10/unipc-3/10"]
    assert _one(item, rows_of(item, [2.89])).verdict is FigureVerdict.REPRODUCED
    found = _one(item, rows_of(item, [2.89], denoising=""))
    assert found.verdict is FigureVerdict.DIFFERS
    assert list(map(str, found.differences)) == [
        "denoising.threshold: 0.995 published, default here"
    ]


def test_parameters_that_say_where_files_are_do_not_matter(rows_of: Rows) -> None:
    params = {"path": FEW.checkpoint, "held_out": "mine.npz", "data": "cifar10"}
    found = _one(FEW, rows_of(FEW, [2.77], model_params=json.dumps(params)))
    assert found.verdict is FigureVerdict.REPRODUCED


def test_the_rows_with_the_fewest_differences_are_taken(rows_of: Rows) -> None:
    far = rows_of(FEW, [9.0], metric_n=1000, finish="denoise", key="far")
    near = rows_of(FEW, [2.9], metric_n=1000, key="near")
    found = _one(FEW, pd.concat([far, near]))
    assert found.keys == ("near",)
    exact = rows_of(FEW, [2.77], key="exact")
    assert _one(FEW, pd.concat([far, near, exact])).verdict is FigureVerdict.REPRODUCED


def test_round_off_in_the_ends_of_the_grid_is_no_difference(rows_of: Rows) -> None:
    found = _one(FEW, rows_of(FEW, [2.77], s_min=0.0020000001, s_max=79.99999))
    assert found.verdict is FigureVerdict.REPRODUCED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"metric": "kid"}, "no row of this solver and model"),
        ({"solver": "ddim"}, "no row of this solver and model"),
        ({"corrector": "langevin"}, "no row of this solver and model"),
        (
            {"model_params": '{"path":"mine.pkl"}'},
            "no row of published:edm-cifar10-32x32-uncond-vp",
        ),
        ({"model_params": "damaged"}, "no row of published:edm-cifar10-32x32-uncond-vp"),
        ({"nfe": 9.0}, "no row of 10 NFE"),
        (
            {"status": "failed", "value": None, "nfe": None, "reason": "out of memory"},
            "failed: out of memory",
        ),
    ],
)
def test_not_run_says_why(rows_of: Rows, changed: dict[str, Any], reason: str) -> None:
    found = _one(FEW, rows_of(FEW, [2.77], **changed))
    assert (found.verdict, found.reason) == (FigureVerdict.NOT_RUN, reason)


def test_a_figure_without_checkpoint_is_never_run(rows_of: Rows) -> None:
    item = BY_ID["song2021-table1-ve/ancestral-p/1000"]
    found = _one(item, rows_of(FEW, [2.77]))
    assert (found.verdict, found.reason) == (
        FigureVerdict.NOT_RUN,
        "no checkpoint of this network was published",
    )


def test_a_corrector_and_the_cost_that_is_counted_here(rows_of: Rows) -> None:
    assert (CORRECTED.nfe, CORRECTED.evaluations) == (2000, 1999)
    found = _one(CORRECTED, rows_of(CORRECTED, [2.38]))
    assert [difference.field for difference in found.differences] == ["source"]
    found = _one(CORRECTED, rows_of(CORRECTED, [2.38], corrector_params='{"snr":0.1}'))
    assert "corrector.snr" in [difference.field for difference in found.differences]


def test_an_adaptive_solver_has_no_budget_to_agree_in(rows_of: Rows) -> None:
    assert _one(ODE, rows_of(ODE, [3.21])).verdict is FigureVerdict.REPRODUCED
    loose = rows_of(ODE, [3.21], solver_params='{"rtol":0.001}')
    assert [d.field for d in _one(ODE, loose).differences] == ["solver.rtol"]


def test_weights_of_another_name_count_by_their_hash(rows_of: Rows) -> None:
    known = replace(FEW, weights="0" * 64)
    rows = rows_of(FEW, [2.77], model_params='{"path":"elsewhere.pkl"}')
    assert _one(known, rows).verdict is FigureVerdict.REPRODUCED
    assert _one(replace(FEW, weights="1" * 64), rows).verdict is FigureVerdict.NOT_RUN


def test_no_figure_is_taken_for_another(rows_of: Rows) -> None:
    """Each figure's own row is comparable with it alone, and with no other figure."""
    figures = [item for item in load_figures() if not item.unavailable]
    rows = pd.concat([rows_of(item, [item.value]) for item in figures])
    found = compare(load_figures(), rows)
    own = {item.figure.id: item.keys for item in found if item.verdict is not FigureVerdict.NOT_RUN}
    assert own == {item.id: (f"{item.id}@{item.value}",) for item in figures}
    assert all(
        item.verdict
        is (FigureVerdict.DIFFERS if item.figure.deviations else FigureVerdict.REPRODUCED)
        for item in found
        if not item.figure.unavailable
    )


def test_a_preset_that_the_name_of_the_checkpoint_implies_may_be_left_out(rows_of: Rows) -> None:
    short = json.dumps({"path": ODE.checkpoint, "t_min": 1e-05})
    assert _one(ODE, rows_of(ODE, [3.21], model_params=short)).verdict is FigureVerdict.REPRODUCED
    params = {"path": ODE.checkpoint, "t_min": 1e-05, "preset": "subvp/cifar10_ddpm_continuous"}
    other = _one(ODE, rows_of(ODE, [3.21], model_params=json.dumps(params)))
    assert [difference.field for difference in other.differences] == ["model.preset"]


def _by_content(rows: pd.DataFrame, model: str, against: str) -> pd.DataFrame:
    """The rows as they are stored: digests of checkpoint and reference, and where they lay."""
    digests = {f"sha256:{i:016x}": path for i, path in enumerate((model, against))}
    for column, name, digest in zip(
        ("model_params", "metric_params"), ("path", "against"), digests, strict=True
    ):
        texts = [json.dumps({**json.loads(text), name: digest}) for text in rows[column]]
        rows = rows.assign(**{column: texts})
    return rows.assign(files=json.dumps(digests))


def test_files_are_known_by_the_names_that_they_had(rows_of: Rows) -> None:
    (against,) = FEW.table.metric.against
    found = _one(FEW, _by_content(rows_of(FEW, [2.79]), FEW.checkpoint, against))
    assert (found.verdict, found.differences) == (FigureVerdict.REPRODUCED, ())
    found = _one(FEW, _by_content(rows_of(FEW, [2.79]), FEW.checkpoint, "mine.npz"))
    assert [(d.field, d.here) for d in found.differences] == [("reference", "mine.npz")]
    found = _one(FEW, _by_content(rows_of(FEW, [2.79]), "mine.pkl", against))
    assert found.verdict is FigureVerdict.NOT_RUN


def test_equal_files_of_other_names_are_known_by_their_pins(
    rows_of: Rows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    rows = _by_content(rows_of(FEW, [2.79]), "mine.pkl", "mine.npz")
    (against,) = FEW.table.metric.against
    for i, name in enumerate((FEW.checkpoint, against)):
        name = name.removeprefix("published:")
        set_pin(name, Pin(f"{i:016x}{'0' * 48}", 1, "https://x/y", "x/y"))
    assert _one(FEW, rows).verdict is FigureVerdict.REPRODUCED


def test_the_rows_of_equal_files_at_two_places_are_seeds_of_one_number(rows_of: Rows) -> None:
    (against,) = FEW.table.metric.against
    parts = [
        _by_content(rows_of(FEW, [2.79 + i / 100]), path, against).assign(seed=i)
        for i, path in enumerate((FEW.checkpoint, "copy/of/it.pkl"))
    ]
    found = _one(FEW, pd.concat(parts, ignore_index=True))
    assert (found.verdict, found.seeds) == (FigureVerdict.REPRODUCED, 2)
