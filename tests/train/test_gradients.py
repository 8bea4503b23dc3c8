"""Gradients of slices against those of the whole batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from bench_train.gradients import Gradients, Passes, Sliced

BATCH = tuple(torch.randn(10, 3, generator=torch.Generator().manual_seed(k)) for k in range(3))


def _gradient(rule: Gradients) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(3, 3)

    def loss(_: int, x: Tensor, eps: Tensor, target: Tensor) -> Tensor:
        error: Tensor = model(x + eps) - target
        return error.square().mean(dim=1).mean()

    value = rule(loss, model, (BATCH[0], BATCH[1], BATCH[2]), GradScaler("cpu", enabled=False))
    assert model.weight.grad is not None
    return value, model.weight.grad


def test_slices_sum_to_the_whole() -> None:
    (whole, expected), (sliced, gradient) = _gradient(Passes()), _gradient(Sliced(4, 2))
    torch.testing.assert_close(sliced, whole)
    torch.testing.assert_close(gradient, expected)


def test_passes_sum_to_the_whole() -> None:
    (whole, expected), (passes, gradient) = _gradient(Passes()), _gradient(Passes(3))
    torch.testing.assert_close(passes, whole)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("workers", [2, 5])
def test_workers_do_not_change_a_bit(workers: int) -> None:
    (one, expected), (many, gradient) = _gradient(Sliced(2, 1)), _gradient(Sliced(2, workers))
    assert torch.equal(one, many)
    assert torch.equal(gradient, expected)


@pytest.mark.parametrize("rule", [Passes(), Sliced(2, 2)])
def test_gradients_lie_in_memory_as_their_parameters_do(rule: Gradients) -> None:
    # The fused Adam takes that for granted.
    conv = nn.Conv2d(2, 4, 3, bias=False)

    def loss(_: int, x: Tensor, *__: Tensor) -> Tensor:
        weight = conv.weight.permute(2, 3, 1, 0).square()
        return x.sum() * weight.to(memory_format=torch.channels_last).sum()

    batch = torch.ones(4), torch.ones(4), torch.ones(4)
    rule(loss, conv, batch, GradScaler("cpu", enabled=False))
    assert conv.weight.grad is not None
    assert conv.weight.grad.stride() == conv.weight.stride()
