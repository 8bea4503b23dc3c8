"""Several processes, connected by gloo on this machine, against one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from bench.api import BenchError
from bench.cli.main import app
from bench_plugins.edm.process import EDM
from bench_train.config import TrainConfig
from bench_train.gradients import Passes, Sliced
from bench_train.losses import ScoreMatching
from bench_train.process_group import ProcessGroup, own_device
from bench_train.times import LogUniform
from bench_train.weightings import Edm

OBJECTIVE = ScoreMatching(EDM(), LogUniform(), Edm(0.5))
# Dropout, flips, an average in images, and slices of uneven size: 24 = 8 + 8 + 8 over 2 processes.
OPTIONS = (
    "--preset", "ddpmpp-vp-small", "--width", "8", "--mults", "1,2", "--dropout", "0.2",
    "--flips", "--ema", "0.1", "--ema-halflife", "100", "--batch", "24", "--rows", "8",
    "--images", "96", "--warmup", "24", "--precision", "float64", "--threads", "1",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "toy.npz"
    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(path, x_train=images[:50], x_test=images[50:])
    return path


def _bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from bench.cli.main import main; main()", "train", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


def _trained(out: Path) -> dict[str, Tensor]:
    content = torch.load(out / "checkpoint.pt", weights_only=True)
    averages = content["averages"]
    return {
        f"{kind}.{name}": tensor
        for kind, state in {"model": content["model"], **averages}.items()
        for name, tensor in state.items()
    }


def test_two_processes_train_as_one(data: Path, tmp_path: Path) -> None:
    common = ["--data", str(data), *OPTIONS]
    alone = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "1"), *common])
    assert alone.exit_code == 0, alone.output
    shared = _bench("--out", str(tmp_path / "2"), *common, "--processes", "2")
    assert (shared.returncode, shared.stderr) == (0, "")
    told = [
        [line for line in output.splitlines() if "loss" in line][-1]
        for output in (alone.stdout, shared.stdout)
    ]
    one, two = (_trained(tmp_path / processes) for processes in ("1", "2"))
    assert any(name.startswith("halflife-100") for name in one)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-9, atol=1e-12)
    assert told[0].split("loss")[1].split()[0] == told[1].split("loss")[1].split()[0]
    files = {path.name for path in (tmp_path / "2").iterdir()}
    extra = "weights-halflife-100.safetensors"
    assert files == {"checkpoint.pt", "weights.safetensors", extra}


@pytest.mark.slow
def test_a_mistake_is_told_once(data: Path, tmp_path: Path) -> None:
    result = _bench(
        "--out", str(tmp_path), "--data", str(data), "--processes", "2", "--workers", "2"
    )
    assert result.returncode == 2
    assert result.stderr.startswith("bench: --workers: threads can share out neither")
    assert len(result.stderr.splitlines()) == 1


def test_slices_are_dealt_out_in_turn() -> None:
    batch = torch.arange(10.0), torch.zeros(10), torch.zeros(10)
    seen: list[list[float]] = []

    class Alone(ProcessGroup):
        def total(self, value: Tensor) -> Tensor:
            return value

    for rank in range(2):
        weight = torch.nn.Linear(1, 1, bias=False)
        mine: list[float] = []

        def loss(number: int, x: Tensor, *_: Tensor, mine: list[float] = mine) -> Tensor:
            mine.extend(x.tolist())
            return weight.weight.sum() * number  # noqa: B023

        scaler = torch.amp.grad_scaler.GradScaler("cpu", enabled=False)
        Passes(3, Alone(rank, 2))(loss, weight, batch, scaler)
        seen.append(mine)
    assert seen == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9]]


def test_too_few_slices_for_the_processes() -> None:
    scaler = torch.amp.grad_scaler.GradScaler("cpu", enabled=False)
    batch = torch.zeros(4), torch.zeros(4), torch.zeros(4)
    with pytest.raises(BenchError, match="lower --rows or --processes"):
        Passes(4, ProcessGroup(0, 2))(
            lambda *_: torch.zeros(()), torch.nn.Linear(1, 1), batch, scaler
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gradients": Sliced(), "dropout": 0.1}, "--workers"),
        ({"gradients": Sliced(), "group": ProcessGroup(0, 2)}, "--workers"),
        ({"batch": 3, "group": ProcessGroup(0, 4)}, "fewer samples than the 4 processes"),
        ({"averages": ()}, "no average"),
    ],
)
def test_senseless_combinations_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        TrainConfig(OBJECTIVE, 100, **changes)  # type: ignore[arg-type]


def test_several_processes_may_not_name_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(BenchError, match="pass --device cuda"):
        own_device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(BenchError, match="there are 1 GPUs, and process 1"):
        own_device("cuda")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert own_device("cuda") == "cuda:0"
    assert own_device("cpu") == "cpu"


def test_unknown_device() -> None:
    with pytest.raises(BenchError, match="--device gpu: no such device"):
        own_device("gpu")
