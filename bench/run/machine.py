"""The machine that a cell runs on: its description, its clock and its memory."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.core.errors import BenchError


@dataclass(frozen=True)
class Machine:
    """One worker's view of the hardware.

    Attributes:
        device: a torch device, ``cpu`` or ``cuda:0``.
        threads: CPU threads of the worker.
        workers: worker processes at the same time.
    """

    device: str
    threads: int
    workers: int

    @property
    def kind(self) -> str:
        """``cpu`` or ``cuda``."""
        return torch.device(self.device).type

    def columns(self) -> dict[str, Any]:
        """The columns of the results that describe the machine."""
        return {
            "device": _device_name(self.device),
            "device_kind": self.kind,
            "threads": self.threads,
            "workers": self.workers,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
        }


def choose_device(wanted: str) -> str:
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:i``.

    Raises:
        BenchError: no such device.
    """
    available = torch.cuda.is_available()
    if wanted == "auto":
        return "cuda:0" if available else "cpu"
    if wanted == "cpu":
        return "cpu"
    name, _, index = wanted.partition(":")
    if name != "cuda" or not (index.isdigit() or not index):
        raise BenchError(f"--device {wanted}: is not a device; use auto, cpu, cuda or cuda:0")
    if not available:
        raise BenchError(f"--device {wanted}: this torch sees no CUDA GPU; use cpu")
    number, count = int(index or 0), torch.cuda.device_count()
    if number >= count:
        raise BenchError(f"--device {wanted}: there are {count} GPUs, 0 to {count - 1}")
    return f"cuda:{number}"


@dataclass(frozen=True)
class WorkerOptions:
    """The numbers of workers and threads that the user wants; None leaves them to the host."""

    workers: int | None = None
    threads: int | None = None

    def on(self, device: str, cells: int) -> Machine:
        """On a CPU one worker per core, at most 8, on a GPU one; one CPU thread each.

        One thread is the default even for a lone worker: threads of a small network mostly wait
        for each other, and on a busy machine that costs orders of magnitude.
        """
        cores = min(len(os.sched_getaffinity(0)), 8)
        workers = self.workers or (cores if device == "cpu" else 1)
        return Machine(device, self.threads or 1, min(workers, max(1, cells)))


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@dataclass(frozen=True)
class PeakMemory:
    """Peak memory from ``start`` on: of the GPU, else of this process (0 where unknown)."""

    device: torch.device

    @staticmethod
    def start(device: torch.device) -> PeakMemory:
        """Begin anew."""
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            _reset_process_peak()
        return PeakMemory(device)

    def peak_mib(self) -> float:
        """The peak so far, in MiB."""
        if self.device.type == "cuda":
            return float(torch.cuda.max_memory_allocated(self.device)) / 2**20
        return _process_peak_kib() / 1024


def _reset_process_peak() -> None:
    # Linux: resets VmHWM, the high-water mark of the resident set. Elsewhere the peak is that of
    # the whole life of the process.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _process_peak_kib() -> float:
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    line = next((item for item in text.splitlines() if item.startswith("VmHWM:")), "VmHWM: 0 kB")
    return float(line.split()[1])


def _device_name(device: str) -> str:
    if device != "cpu":
        return str(torch.cuda.get_device_name(device))
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [x.partition(":")[2].strip() for x in text.splitlines() if x.startswith("model name")]
    return names[0] if names else platform.machine()
