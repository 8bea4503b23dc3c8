"""What the report says about protocol."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.report.data.protocol import protocol_summary
from bench.results.frame import prepare_frame
from bench.results.protocol import PROTOCOL, QUALITY, TIMING
from bench.results.schema import COLUMNS


def test_every_protocol_column_exists() -> None:
    assert {*PROTOCOL, *QUALITY, *TIMING} <= {column.name for column in COLUMNS}


def test_common_columns_are_shown_once_and_others_by_what_decides_them(
    results: pd.DataFrame,
) -> None:
    found = protocol_summary(prepare_frame(results))
    common = {entry.column: entry.value for entry in found.common}
    assert common["device"] == "Fake CPU @ 2.00GHz"
    assert common["samples"] == "500"
    differing = {entry.column: dict(entry.lines) for entry in found.differing}
    assert set(differing["weights"]) == {
        "mnist_unet",
        "digits_mlp",
        'gaussian_mixture · {"modes":8}',
    }
    assert set(differing["dtype"].values()) == {"float32", "float64"}
    assert "weights" not in common
    assert ("ddim", "scorebench 0.1.0 1f2e3d") in found.plugins
    assert found.conflicts == found.timing_conflicts == ()


def test_the_number_of_real_images_and_their_conversions_are_shown(results: pd.DataFrame) -> None:
    fid = results["metric"].eq("fd_mnist")
    assert fid.any()
    told = "16 bits to 8: 3; left out: 1 .json"
    changed = results.assign(reference_n=None, reference_note="")
    changed.loc[fid, "reference_n"] = 60_000
    changed.loc[fid, "reference_note"] = told
    differing = {
        entry.column: entry.lines for entry in protocol_summary(prepare_frame(changed)).differing
    }
    assert {line for line in differing["reference_n"] if line[0].endswith("fd_mnist")}
    assert set(dict(differing["reference_n"]).values()) == {"60000", "–"}
    assert set(dict(differing["reference_note"]).values()) == {told, "–"}
    (row,) = [
        e for e in protocol_summary(prepare_frame(changed[fid])).common if e.column == "reference_n"
    ]
    assert row.value == "60000"


def test_every_value_of_a_differing_column_is_shown(results: pd.DataFrame) -> None:
    changed = results.copy()
    changed.loc[changed.index % 7 == 0, "torch"] = "2.10.0"
    found = protocol_summary(prepare_frame(changed))
    lines = next(entry.lines for entry in found.differing if entry.column == "torch")
    assert {value for _, value in lines} == {"2.9.0", "2.10.0"}


@pytest.mark.parametrize("column", ["threads", "workers", "device", "torch"])
def test_timings_conflict_where_conditions_differ(results: pd.DataFrame, column: str) -> None:
    changed = results.copy()
    half = changed["sampler"].eq("ddim") & changed["model"].eq("mnist_unet")
    changed.loc[half, column] = 16 if column in ("threads", "workers") else "other"
    found = protocol_summary(prepare_frame(changed))
    assert found.conflicts == ()
    (conflict,) = found.timing_conflicts
    assert conflict.columns == (column,)
    assert "mnist_unet" in conflict.subject


@pytest.mark.parametrize("source", ["", "not json", "[1, 2]", '{"a": {"b": 1}}'])
def test_sources_of_any_form_are_shown(results: pd.DataFrame, source: str) -> None:
    found = protocol_summary(prepare_frame(results.assign(plugin_sources=source)))
    assert bool(found.plugins) == bool(source)
