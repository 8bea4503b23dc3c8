"""What float32 means on a GPU."""

from __future__ import annotations

import pytest
import torch

from bench.api import tf32


def _flags() -> tuple[bool, bool]:
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("allowed", [True, False])
def test_both_kinds_of_products_follow_and_are_put_back(allowed: bool) -> None:
    before = _flags()
    with tf32(allowed):
        assert _flags() == (allowed, allowed)
        with tf32(not allowed):
            assert _flags() == (not allowed, not allowed)
        assert _flags() == (allowed, allowed)
    assert _flags() == before
    with pytest.raises(ZeroDivisionError), tf32(allowed):
        _ = 1 / 0
    assert _flags() == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_float32_convolutions_are_float32s() -> None:
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(64, 64, 16, 16, generator=generator), torch.randn(64, 64, 3, 3))
    exact = torch.nn.functional.conv2d(x.double(), weight.double())
    with tf32(False):
        found = torch.nn.functional.conv2d(x.cuda(), weight.cuda()).cpu().double()
    assert float((found - exact).abs().max() / exact.abs().max()) < 1e-5
