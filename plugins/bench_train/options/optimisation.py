"""Length of the run, optimiser and averages of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "Optimisation"


@dataclass(frozen=True)
class OptimiserOptions:
    """Adam and the learning rate; None where the preset's value, or the default, holds."""

    images: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Samples to train on, with repetition: 2,000,000. A resumed run may change it.",
        ),
    ] = None
    batch: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_PANEL, help="Samples per optimiser step, over all processes: 256."
        ),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(rich_help_panel=_PANEL, help="Peak learning rate of Adam: 0.002."),
    ] = None
    beta2: Annotated[
        float | None, typer.Option(rich_help_panel=_PANEL, help="Adam's second beta: 0.99.")
    ] = None
    clip: Annotated[
        float | None,
        typer.Option(rich_help_panel=_PANEL, help="Largest norm of the gradient: 1. 0 for none."),
    ] = None
    warmup: Annotated[
        int | None,
        typer.Option(rich_help_panel=_PANEL, help="Images over which the rate rises: 50,000."),
    ] = None
    decay: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Last fraction of the run over which the rate falls to zero: 0.4. 0: constant.",
        ),
    ] = None


@dataclass(frozen=True)
class AverageOptions:
    """Averages of the weights; all None where the preset's, or the default, hold."""

    ema: Annotated[
        list[float] | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Power-law average of the weights, its width relative to the run: 0.05. Repeat it "
            "and its siblings for several averages; naming any of the three replaces the preset's.",
        ),
    ] = None
    ema_halflife: Annotated[
        list[int] | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Average whose memory halves in so many images, ramped up as EDM's.",
        ),
    ] = None
    ema_rate: Annotated[
        list[float] | None,
        typer.Option(
            rich_help_panel=_PANEL, help="Average with a fixed rate per step, as score_sde's."
        ),
    ] = None


@dataclass(frozen=True)
class SeedOptions:
    """Randomness of a training."""

    seed: Annotated[
        int,
        typer.Option(rich_help_panel=_PANEL, help="Seed of weights, order, noise and times."),
    ] = 0
