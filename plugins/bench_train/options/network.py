"""The preset, and the network with its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench_train.options.numbers import whole_numbers
from bench_train.presets import PRESETS
from bench_train.settings import Sizes

_PANEL = "What to train"


def _list_presets(wanted: bool) -> None:
    if not wanted:
        return
    for name, settings in PRESETS.items():
        print(f"{name:30} {settings.summary}")
    raise typer.Exit


@dataclass(frozen=True)
class NetworkOptions:
    """The network and its sizes; None where the preset's value, or the default, holds."""

    preset: Annotated[
        str,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Settings of the field, published (ncsnpp-ve, ddpmpp-vp, ddpmpp-subvp, "
            "ddpmpp-vp-likelihood, edm-ddpmpp, ...) or small (ncsnpp-ve-small, ...). Options "
            "override it; the defaults that they tell are those without a preset.",
        ),
    ] = ""
    list_presets: Annotated[
        bool,
        typer.Option(
            "--list-presets",
            rich_help_panel=_PANEL,
            help="Print the presets, and stop.",
            is_eager=True,
            callback=_list_presets,
        ),
    ] = False
    network: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Architecture, any that `bench plugins` lists, or with parameters: '{name: "
            "ncsnpp, width: 64}'. 'auto' (default) takes the small 'unet' from 16x16 pixels on, "
            "else the 'mlp'; 'ncsnpp' and 'ddpmpp' are score_sde's, 'edm-ncsnpp' and 'edm-ddpmpp' "
            "EDM's.",
        ),
    ] = None
    width: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_PANEL, help="Channels of NCSN++'s or DDPM++'s first level: 128."
        ),
    ] = None
    mults: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PANEL, help="Channels of its levels in units of that, such as 1,2,2,2."
        ),
    ] = None
    blocks: Annotated[
        int | None, typer.Option(rich_help_panel=_PANEL, help="Its residual blocks per level: 4.")
    ] = None
    dropout: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_PANEL, help="Its share of activations dropped in training: 0."
        ),
    ] = None

    init: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Begin with the weights of this file (of the same network) in the place of fresh "
            "ones: weights.safetensors of an earlier training. Under --classes the embedding of "
            "the classes begins at zero.",
        ),
    ] = None

    @property
    def sizes(self) -> Sizes:
        """The sizes that are given."""
        mults = None if self.mults is None else whole_numbers("--mults", self.mults)
        return Sizes(self.width, mults, self.blocks, self.dropout)
