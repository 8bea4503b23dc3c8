"""Modules by import path, as denoisers."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bench.api import BenchError
from bench_plugins.checkpoints.module import ModuleModel

CPU = torch.device("cpu")
SOURCE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(1))

    def forward(self, y, s):
        return self.gain * y

def broken():
    raise KeyError("no\\nsuch")

def number():
    return 1

constant = 1
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleModel:
    (tmp_path / "my_own_net.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_own_net", raising=False)
    save_file({"gain": torch.full((1,), -0.5)}, tmp_path / "weights.safetensors")
    path = str(tmp_path / "weights.safetensors")
    return ModuleModel(factory="my_own_net:Net", weights=path, shape=(3, 2, 2))


def test_what_is_predicted_becomes_a_denoiser(model: ModuleModel) -> None:
    y, s = torch.ones(2, 3, 2, 2), torch.tensor([1.0, 2.0])
    for predicts, expected in (
        ("denoised", [-0.5, -0.5]),
        ("eps", [1 + 0.5 * 1, 1 + 0.5 * 2]),  # y - s eps
        ("score", [1 - 0.5 * 1, 1 - 0.5 * 4]),  # y + s^2 score
    ):
        loaded = replace(model, predicts=predicts).load(CPU, torch.float32)  # type: ignore[arg-type]
        found = loaded.alike()(y, s)
        assert found[:, 0, 0, 0].tolist() == pytest.approx(expected)
    assert loaded.shape == (3, 2, 2)


def test_torch_files_are_read_and_not_run(model: ModuleModel, tmp_path: Path) -> None:
    path, marker = tmp_path / "weights.pth", tmp_path / "marker"
    pth = replace(model, weights=str(path))
    torch.save({"state": {"gain": torch.ones(1)}}, path)
    assert replace(pth, entry="state").load(CPU, torch.float32).shape == (3, 2, 2)
    for entry, message in (("", "set the parameter entry"), ("other", "under 'other'")):
        with pytest.raises(BenchError, match=message):
            replace(pth, entry=entry).load(CPU, torch.float32)

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {marker}",)

    torch.save({"gain": Evil()}, path)
    with pytest.raises(BenchError, match="nothing in it was run"):
        pth.load(CPU, torch.float32)
    assert not marker.exists()


def test_an_edit_is_another_model(model: ModuleModel, tmp_path: Path) -> None:
    before = model.fingerprint()
    (tmp_path / "my_own_net.py").write_text(SOURCE + "\n# edited\n", encoding="utf-8")
    assert model.fingerprint() != before


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_module_here:Net", "cannot be imported|fails|is no function"),
        ("my_own_net:constant", "is no function or class"),
        ("my_own_net:other", "is no function or class"),
        ("my_own_net:broken", "fails: KeyError"),
        ("my_own_net:number", r"gives no torch\.nn\.Module"),
    ],
)
def test_factories_that_fail_say_why(model: ModuleModel, factory: str, message: str) -> None:
    with pytest.raises(BenchError, match=message) as caught:
        replace(model, factory=factory).load(CPU, torch.float32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"factory": "os.system"},
        {"factory": "a b:c"},
        {"weights": ""},
        {"shape": ()},
        {"shape": (0,)},
        {"s_min": 90.0},
    ],
)
def test_wrong_parameters_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        ModuleModel(**change)
