"""Codes as the starts of samples, and the sampler run on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from bench.api import (
    BenchError,
    Conditional,
    CountedDenoiser,
    Denoiser,
    Draw,
    ForSamples,
    Trial,
    generate,
)
from bench_plugins.latents.interpolation import heat


@dataclass(frozen=True, eq=False)
class CodedDraw(Draw):
    """Samples that start from given codes, or from those of the seed, at a temperature.

    Attributes:
        codes: (samples, *shape); None: the noise of the seed, as in `bench run`.
        temperature: factor of the codes.
    """

    codes: Tensor | None = None
    temperature: float = 1.0

    @staticmethod
    def of(draw: Draw, temperature: float, codes: Tensor | None = None) -> CodedDraw:
        """The samples of ``draw``, or as many as there are ``codes``."""
        samples = draw.samples if codes is None else len(codes)
        rest = draw.batch, draw.shape, draw.dtype, draw.device
        return CodedDraw(draw.seed, samples, *rest, codes, temperature)

    def standard_prior(self, first: int, count: int) -> Tensor:
        """The codes of samples ``first`` .. ``first + count - 1``, heated."""
        if self.codes is None:
            return heat(super().standard_prior(first, count), self.temperature)
        own = self.codes[first : first + count].to(self.device, self.dtype)
        return heat(own, self.temperature)


def run_sampler(trial: Trial, console: Console) -> tuple[Tensor, float]:
    """The samples (n, *shape) of a trial, and their network evaluations each.

    Raises:
        BenchError: some are not finite.
    """
    draw, sampler = trial.draw, trial.sampler
    total = None if sampler.adaptive else draw.samples * sampler.cost(len(trial.times) - 1)
    with show_progress(console, total) as advance:
        counted = CountedDenoiser(watch(trial.model.denoiser, advance))
        parts = generate(trial.process, counted, sampler, trial.times, draw, trial.log_prob)
        x = torch.cat([batch.x for batch in parts])
    check_finite(x, "samples")
    return x, counted.evaluations.nfe(draw.samples)


def check_finite(x: Tensor, what: str) -> None:
    """Refuse to go on with numbers that are none.

    Raises:
        BenchError: there are some.
    """
    bad = int((~torch.isfinite(x).flatten(1).all(1)).sum())
    if bad:
        raise BenchError(
            f"{bad} of {len(x)} {what} are not finite; raise --nfe, or take another --solver"
        )


def watch(network: Denoiser | ForSamples, advance: Callable[[int], None]) -> Denoiser | ForSamples:
    """The denoiser with ``advance`` called with the rows of each evaluation."""
    if isinstance(network, Conditional):
        return replace(network, network=_watch_calls(network.network, advance))
    return network if isinstance(network, ForSamples) else _watch_calls(network, advance)


def _watch_calls(network: Callable[..., Tensor], advance: Callable[[int], None]) -> Any:
    def denoise(y: Tensor, *rest: Tensor) -> Tensor:
        advance(y.shape[0])
        return network(y, *rest)

    return denoise


@contextmanager
def show_progress(console: Console, total: int | None) -> Iterator[Callable[[int], None]]:
    """Give the function to call with the rows of an evaluation: it moves a bar in a terminal."""
    if not console.is_terminal:
        yield lambda rows: None
        return
    columns = TextColumn("network evaluations"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda rows: bar.advance(task, rows)
