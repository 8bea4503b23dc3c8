"""A training as the command line describes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from bench.api import BenchError, read_weights
from bench_train.half import halve
from bench_train.housekeeping import Housekeeping
from bench_train.loop import TrainResult, average_at, train
from bench_train.options.computation import ComputationOptions
from bench_train.options.data import DataOptions, OutputOptions
from bench_train.process_group import ProcessGroup, own_device, process_group
from bench_train.progress import show_progress
from bench_train.recipe import Recipe, make_recipe
from bench_train.settings import Settings
from bench_train.sources import read_data


@dataclass(frozen=True)
class Job:
    """A training, and the folder where it leaves its files.

    Attributes:
        command: the command line, for the record of the weights.
        init: file of weights to begin with, None for fresh ones.
    """

    settings: Settings
    computation: ComputationOptions
    seed: int
    data: DataOptions
    output: OutputOptions
    command: str
    init: Path | None = None

    def run(self, resume: bool, checkpoint_s: float) -> None:
        """Train, or go on, and write the weights; a checkpoint every ``checkpoint_s`` seconds.

        Raises:
            BenchError: the options make no sense, or the loss diverges.
        """
        checkpoint = self.output.checkpoint
        self._check_folder(resume)
        with process_group(self.computation.device) as group:
            console = Console(quiet=not group.leads)
            recipe = self._recipe(group)
            with show_progress(console, recipe.config.images) as report:
                pause = 1.0 if console.is_terminal else 10.0
                keeping = Housekeeping(checkpoint, checkpoint_s, report, pause)
                result = train(recipe.config, recipe.initial(), recipe.data, keeping)
            if group.leads:
                for path in self._write(recipe, result):
                    console.print(f"wrote {path}", soft_wrap=True)

    def export(self) -> None:
        """Write the weights of the checkpoint.

        Raises:
            BenchError: there is none, or it is another training's.
        """
        self._check_folder(expected=True)
        recipe = self._recipe(ProcessGroup())
        result = average_at(recipe.config, recipe.initial(), self.output.checkpoint)
        for path in self._write(recipe, result):
            Console().print(f"wrote {path}, after {result.images} images", soft_wrap=True)

    def _recipe(self, group: ProcessGroup) -> Recipe:
        if self.computation.threads:
            torch.set_num_threads(self.computation.threads)
        computation = replace(self.computation, device=own_device(self.computation.device))
        start = None if self.init is None else read_weights(self.init)
        data = read_data(self.data)
        return make_recipe(self.settings, computation, self.seed, data, group, start)

    def _check_folder(self, expected: bool) -> None:
        checkpoint = self.output.checkpoint
        if checkpoint.exists() and not expected:
            raise BenchError(
                f"{checkpoint}: there is a training in this folder; pass --resume to go on with "
                "it, or another --out"
            )
        if expected and not checkpoint.exists():
            raise BenchError(f"{checkpoint}: there is no training to go on with; check --out")

    def _write(self, recipe: Recipe, result: TrainResult) -> Iterator[Path]:
        """Write all averages: the first as weights.safetensors, others with their labels."""
        for number, (label, network) in enumerate(result.averages.items()):
            name = f"weights-{label}.safetensors" if number else "weights.safetensors"
            path = self.output.out / name
            recipe.save(path, label, network, result.images, self.command)
            if self.output.half:
                halve(path)
            yield path
