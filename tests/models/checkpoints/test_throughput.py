"""The command that measures samples a second; no time is asserted."""

from __future__ import annotations

import json

import pytest
import torch

from bench_plugins.checkpoints.throughput import Setting, Speed, main, table

TINY = ["--device", "cpu", "--width", "16", "--blocks", "1", "--repeats", "2", "--compiled", "no"]


def test_it_measures_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ["--nfe", "3", "5", "--precision", "float32", "bfloat16"]
    assert main([*TINY, *kinds, "--batch", "2", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["device"]
    assert shown["torch"] == torch.__version__
    assert shown["parameters"] > 1000
    assert [(row["nfe"], row["precision"], row["batch"]) for row in shown["rows"]] == [
        (3, "float32", 2),
        (5, "float32", 2),
        (3, "bfloat16", 2),
        (5, "bfloat16", 2),
    ]
    for row in shown["rows"]:
        assert 0 < row["slowest"] <= row["samples_per_s"] <= row["fastest"]
        assert row["peak_mib"] is None


def test_the_table_is_markdown() -> None:
    rows = [
        (Setting(35, "tf32", True, 512), Speed(123.456, 120.0, 125.0, 4096.4)),
        (Setting(18, "float32", False, 64), Speed(1.0, 0.9, 1.1, None)),
    ]
    title, blank, *lines = table(rows, "A device").splitlines()
    assert (title, blank) == ("A device", "")
    assert lines[2] == "| 35 | tf32 | yes | 512 | 123.5 | 120 to 125 | 4096 |"
    assert lines[3].endswith("| – |")
    assert {line.count("|") for line in lines} == {8}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--precision", "tf32"], "a CPU has no TF32"),
        (["--nfe", "2"], "at least 3"),
        (["--batch", "0"], "at least 1"),
        (["--width", "10"], "model_channels must"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TINY, *arguments]) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--device", "cuda"]) == 1
    assert "sees no CUDA GPU" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_peak_memory_of_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--device", "cuda", "--nfe", "3", "--json"]) == 0
    assert all(row["peak_mib"] > 0 for row in json.loads(capsys.readouterr().out)["rows"])
