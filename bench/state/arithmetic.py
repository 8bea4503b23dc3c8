"""Settings that decide digits: switches of torch, of numpy and of the processor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.modules import module as nn_module

from bench.state.setting import Setting, attribute

_backends: Any = torch.backends
_cuda: Any = torch.backends.cuda
_C: Any = torch._C


def arithmetic_settings() -> Iterator[Setting]:
    """All of them."""
    yield from _torch()
    yield from _precisions()
    yield from _attention()
    yield from _modes()
    yield from _hooks()
    yield Setting("numpy.seterr", np.geterr, lambda value: np.seterr(**value))
    yield Setting("subnormal numbers", _subnormal, lambda keep: torch.set_flush_denormal(not keep))
    yield Setting("the processor's rounding", _rounding)


def _torch() -> Iterator[Setting]:
    yield Setting("torch.set_default_dtype", torch.get_default_dtype, torch.set_default_dtype)
    yield Setting("torch.set_num_threads", torch.get_num_threads, torch.set_num_threads)
    yield Setting("torch.use_deterministic_algorithms", _deterministic, _set_deterministic)
    yield Setting("torch.set_grad_enabled", torch.is_grad_enabled, torch.set_grad_enabled)
    yield Setting("torch.inference_mode", torch.is_inference_mode_enabled)
    yield Setting(
        "torch.autograd.set_detect_anomaly",
        torch.is_anomaly_enabled,
        torch.autograd.set_detect_anomaly,
    )
    yield Setting(
        "torch.autograd.set_multithreading_enabled",
        _C._is_multithreading_enabled,
        _C._set_multithreading_enabled,
    )
    yield Setting("torch.library's implementations of torch's operators", _implementations)


def _deterministic() -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _implementations() -> frozenset[str]:
    """Those of torch's own operators: a library may add operators of its own."""
    return frozenset(key for key in torch.library._impls if key.startswith("aten/"))


def _precisions() -> Iterator[Setting]:
    yield Setting(
        "torch.set_float32_matmul_precision",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    )
    for name, owner in (
        ("torch.backends", _backends),
        ("torch.backends.cuda.matmul", _cuda.matmul),
        ("torch.backends.cudnn", _backends.cudnn),
        ("torch.backends.cudnn.conv", getattr(_backends.cudnn, "conv", None)),
        ("torch.backends.cudnn.rnn", getattr(_backends.cudnn, "rnn", None)),
        ("torch.backends.mkldnn", _backends.mkldnn),
        ("torch.backends.mkldnn.conv", getattr(_backends.mkldnn, "conv", None)),
        ("torch.backends.mkldnn.matmul", getattr(_backends.mkldnn, "matmul", None)),
        ("torch.backends.mkldnn.rnn", getattr(_backends.mkldnn, "rnn", None)),
    ):
        if hasattr(owner, "fp32_precision"):  # torch >= 2.9
            yield attribute(f"{name}.fp32_precision", owner, "fp32_precision")
    reduced = "allow_{}_reduced_precision_reduction"
    for key in ("allow_tf32", reduced.format("fp16"), reduced.format("bf16")):
        yield attribute(f"torch.backends.cuda.matmul.{key}", _cuda.matmul, key)
    for key in ("enabled", "benchmark", "deterministic", "allow_tf32"):
        yield attribute(f"torch.backends.cudnn.{key}", _backends.cudnn, key)
    yield Setting("torch.backends.mkldnn.enabled", _C._get_mkldnn_enabled, _C._set_mkldnn_enabled)
    for key in ("enabled", "strategy"):
        yield attribute(f"torch.backends.opt_einsum.{key}", _backends.opt_einsum, key)
    yield Setting("torch.backends.nnpack", _C._get_nnpack_enabled, _C._set_nnpack_enabled)
    yield attribute("torch.backends.quantized.engine", _backends.quantized, "engine")


def _attention() -> Iterator[Setting]:
    for kind, read in (
        ("flash", _cuda.flash_sdp_enabled),
        ("mem_efficient", _cuda.mem_efficient_sdp_enabled),
        ("math", _cuda.math_sdp_enabled),
        ("cudnn", _cuda.cudnn_sdp_enabled),
    ):
        yield Setting(
            f"torch.backends.cuda.enable_{kind}_sdp", read, getattr(_cuda, f"enable_{kind}_sdp")
        )
    yield Setting(
        "the order of attention backends",
        lambda: tuple(map(int, _C._get_sdp_priority_order())),
        lambda value: _C._set_sdp_priority_order(list(value)),
    )


def _modes() -> Iterator[Setting]:
    yield Setting("torch.set_default_device", lambda: str(torch.get_default_device()), _set_device)
    for kind in ("function", "dispatch"):
        depth = getattr(_C, f"_len_torch_{kind}_stack")
        pop = getattr(_C, f"_pop_torch_{kind}_stack")
        yield Setting(f"torch {kind} modes", depth, partial(_pop_modes, depth, pop))
    for device in ("cpu", "cuda"):
        yield Setting(
            f"torch.autocast on {device}",
            partial(_autocast, device),
            partial(_set_autocast, device),
        )


def _set_device(name: str) -> None:
    # Without one there is no mode at all, which costs every call of torch's functions less.
    torch.set_default_device(None if name == "cpu" else name)


def _pop_modes(depth: Callable[[], int], pop: Callable[[], object], wanted: int) -> None:
    while depth() > wanted:
        pop()


def _autocast(device: str) -> tuple[bool, torch.dtype]:
    return torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)


def _set_autocast(device: str, value: tuple[bool, torch.dtype]) -> None:
    torch.set_autocast_enabled(device, value[0])
    torch.set_autocast_dtype(device, value[1])


def _hooks() -> Iterator[Setting]:
    """Hooks of all modules at once (torch.nn.modules.module.register_module_forward_hook, ...)."""
    for name, hooks in vars(nn_module).items():
        if name.startswith("_global_") and isinstance(hooks, dict):
            yield Setting(
                f"torch.nn.modules.module.{name}", partial(_items, hooks), partial(_refill, hooks)
            )


def _items(hooks: dict[Any, Any]) -> tuple[tuple[Any, Any], ...]:
    return tuple(hooks.items())


def _refill(hooks: dict[Any, Any], items: tuple[tuple[Any, Any], ...]) -> None:
    hooks.clear()
    hooks.update(items)


def _subnormal() -> bool:
    """True if this thread keeps them; torch.set_flush_denormal has no getter."""
    return sys.float_info.min / 4 > 0


def _rounding() -> tuple[float, float]:
    one, third = float("1"), float("3")
    return one / third, -one / third
