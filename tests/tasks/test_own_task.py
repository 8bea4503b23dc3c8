"""The task of thirty lines that the documentation shows."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.testing.plugins import model_of

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"
CPU = torch.device("cpu")


@pytest.fixture
def module() -> Iterator[Any]:
    if not PAGE.exists():
        pytest.skip("needs the source tree")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = types.ModuleType("own_task")
    sys.modules["own_task"] = module  # where dataclasses look for annotations
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    yield module
    del sys.modules["own_task"]


def test_it_observes_what_it_says(module: Any) -> None:
    (task,) = module.bench_tasks()
    model = model_of("random_mixture", dim=6).load(CPU, torch.float64)
    question = task(draws=4, noise=0.0).pose(model, CPU, torch.float64).of_samples(0, 0, 9)
    ends = question.truth[:, [0, -1]]
    assert torch.equal(question.observation.value, ends)
    operator, z = question.observation.operator, torch.randn(9, 2, dtype=torch.float64)
    left = (operator(question.truth) * z).sum(1)
    right = (question.truth * operator.adjoint(z)).sum(1)
    torch.testing.assert_close(left, right)
    torch.testing.assert_close(operator(operator.pinv(z)), z)
