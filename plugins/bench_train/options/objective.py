"""The loss, and the data as it sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from bench_train.options.choices import TimesChoice, WeightingChoice

_PANEL = "Objective"


@dataclass(frozen=True)
class ObjectiveOptions:
    """The loss; None where the preset's value, or the default, holds."""

    process: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Noise process to train under, any that `bench plugins` lists (default edm), or "
            "with parameters: '{name: ve, sigma_max: 100.0}'. Samplers may use another: a trained "
            "network is a denoiser D(y; s), whatever the process was.",
        ),
    ] = None
    weighting: Annotated[
        WeightingChoice | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="lambda(t): 'edm' (default) equalises the network's own error, 'sigma2' is the "
            "eps loss, 'likelihood' (g^2, with --times uniform or importance) bounds the NLL, "
            "'none' is unweighted.",
        ),
    ] = None
    times: Annotated[
        TimesChoice | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Density of times: 'uniform' in t, EDM's 'lognormal' in s, 'loguniform' in s, "
            "'mixed' (default), half of either in s, best for both FID and NLL, or 'importance' "
            "for the likelihood weighting: the expectation of 'uniform' with less variance.",
        ),
    ] = None
    summed: Annotated[
        bool | None,
        typer.Option(
            "--summed/--mean",
            rich_help_panel=_PANEL,
            help="Loss over a sample's entries: half their sum, or their mean (default). It "
            "matters for --clip alone.",
        ),
    ] = None
    flips: Annotated[
        bool | None,
        typer.Option(
            "--flips/--no-flips",
            rich_help_panel=_PANEL,
            help="Mirror half of the images. Default: no.",
        ),
    ] = None
    dequantise: Annotated[
        bool | None,
        typer.Option(
            "--dequantise/--no-dequantise",
            rich_help_panel=_PANEL,
            help="Add uniform noise to the integers, as likelihoods need it (default), or not.",
        ),
    ] = None
    classes: Annotated[
        bool | None,
        typer.Option(
            "--classes/--no-classes",
            rich_help_panel=_PANEL,
            help="Condition on the classes of the data: the network becomes D(y; s, c), and "
            "D(y; s) where it is asked for no class. Default: no.",
        ),
    ] = None
    label_dropout: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Share of the samples shown without their class under --classes: 0.1.",
        ),
    ] = None
