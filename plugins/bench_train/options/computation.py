"""How a training is computed; it changes the last bits only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from bench_train.options.choices import PrecisionChoice

_PANEL = "Computation"


@dataclass(frozen=True)
class ComputationOptions:
    """Arithmetic, passes, processes and device."""

    precision: Annotated[
        PrecisionChoice,
        typer.Option(
            rich_help_panel=_PANEL,
            help="'bfloat16' pays on GPUs and on CPUs with AMX, else it is slower; 'float16' is "
            "for GPUs without it (the loss is scaled); 'float64' is for checks.",
        ),
    ] = PrecisionChoice.FLOAT32
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile",
            rich_help_panel=_PANEL,
            help="torch.compile: a minute, then faster.",
        ),
    ] = False
    rows: Annotated[
        int | None,
        typer.Option(
            min=0,
            rich_help_panel=_PANEL,
            help="Samples in one pass of the network, where memory or --processes ask for less "
            "than the batch. 0 (default): all that a process has.",
        ),
    ] = None
    workers: Annotated[
        int,
        typer.Option(
            rich_help_panel=_PANEL,
            help="CPU only: share slices of a batch out to so many threads of one core each, "
            "which bears other load on the machine. 0: whole batches, each operator on all cores.",
        ),
    ] = 0
    processes: Annotated[
        int,
        typer.Option(
            min=1,
            rich_help_panel=_PANEL,
            help="Processes that share each batch, one per GPU with --device cuda. Results differ "
            "in round-off alone. Over several machines: torchrun --no-python bench train ...",
        ),
    ] = 1
    device: Annotated[
        str, typer.Option(rich_help_panel=_PANEL, help="torch device: cpu, cuda, cuda:1, ...")
    ] = "cpu"
    threads: Annotated[
        int,
        typer.Option(rich_help_panel=_PANEL, help="CPU threads; 0 leaves the choice to torch."),
    ] = 0
