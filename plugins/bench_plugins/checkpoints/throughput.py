"""Samples a second of the CIFAR-10 network, by NFE, precision and compilation.

``python -m bench_plugins.checkpoints.throughput [--json] [--device cuda] [--batch 512] ...``
prints a Markdown table for docs/performance.md, or JSON. The network is EDM's DDPM++ (55.7M
parameters) with weights at random: speed does not depend on their values. The sampler is
DPM-Solver++(2M), one evaluation a step; what other solvers launch beside the network does not show.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    CountedDenoiser,
    NoiseProcess,
    OdeSolver,
    Problem,
    Sampler,
    Time,
    make_plugin,
)
from bench_plugins.checkpoints.common import freeze
from bench_plugins.checkpoints.edm_precond import EdmDenoiser, EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig
from bench_plugins.checkpoints.precision import Precision, Running

_S_MIN, _S_MAX = 0.002, 80.0


@dataclass(frozen=True)
class Setting:
    """One row of the table: what is run.

    Attributes:
        nfe: network evaluations of a sample. precision, compiled: as of the models.
        batch: samples that go through the loop together.
    """

    nfe: int
    precision: Precision
    compiled: bool
    batch: int


@dataclass(frozen=True)
class Speed:
    """Samples a second, and memory.

    Attributes:
        samples_per_s: the median of the repetitions; slowest, fastest: their range.
        peak_mib: peak memory that tensors took on the GPU; ``None`` on a CPU.
    """

    samples_per_s: float
    slowest: float
    fastest: float
    peak_mib: float | None


def measure(
    setting: Setting, config: EdmUnetConfig, device: torch.device, repeats: int
) -> tuple[Speed, int]:
    """The speed of ``setting`` over ``repeats`` batches, and the evaluations that were counted.

    A first batch with few steps chooses kernels and compiles; it is not timed.
    """
    torch.manual_seed(0)
    network = freeze(EdmUnet(config), device, torch.float32)
    running = Running(network, torch.float32, device.type, setting.precision, setting.compiled)
    label = torch.zeros(1, config.label_dim, device=device) if config.label_dim else None
    counted = CountedDenoiser(EdmDenoiser(running, EdmRecipe("edm", config), label))
    shape = (setting.batch, config.in_channels, config.img_resolution, config.img_resolution)
    x = torch.randn(shape, device=device) * _S_MAX
    process = make_plugin(NoiseProcess, "edm", {})
    solver: OdeSolver[Any] = make_plugin(OdeSolver, "dpmpp_2m", {})
    sampler, problem = Sampler(solver), Problem(process, counted)
    with torch.inference_mode():
        sampler.run(problem, x, _times(process, 3))
        before = counted.evaluations.rows
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        times = _times(process, setting.nfe)
        seconds = [_seconds(lambda: sampler.run(problem, x, times), device) for _ in range(repeats)]
    evaluations = (counted.evaluations.rows - before) // (repeats * setting.batch)
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
    rates = [setting.batch / s for s in seconds]
    return Speed(statistics.median(rates), min(rates), max(rates), peak), evaluations


def _times(process: NoiseProcess, nfe: int) -> list[Time]:
    """Levels for ``nfe`` evaluations, the last of which is the final denoising."""
    ratio = math.log(_S_MIN / _S_MAX)
    return [process.at_s(_S_MAX * math.exp(ratio * i / (nfe - 1))) for i in range(nfe)]


def _seconds(run: Callable[[], Tensor], device: torch.device) -> float:
    _synchronise(device)
    begin = time.perf_counter()
    run()
    _synchronise(device)
    return time.perf_counter() - begin


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device) -> str:
    """Name of the device, with the threads of a CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(named or [platform.processor() or 'CPU'])[0]}, {torch.get_num_threads()} threads"


def table(rows: list[tuple[Setting, Speed]], title: str) -> str:
    """A Markdown table under its title."""
    lines = [
        title,
        "",
        "| NFE | precision | compiled | batch | samples/s | (range) | peak memory (MiB) |",
        "|---|---|---|---|---|---|---|",
    ]
    for setting, speed in rows:
        cells = (
            setting.nfe,
            setting.precision,
            "yes" if setting.compiled else "no",
            setting.batch,
            f"{speed.samples_per_s:.4g}",
            f"{speed.slowest:.4g} to {speed.fastest:.4g}",
            "–" if speed.peak_mib is None else f"{speed.peak_mib:.0f}",
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    given = _parser().parse_args(arguments)
    try:
        device = _device(given.device)
        precisions = given.precision or (
            ["float32", "tf32", "bfloat16"] if device.type == "cuda" else ["float32"]
        )
        if device.type == "cpu" and "tf32" in precisions:
            raise BenchError("--precision tf32: a CPU has no TF32; use float32 or bfloat16")
        if min(given.batch, given.repeats) < 1 or min(given.nfe) < 3:
            raise BenchError("--batch and --repeats must be at least 1, --nfe at least 3")
        config = EdmUnetConfig(model_channels=given.width, num_blocks=given.blocks, augment_dim=9)
        rows = []
        for compiled, precision, nfe in product(given.compiled, precisions, given.nfe):
            setting = Setting(nfe, precision, compiled == "yes", given.batch)
            speed, evaluations = measure(setting, config, device, given.repeats)
            if evaluations != nfe:
                raise BenchError(f"{evaluations} evaluations were counted in place of {nfe}")
            rows.append((setting, speed))
            print(f"{setting}: {speed.samples_per_s:.4g} samples/s", file=sys.stderr)
    except (BenchError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    with torch.device("meta"):
        parameters = sum(p.numel() for p in EdmUnet(config).parameters())
    name, version = device_name(device), str(torch.__version__)
    if given.json:
        content = {
            "device": name,
            "torch": version,
            "parameters": parameters,
            "rows": [{**asdict(setting), **asdict(speed)} for setting, speed in rows],
        }
        print(json.dumps(content, indent=1))
    else:
        print(table(rows, f"{name}; torch {version}; {parameters / 1e6:.2f}M parameters."))
    return 0


def _device(choice: str) -> torch.device:
    available = torch.cuda.is_available()
    if choice == "cuda" and not available:
        raise BenchError("--device cuda: this torch sees no CUDA GPU; use cpu")
    return torch.device("cuda" if choice == "cuda" or (choice == "auto" and available) else "cpu")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench_plugins.checkpoints.throughput")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--nfe", type=int, nargs="+", default=[18, 35, 100])
    parser.add_argument("--precision", choices=get_args(Precision), nargs="+")
    parser.add_argument("--compiled", choices=("no", "yes"), nargs="+", default=["no", "yes"])
    parser.add_argument("--batch", type=int, default=64, help="samples at a time (64 is a shard)")
    parser.add_argument("--repeats", type=int, default=3, help="batches that are timed")
    parser.add_argument("--width", type=int, default=128, help="model_channels; 128 is CIFAR-10's")
    parser.add_argument("--blocks", type=int, default=4, help="num_blocks; 4 is CIFAR-10's")
    parser.add_argument("--json", action="store_true", help="JSON in place of Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
