"""What a block of code changes is seen, said and undone; what it leaves alone is not spoken of."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bench.core.combine
from bench.core.sample import Draw
from bench.state import undo_changes
from bench.state.weights import Weights


def _environment() -> None:
    os.environ["NVIDIA_TF32_OVERRIDE"] = "1"
    os.environ.pop("PATH")


def _file_size() -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, hard))


def _inherited() -> None:
    nn.GELU.__call__ = lambda self, x: x  # type: ignore[assignment,method-assign]


def _constant() -> None:
    Draw.batch = 7  # type: ignore[misc]


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "torch.set_num_threads": (lambda: torch.set_num_threads(3), torch.get_num_threads),
    "torch.set_default_dtype": (
        lambda: torch.set_default_dtype(torch.float64),
        torch.get_default_dtype,
    ),
    "torch.set_float32_matmul_precision": (
        lambda: torch.set_float32_matmul_precision("high"),
        torch.get_float32_matmul_precision,
    ),
    "torch.use_deterministic_algorithms": (
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),
        torch.are_deterministic_algorithms_enabled,
    ),
    "torch.backends.cudnn.benchmark": (
        lambda: setattr(torch.backends.cudnn, "benchmark", True),
        lambda: torch.backends.cudnn.benchmark,
    ),
    "torch.backends.cuda.enable_flash_sdp": (
        lambda: torch.backends.cuda.enable_flash_sdp(False),
        torch.backends.cuda.flash_sdp_enabled,
    ),
    "torch.nn.modules.module._global_forward_pre_hooks": (
        lambda: nn.modules.module.register_module_forward_pre_hook(lambda module, args: None),
        lambda: len(nn.modules.module._global_forward_pre_hooks),
    ),
    "torch.nn.functional.gelu was replaced": (
        lambda: setattr(nn.functional, "gelu", nn.functional.relu),
        lambda: nn.functional.gelu,
    ),
    "torch.Tensor.__matmul__ was replaced": (
        lambda: setattr(Tensor, "__matmul__", lambda self, other: self),
        lambda: vars(Tensor).get("__matmul__"),
    ),
    "torch.nn.modules.activation.GELU.__call__ was replaced": (
        _inherited,
        lambda: vars(nn.GELU).get("__call__"),
    ),
    "numpy.linalg.eigh was replaced": (
        lambda: setattr(np.linalg, "eigh", np.linalg.eig),
        lambda: np.linalg.eigh,
    ),
    "bench.core.combine.combine was replaced": (
        lambda: setattr(bench.core.combine, "combine", print),
        lambda: bench.core.combine.combine,
    ),
    "bench.core.sample.Draw.batch was replaced": (_constant, lambda: vars(Draw).get("batch")),
    "module bench.core.sample was replaced": (
        lambda: sys.modules.pop("bench.core.sample"),
        lambda: sys.modules.get("bench.core.sample"),
    ),
    "numpy.seterr": (lambda: np.seterr(under="raise"), np.geterr),
    "subnormal numbers": (
        lambda: torch.set_flush_denormal(True),
        lambda: sys.float_info.min / 2 > 0,
    ),
    "os.environ: NVIDIA_TF32_OVERRIDE, PATH": (_environment, lambda: dict(os.environ)),
    "os.chdir": (lambda: os.chdir("/"), os.getcwd),
    "resource.RLIMIT_FSIZE": (_file_size, lambda: resource.getrlimit(resource.RLIMIT_FSIZE)),
    "the handler of signal 10": (
        lambda: signal.signal(signal.SIGUSR1, lambda number, frame: None),
        lambda: signal.getsignal(signal.SIGUSR1),
    ),
    "sys.setrecursionlimit": (lambda: sys.setrecursionlimit(4321), sys.getrecursionlimit),
    "gc.disable": (gc.disable, gc.isenabled),
    "sys.path": (lambda: sys.path.insert(0, "/somewhere"), lambda: list(sys.path)),
    "sys.excepthook": (lambda: setattr(sys, "excepthook", print), lambda: sys.excepthook),
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_change_is_said_and_undone(words: str) -> None:
    change, state = CHANGES[words]
    before = state()
    with undo_changes() as changes:
        change()
        assert state() != before
    assert state() == before
    assert words in changes.summary
    assert not changes.lasting
    with undo_changes() as again:
        pass
    assert not again.found


def test_what_is_undone_by_its_author_is_no_change() -> None:
    with undo_changes() as changes, torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        threads = torch.get_num_threads()
        torch.set_num_threads(threads + 1)
        torch.set_num_threads(threads)
        torch.ones(3) @ torch.ones(3)
    assert not changes.found


def test_it_is_undone_after_an_exception_too() -> None:
    gelu = nn.functional.gelu

    def fail() -> None:
        nn.functional.gelu = nn.functional.relu  # type: ignore[assignment]
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"), undo_changes() as changes:
        fail()
    assert nn.functional.gelu is gelu
    assert changes.summary == "torch.nn.functional.gelu was replaced"


def test_a_thread_that_is_left_running_lasts() -> None:
    end = threading.Event()
    with undo_changes() as changes:
        thread = threading.Thread(target=end.wait, name="toggler")
        thread.start()
    end.set()
    thread.join()
    assert changes.lasting == "thread 'toggler' was left running"


def test_a_hard_limit_lasts() -> None:
    code = (
        "import resource as r\n"
        "from bench.state import undo_changes\n"
        "with undo_changes() as changes:\n"
        "    r.setrlimit(r.RLIMIT_CORE, (0, 0))\n"
        "    r.setrlimit(r.RLIMIT_FSIZE, (1 << 40, 1 << 40))\n"
        "print(changes.summary, '|', changes.lasting)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    seen, lasting = done.stdout.split("|")
    assert "resource.RLIMIT_FSIZE" in seen
    if os.geteuid() != 0:  # who may raise it again does so
        assert "resource.RLIMIT_FSIZE" in lasting


@pytest.mark.slow
def test_the_host_and_what_it_imports_change_nothing() -> None:
    """Nor do its own plugins, which are imported without a guard."""
    code = (
        "import bench.registry\n"
        "from bench.state import undo_changes\n"
        "with undo_changes() as changes:\n"
        "    bench.registry.load_registry()\n"
        "    import scipy.stats, pandas, torchdiffeq, torch_fidelity, PIL.Image, torch._dynamo\n"
        "print(changes.summary, end='')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == ""


def _raw(tensor: Tensor) -> None:
    tensor.detach().numpy().reshape(-1)[-1] += 1  # no version counter sees it


@pytest.mark.parametrize(
    "write", [lambda p: p.data.mul_(1.0001), _raw, lambda p: p.detach().zero_()]
)
@pytest.mark.parametrize("wrapped", [lambda m: m, lambda m: m.forward, lambda m: lambda y: m(y)])
def test_weights_written_in_place_are_seen(
    write: Callable[[Tensor], Any], wrapped: Callable[[nn.Module], Any]
) -> None:
    network = nn.Sequential(nn.Linear(300, 40), nn.BatchNorm1d(40)).eval()
    weights = Weights.of(wrapped(network))
    network(torch.ones(2, 300))
    assert len(weights.tensors) == 7
    assert weights.count_changes() == 0
    write(network[0].weight)
    assert weights.count_changes() == 1


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(5, dtype=torch.bool),
        torch.ones(3, dtype=torch.complex64).conj(),
        torch.zeros(0),
        torch.arange(9, dtype=torch.uint8)[1:],
        torch.ones(()),
        torch.ones(40, 30).t(),
        torch.empty(3, device="meta"),
        torch.eye(3).to_sparse(),
        torch.full((20_000,), float("nan"), dtype=torch.bfloat16),
    ],
)
def test_every_kind_of_tensor_has_a_checksum(tensor: Tensor) -> None:
    assert Weights.of({"a": [tensor]}).count_changes() == 0


def test_one_bit_of_large_weights_is_seen() -> None:
    tensor = torch.randn(1 << 20)
    weights = Weights.of(tensor)
    words = tensor.view(torch.int32)
    for place in (0, 12345, len(words) - 1):
        words[place] ^= 1
        assert weights.count_changes() == 1
        words[place] ^= 1
        assert weights.count_changes() == 0
